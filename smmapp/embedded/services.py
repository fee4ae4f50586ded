"""Who uses the embedded servers of a folder, kept in ``var/run/services.json`` under a file lock."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smmapp.embedded import postgres, processes, redis_server, secret_store
from smmapp.embedded.errors import EmbeddedError
from smmapp.embedded.processes import Process

PARTS = ("postgres", "redis")


@dataclass(frozen=True, slots=True)
class Services:
    """Where the servers answer; "" for one that was not asked for."""

    var_dir: Path
    database_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use them."""
        values = {"SMM_VAR_DIR": str(self.var_dir)}
        if self.database_url:
            # The settings tell by this mark that the keys are the folder's own and nothing is deployed.
            values |= {"DATABASE_URL": self.database_url, "SMM_LOCAL": "1"}
        if self.redis_url:
            values["REDIS_URL"] = self.redis_url
        return values


def acquire(
    var_dir: Path,
    *,
    with_postgres: bool = True,
    with_redis: bool = True,
    durable: bool = True,
    kept: bool = False,
) -> Services:
    """Use the servers of ``var_dir``, starting what does not run yet, until ``release``.

    ``durable`` false trades crash safety for speed (tests). With ``kept`` they stay up without any
    user, until ``discard`` or ``release(kept=True)``. Raises EmbeddedError.
    """
    var_dir = prepare_folder(var_dir)
    with _locked(var_dir):
        state = _read(var_dir)
        secrets = secret_store.load(var_dir)
        try:
            if with_postgres and not _answers(state, "postgres"):
                process, port = postgres.start(
                    var_dir, password=secrets["postgres_password"], durable=durable
                )
                state["postgres"] = {"port": port, **process.to_json()}
            if with_redis and not _answers(state, "redis"):
                process, port = redis_server.start(
                    var_dir, password=secrets["redis_password"], durable=durable
                )
                state["redis"] = {"port": port, **process.to_json()}
            state["kept"] = kept or state.get("kept", False)
            state["users"] = [*_live_users(state, but=os.getpid()), Process.of(os.getpid()).to_json()]
        finally:
            # Also after a failure, so that the one that did start is found again.
            _write(var_dir, state)
        return _services(var_dir, state, secrets)


def release(var_dir: Path, *, kept: bool = False) -> None:
    """Stop using the servers; the last user stops them. ``kept`` takes back an earlier ``kept=True``."""
    var_dir = var_dir.resolve()
    with _locked(var_dir):
        state = _read(var_dir)
        state["users"] = _live_users(state, but=os.getpid())
        if kept:
            state["kept"] = False
        if not state["users"] and not state.get("kept"):
            _stop_all(var_dir, state)
        _write(var_dir, state)


def discard(var_dir: Path) -> None:
    """Stop the servers whoever uses them, and delete the folder with all they held."""
    var_dir = var_dir.resolve()
    if not var_dir.exists():
        return
    with _locked(var_dir):
        state = _read(var_dir)
        _stop_all(var_dir, state)
        postgres.remove(var_dir)
        redis_server.remove(var_dir)
        shutil.rmtree(var_dir, ignore_errors=True)


@contextlib.contextmanager
def running(
    var_dir: Path, *, with_postgres: bool = True, with_redis: bool = True, durable: bool = True
) -> Iterator[Services]:
    """``acquire`` and ``release`` around a block."""
    services = acquire(var_dir, with_postgres=with_postgres, with_redis=with_redis, durable=durable)
    try:
        yield services
    finally:
        release(var_dir)


def known_urls(var_dir: Path) -> dict[str, str]:
    """The environment of the servers that run for ``var_dir`` now, {} if none does; starts nothing."""
    var_dir = var_dir.resolve()
    try:
        state = _read(var_dir)
        secrets: dict[str, str] = json.loads((var_dir / "secrets.json").read_text())
    except OSError:
        return {}
    live = {part: state[part] for part in PARTS if _answers(state, part)}
    return _services(var_dir, live, secrets).environment() if live else {}


def ended(var_dir: Path) -> list[str]:
    """Names of the servers that were started for ``var_dir`` and no longer run."""
    state = _read(var_dir)
    return [part for part in PARTS if part in state and not Process.from_json(state[part]).is_alive()]


def sweep_abandoned(prefix: str) -> None:
    """Discard folders ``<temporary folder>/<prefix>*`` of our own whose every user was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if folder.is_symlink() or not (folder / "run" / "services.json").exists():
            continue
        if folder.stat().st_uid == os.geteuid() and not _live_users(_read(folder)):
            discard(folder)


def prepare_folder(var_dir: Path) -> Path:
    """Make ``var_dir`` and what every part expects in it. Raises EmbeddedError when it cannot be written."""
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
        var_dir = var_dir.resolve()
        (var_dir / "run").mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=var_dir):
            pass
    except OSError as error:
        raise EmbeddedError(
            f"Cannot write to {var_dir} ({error.strerror}). "
            "Set SMM_VAR_DIR to a folder that you may write, or change the permissions of this one."
        ) from error
    return var_dir


@contextlib.contextmanager
def _locked(var_dir: Path) -> Iterator[None]:
    (var_dir / "run").mkdir(mode=0o700, exist_ok=True)
    with (var_dir / "run" / "services.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(var_dir: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((var_dir / "run" / "services.json").read_text())
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise EmbeddedError(
            f"The files in {var_dir} belong to another user of this machine. "
            "Run as that user, or set SMM_VAR_DIR to a folder of your own."
        ) from error
    return state


def _write(var_dir: Path, state: dict[str, Any]) -> None:
    path = var_dir / "run" / "services.json"
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(state, indent=1))
    temporary.rename(path)


def _answers(state: dict[str, Any], part: str) -> bool:
    entry = state.get(part)
    if not entry or not Process.from_json(entry).is_alive():
        return False
    return processes.accepts_connections(entry["port"])


def _live_users(state: dict[str, Any], *, but: int = 0) -> list[dict[str, Any]]:
    users = [Process.from_json(user) for user in state.get("users", [])]
    return [user.to_json() for user in users if user.pid != but and user.is_alive()]


def _services(var_dir: Path, state: dict[str, Any], secrets: dict[str, str]) -> Services:
    found = {part: state.get(part) for part in PARTS}
    return Services(
        var_dir=var_dir,
        database_url=postgres.url(found["postgres"]["port"], secrets["postgres_password"])
        if found["postgres"]
        else "",
        redis_url=redis_server.url(found["redis"]["port"], secrets["redis_password"])
        if found["redis"]
        else "",
    )


def _stop_all(var_dir: Path, state: dict[str, Any]) -> None:
    if entry := state.pop("redis", None):
        redis_server.stop(Process.from_json(entry))
    if state.pop("postgres", None):
        postgres.stop(var_dir)
