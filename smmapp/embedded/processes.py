"""Processes known by number and birth, since a number alone is used again after a crash or a restart."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    born: str  # opaque; "" where the system does not tell

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(pid, _birth(pid) or "")

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Process:
        return cls(int(value["pid"]), str(value["born"]))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def is_alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        birth = _birth(self.pid)
        return birth is not None and self.born in ("", birth)


def _birth(pid: int) -> str | None:
    """When the process started, in the system's own words, or None if it does not run."""
    if PROC.joinpath("self/stat").exists():
        try:
            # The name in brackets may hold spaces and brackets itself, so fields count from the last one.
            fields = PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else f"{fields[19]}"
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = listed.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def command_line(pid: int) -> str:
    """The words a process was started with, or "" if it is gone or hidden."""
    try:
        return (
            PROC.joinpath(str(pid), "cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode(errors="replace")
            .strip()
        )
    except OSError:
        if PROC.joinpath("self/stat").exists():
            return ""
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()


def end(process: Process, *, timeout_s: float) -> bool:
    """Ask a process to stop and wait for it; True when it is gone."""
    if process.is_alive():
        try:
            os.kill(process.pid, signal.SIGTERM)
        except ProcessLookupError:
            return True
    deadline = time.monotonic() + timeout_s
    while process.is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def free_port() -> int:
    """A loopback TCP port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts_connections(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


def tail(path: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(path.read_text(errors="replace").strip().splitlines()[-lines:])
    except OSError:
        return ""
