"""Workers and beat as processes of their own, to be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from smmapp.run import parts

ROOT = Path(__file__).resolve().parent.parent


class HeldPort:
    """A TCP port of loopback for a server that starts later: until ``close``, nobody who asks the system for
    any free port gets it, and a server that binds it by its number (with SO_REUSEADDR, as ours do) does.

    A port that was only looked at goes to whoever starts in the meantime: preparing takes most of a minute.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number = int(self._socket.getsockname()[1])

    def close(self) -> None:
        self._socket.close()


class Processes:
    """Starts parts of the application with one environment; stops what still runs at the end."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.environment = dict(environment)
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, part: parts.Part) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{part.name}-{len(self.running)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                part.command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def start_all(self) -> subprocess.Popen[bytes]:
        """Dispatch, beat and a worker; returns the worker."""
        (self.folder / "run").mkdir(exist_ok=True)
        self.start(parts.dispatch())
        self.start(parts.beat(self.folder))
        return self.start(parts.worker())

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL: no handler runs, no connection is closed politely."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()}" for path in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


@contextlib.contextmanager
def processes(environment: Mapping[str, str], folder: Path) -> Iterator[Processes]:
    started = Processes(environment, folder)
    try:
        yield started
    finally:
        started.stop()


def wait_for(what: str, reached: Callable[[], bool], *, timeout_s: float) -> float:
    """Seconds until ``reached()``; an AssertionError that names ``what`` after the time-out."""
    start = time.monotonic()
    while not reached():
        if time.monotonic() - start > timeout_s:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - start
