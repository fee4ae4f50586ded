"""What the environment makes of the settings, each case in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from smmapp.environment import BASE_DIR

READ = """
import json, sys
from django.conf import settings
print(json.dumps({name: getattr(settings, name, None) for name in sys.argv[1:]}, default=str))
"""
PRODUCTION = {
    "DATABASE_URL": "postgres://user:p%40ss@db.internal:5433/smm",
    "REDIS_URL": "redis://cache.internal:6379/0",
    "SMM_SECRET_KEY": "given",
    "SMM_FIELD_KEYS": "first, second",
    "SMM_BASE_URL": "https://social.example.com/",
}


def process(environment: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", READ, *names],
        cwd=BASE_DIR,
        env={"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "smmapp.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def settings(environment: dict[str, str], *names: str) -> list[object]:
    ended = process(environment, *names)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    return [found[name] for name in names]


def test_production_takes_what_it_is_given_and_closes_what_https_can_close(tmp_path: Path) -> None:
    given = {**PRODUCTION, "SMM_VAR_DIR": str(tmp_path / "var")}
    databases, keys, hosts, origins = settings(
        given, "DATABASES", "FIELD_KEYS", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS"
    )
    assert isinstance(databases, dict)
    assert databases["default"]["HOST"] == "db.internal"
    assert databases["default"]["PASSWORD"] == "p@ss"
    assert keys == ["first", "second"]
    assert hosts == ["social.example.com"]
    assert origins == ["https://social.example.com"]
    assert settings(
        given,
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "ALLAUTH_TRUSTED_PROXY_COUNT",
    ) == [True, True, True, 1]
    assert not (tmp_path / "var").exists()


def test_production_without_keys_does_not_start() -> None:
    without = {name: value for name, value in PRODUCTION.items() if name != "SMM_SECRET_KEY"}
    ended = process(without, "SECRET_KEY")
    assert ended.returncode != 0
    assert "SMM_SECRET_KEY" in ended.stderr.splitlines()[-1]


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    given = {**PRODUCTION, "SMM_SECRET_KEY": "", "SMM_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert settings(given, "SECRET_KEY") == ["from a file"]


def test_a_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    ended = process({**PRODUCTION, "SMM_SECRET_KEY_FILE": str(tmp_path / "none")}, "SECRET_KEY")
    assert f"SMM_SECRET_KEY_FILE names {tmp_path / 'none'}" in ended.stderr.splitlines()[-1]


def test_a_local_installation_makes_keys_once_and_keeps_mails_as_files(tmp_path: Path) -> None:
    given = {"SMM_VAR_DIR": str(tmp_path / "var"), "PORT": "8123"}
    first = settings(given, "SECRET_KEY", "FIELD_KEYS", "BASE_URL", "EMAIL_BACKEND")
    assert first == settings(given, "SECRET_KEY", "FIELD_KEYS", "BASE_URL", "EMAIL_BACKEND")
    assert first[2:] == ["http://127.0.0.1:8123", "django.core.mail.backends.filebased.EmailBackend"]


def test_the_sandbox_is_reachable_although_it_is_on_loopback(tmp_path: Path) -> None:
    given = {**PRODUCTION, "SANDBOX_URL": "http://127.0.0.1:4000", "SMM_ALLOWED_PRIVATE_HOSTS": "localhost"}
    assert settings(given, "ALLOWED_PRIVATE_HOSTS") == [["localhost", "127.0.0.1:4000"]]
