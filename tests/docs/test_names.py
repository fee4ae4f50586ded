"""What the documents tell people to type exists."""

from __future__ import annotations

import functools
import importlib.util
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from outbox.models import TRANSITIONS
from smmapp.run import parts
from tests.docs.pages import PAGES, ROOT, files, name_of, snippets, text_of

VARIABLE = re.compile(r"\b(?:SMM_[A-Z_]+|SANDBOX_URL|[A-Z_]+_URL(?:_FILE)?|BLUESKY_[A-Z_]+|PORT|DEMO|CI)\b")
CODE = {".py", ".yml", ".mjs", ".js", ""}


@functools.cache  # the same for each page, and a second of work
def variables_of_the_code() -> frozenset[str]:
    here = Path(__file__).parent
    return frozenset(
        name
        for path in files()
        if path.suffix in CODE and not path.is_relative_to(here) and not path.is_relative_to(ROOT / "docs")
        for name in VARIABLE.findall(text_of(path))
    )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_targets_of_make_exist(page: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))
    asked = [
        target
        for snippet in snippets(page)
        for call in re.findall(r"(?:^|\s)make((?: [a-z-]+)+)", snippet)
        for target in call.split()
    ]
    assert [target for target in asked if target not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_management_commands_exist(page: Path) -> None:
    known = get_commands()
    asked = [name for snippet in snippets(page) for name in re.findall(r"manage\.py ([a-z_]+)", snippet)]
    assert [name for name in asked if name not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_modules_to_run_exist(page: Path) -> None:
    asked = {name for snippet in snippets(page) for name in re.findall(r"python -m ([\w.]+)", snippet)}
    for name in asked:
        spec = importlib.util.find_spec(name)
        assert spec is not None, name
        if spec.submodule_search_locations:
            assert importlib.util.find_spec(f"{name}.__main__") is not None, name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_parts_to_run_exist(page: Path) -> None:
    asked = {part for snippet in snippets(page) for part in re.findall(r"-m smmapp\.run ([a-z]+)", snippet)}
    assert [part for part in asked if not callable(getattr(parts, part, None))] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_variables_exist(page: Path) -> None:
    known = variables_of_the_code()
    asked = {name for snippet in snippets(page) for name in VARIABLE.findall(snippet)}
    # ``smmapp.environment.secret`` reads a file in place of the variable.
    assert {name for name in asked if name not in known and name.removesuffix("_FILE") not in known} == set()


def test_every_variable_of_an_operator_is_explained() -> None:
    places = [ROOT / "docker-compose.yml", ROOT / "Dockerfile", ROOT / ".env.example"]
    places += sorted((ROOT / "smmapp").rglob("*.py"))
    read = {
        name.removesuffix("_FILE")
        for path in places
        for name in re.findall(r"\bSMM_[A-Z_]*[A-Z]\b", text_of(path))
    }
    explained = {
        name.removesuffix("_FILE")
        for snippet in snippets(ROOT / "docs" / "operations.md")
        for name in VARIABLE.findall(snippet)
    }
    assert read - explained == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    """From the root, from inside one of its packages (``services/claiming.py``), or beside the page."""
    named = {
        name.removeprefix("./")
        for snippet in snippets(page)
        for name in re.findall(r"^((?:[\w.-]+/)+(?:[\w.-]+\.(?:py|md|html|js|mjs|toml|yml|sql))?)$", snippet)
        if not name.startswith(("var/", "./var", "static/dist/"))
    }
    missing = [
        name
        for name in sorted(named)
        if not (ROOT / name).exists()
        and not (page.parent / name).exists()
        and not list(ROOT.glob(f"[a-z]*/{name}"))
    ]
    assert missing == []


def test_what_apps_register_upwards_is_listed() -> None:
    """Inversions between apps are few, and architecture.md names them all."""
    text = text_of(ROOT / "docs" / "architecture.md")
    inverted = [path for path in ROOT.glob("[a-z]*/apps.py") if "def ready" in text_of(path)]
    assert inverted
    assert [name_of(path) for path in inverted if f"`{name_of(path)}`" not in text] == []


def test_states_of_a_delivery_are_drawn_as_they_are() -> None:
    text = text_of(ROOT / "docs" / "architecture.md")
    drawn = set(re.findall(r"^    (\w+) --> (\w+)", text, flags=re.MULTILINE))
    allowed = {(str(one), str(other)) for one, following in TRANSITIONS.items() for other in following}
    assert drawn - allowed == set()
    assert {state for pair in drawn for state in pair} == {str(state) for state in TRANSITIONS} - {
        "cancelled"
    }
