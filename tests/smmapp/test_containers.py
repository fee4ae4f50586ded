"""docker-compose.yml, Dockerfile and .env.example fit each other and the application."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from smmapp import make_secrets
from smmapp.environment import BASE_DIR

APPLICATION = {"web", "worker", "dispatch", "beat"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
    return loaded


def test_every_service_that_stays_has_a_health_check(compose: dict[str, Any]) -> None:
    stays = {name for name, service in compose["services"].items() if service.get("restart") != "no"}
    assert stays == APPLICATION | {"postgres", "redis"}
    assert all("healthcheck" in compose["services"][name] for name in stays)


def test_one_image_serves_every_part_of_the_application(compose: dict[str, Any]) -> None:
    names = APPLICATION | {"migrate", "secrets"}
    assert {compose["services"][name]["image"] for name in names} == {"smmapp"}
    for name in APPLICATION:
        assert compose["services"][name]["command"] == ["python", "-m", "smmapp.run", name]


def test_the_three_variables_of_the_example_are_all_there_is_to_set(compose: dict[str, Any]) -> None:
    text = (BASE_DIR / "docker-compose.yml").read_text()
    with_default = set(re.findall(r"\$\{(\w+):-", text))
    lines = (BASE_DIR / ".env.example").read_text().splitlines()
    assert with_default == {line.partition("=")[0] for line in lines if line[:1].isupper()}
    assert len(with_default) == 3
    # Valid without any .env, for a first look: nothing is asked for that has no default.
    assert set(re.findall(r"(?<!\$)\$\{?(\w+)", text)) == with_default


def test_every_volume_and_dependency_exists(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert {mount.partition(":")[0] for mount in service.get("volumes", [])} <= set(compose["volumes"])
        assert set(service.get("depends_on", {})) <= set(compose["services"])


def test_secrets_are_files_that_the_first_start_makes_once(compose: dict[str, Any], tmp_path: Path) -> None:
    named = {
        Path(value).name
        for service in compose["services"].values()
        for name, value in service.get("environment", {}).items()
        if name.endswith("_FILE")
    }
    made = make_secrets.make(tmp_path)
    assert named <= set(made)
    before = {name: (tmp_path / name).read_text() for name in made}
    assert make_secrets.make(tmp_path) == []
    assert before == {name: (tmp_path / name).read_text() for name in made}
    assert before["postgres_password"] in before["database_url"]


def test_the_image_leaves_out_what_belongs_to_one_machine() -> None:
    ignored = (BASE_DIR / ".dockerignore").read_text().split()
    assert {".env", ".git", ".venv", "var", "**/node_modules"} <= set(ignored)
