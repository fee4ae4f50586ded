"""Worlds that are too large to be made for every run: databases that stay, with a note of what is in them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.world import say


@contextlib.contextmanager
def kept_servers(folder: Path) -> Iterator[None]:
    """Django on servers whose data stays in ``folder``; on those of DATABASE_URL and REDIS_URL, if set."""
    from smmapp import embedded

    own = not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))
    if own:
        os.environ.update(embedded.acquire(folder, durable=True).environment())
    os.environ["DJANGO_SETTINGS_MODULE"] = "smmapp.settings"
    os.environ.setdefault("SMM_LOG_LEVEL", "WARNING")
    try:
        import django

        django.setup()
        yield
    finally:
        from django.db import connections

        connections.close_all()
        if own:
            embedded.release(folder)


_ready: set[str] = set()  # databases that this run has looked at


def use_world(name: str, recipe: str, fill: Callable[[], None]) -> None:
    """From here on the database ``name`` is used: as an earlier run left it if that had the same ``recipe``,
    else made anew by ``fill``. Migrations that came since are applied."""
    from django.core.management import call_command
    from django.db import connection

    if name in _ready:
        _switch(name)
        return
    home = connection.settings_dict["NAME"]
    key = _key(recipe)
    with _autocommit() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        )
        found = cursor.fetchone()
    if found is None or found[0] != key:
        say(f"world {name}: is being made, and kept for the next run")
        started = time.monotonic()
        with _autocommit() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}"')
        _switch(name)
        call_command("migrate", verbosity=0)
        fill()
        with _autocommit() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute(f"COMMENT ON DATABASE \"{name}\" IS '{key}'")
        say(f"world {name}: made in {time.monotonic() - started:.0f} s")
    else:
        _switch(name)
        call_command("migrate", verbosity=0)
    connection.settings_dict.setdefault("HOME", home)
    _ready.add(name)


def go_home() -> None:
    """Back to the database from which the worlds were made."""
    from django.db import connection

    if home := connection.settings_dict.pop("HOME", None):
        _switch(home)


def _switch(name: str) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


@contextlib.contextmanager
def _autocommit() -> Iterator[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        yield cursor


def _key(recipe: str) -> str:
    return hashlib.sha256(recipe.encode()).hexdigest()[:32]
