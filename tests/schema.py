"""A migrated database to copy from: carrying out all migrations takes half a minute, a copy a second.

    name = migrated_template(url)       # CREATE DATABASE … TEMPLATE "name"

What the migrations made is kept beside pytest's cache, and made anew when a migration, a package or the month
(of partitions) is another one. Nothing of Django's is imported here.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import psycopg2.extensions

from smmapp.embedded.postgres import INSTALL, WHEEL
from tests.processes import ROOT

CACHE = ROOT / ".pytest_cache" / "schema"
LOCK = 7_305_119  # of the server: one process makes the template, the others wait
TIMEOUT_S = 900


def migrated_template(url: str) -> str:
    """The name of a database on the server of ``url`` with all migrations and nothing else, to be copied
    only: nobody may be connected to it."""
    name = f"smm_template_{_key()}"
    with _alone_on(url) as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone():
            return name
        making = f"{name}_making"
        cursor.execute(f'DROP DATABASE IF EXISTS "{making}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{making}"')
        fill(database_of(url, making))
        cursor.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"')
    return name


def fill(url: str) -> None:
    """Put all that the migrations make into the empty database at ``url``."""
    kept = CACHE / f"{_key()}.sql"
    if kept.exists() and _program("psql"):
        _run([_program("psql"), "--quiet", "--set=ON_ERROR_STOP=1", f"--file={kept}", f"--dbname={url}"])
        return
    _run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "smmapp.settings"},
    )
    if _program("pg_dump"):
        CACHE.mkdir(parents=True, exist_ok=True)
        for old in CACHE.glob("*.sql"):
            old.unlink(missing_ok=True)
        # Written whole or not at all: a run may be interrupted.
        partial = kept.with_suffix(f".{os.getpid()}.part")
        _run([_program("pg_dump"), "--no-owner", f"--file={partial}", f"--dbname={url}"])
        partial.replace(kept)


def database_of(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _key() -> str:
    found = hashlib.sha256(dt.datetime.now(dt.UTC).strftime("%Y-%m").encode())
    for path in sorted([*ROOT.glob("*/migrations/*.py"), ROOT / "uv.lock"]):
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


@contextlib.contextmanager
def _alone_on(url: str) -> Iterator[psycopg2.extensions.cursor]:
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            yield cursor


def _program(name: str) -> str:
    """Of the wheel that the tests' own server comes from; "" where there is none."""
    found = importlib.util.find_spec(WHEEL)
    path = Path(found.origin).parent / INSTALL / "bin" / name if found and found.origin else None
    return str(path) if path and path.exists() else ""


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} {command[1]} failed:\n{done.stdout[-4000:]}")
