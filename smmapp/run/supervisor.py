"""Starts parts, shows what they say, and stops all of them when one ends or a signal comes.

One thread only: a process forked beside threads could deadlock before it becomes what it should be,
and the child must arrange between fork and exec that it dies with us.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from smmapp.run.parts import Part

COLOURS = (36, 32, 33, 35, 34, 96, 92)
PR_SET_PDEATHSIG = 1


class Stopped(Exception):
    """A person or the system asked us to stop."""


class PartEnded(Exception):
    """A part that should run for ever did not; the message says which and how."""


@dataclass(slots=True)
class Running:
    part: Part
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    colour: int
    unfinished: bytes = b""


class Supervisor:
    def __init__(self, directory: Path, environment: dict[str, str], out: IO[str] | None = None) -> None:
        self.environment = environment
        self._directory = directory
        self._out = out or sys.stdout
        self._running: list[Running] = []
        self._selector = selectors.DefaultSelector()
        self._asked_to_stop = False
        # Signals arrive as bytes in this pipe, so that a wait for output wakes up.
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)

    def handle_signals(self) -> None:
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)

    def _note_signal(self, *_: object) -> None:
        if self._asked_to_stop:
            # Asked twice: whoever asks does not want to wait.
            for running in self._running:
                _signal_group(running.process, signal.SIGKILL)
        self._asked_to_stop = True

    def start(self, part: Part) -> None:
        process = subprocess.Popen(
            part.command,
            cwd=self._directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C goes to the whole group of the terminal; the parts are stopped by us, in order.
            start_new_session=True,
            preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - there is one thread
        )
        running = Running(part, process, _output(process), COLOURS[len(self._running) % len(COLOURS)])
        self._running.append(running)
        os.set_blocking(running.output.fileno(), False)
        self._selector.register(running.output, selectors.EVENT_READ, running)

    def finish(self, part: Part) -> None:
        """Run a part that ends by itself. Raises PartEnded when it fails, and Stopped."""
        self.start(part)
        running = self._running[-1]
        while running.process.poll() is None:
            self._wait(0.1)
            self._raise_if_over(but=running)
        self._read_rest(running)
        self._running.remove(running)
        if running.process.returncode != 0:
            raise PartEnded(f"{part.name} failed ({_how(running.process.returncode)}).")

    def run(
        self,
        *,
        until: Callable[[], bool] = lambda: False,
        timeout_s: float | None = None,
        every_s: float = 0.25,
    ) -> bool:
        """Show what the parts say until ``until``, asked every ``every_s``, is true; False when time is over.

        Raises PartEnded when a part ends, Stopped when a signal came.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while deadline is None or time.monotonic() < deadline:
            self._wait(every_s)
            self._raise_if_over()
            if until():
                return True
        return False

    def stop(self) -> None:
        """Stop the parts in the reverse order of their start, killing what does not end in its time."""
        for running in reversed(self._running):
            _signal_group(running.process, signal.SIGTERM, only_leader=True)
            deadline = time.monotonic() + running.part.stop_after_s
            while running.process.poll() is None:
                if time.monotonic() > deadline:
                    limit = f"{running.part.stop_after_s:.0f} s"
                    self.say(f"{running.part.name} did not stop in {limit} and was killed.")
                    break
                with contextlib.suppress(BrokenPipeError):
                    self._wait(0.05)
            # What a part leaves behind in its group goes too.
            _signal_group(running.process, signal.SIGKILL)
            running.process.wait()
            with contextlib.suppress(BrokenPipeError):
                self._read_rest(running)
        self._running.clear()

    def say(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            print(line, file=self._out, flush=True)

    def _raise_if_over(self, *, but: Running | None = None) -> None:
        if self._asked_to_stop:
            raise Stopped
        for running in self._running:
            if running is not but and running.process.poll() is not None:
                self._read_rest(running)
                raise PartEnded(f"{running.part.name} ended ({_how(running.process.returncode)}).")

    def _wait(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        for key, _events in self._selector.select(max(0.0, deadline - time.monotonic())):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
            else:
                self._read(key.data)

    def _read(self, running: Running) -> bool:
        """Show the whole lines that came; False when there was nothing to read."""
        try:
            chunk = os.read(running.output.fileno(), 65536)
        except BlockingIOError:
            return False
        if not chunk:
            with contextlib.suppress(KeyError):
                self._selector.unregister(running.output)
            return False
        *lines, running.unfinished = (running.unfinished + chunk).split(b"\n")
        for line in lines:
            self._show(running, line)
        return True

    def _read_rest(self, running: Running) -> None:
        if running.output.closed:
            return
        while self._read(running):
            pass
        if running.unfinished:
            self._show(running, running.unfinished)
            running.unfinished = b""
        with contextlib.suppress(KeyError):
            self._selector.unregister(running.output)
        running.output.close()

    def _show(self, running: Running, line: bytes) -> None:
        name = f"{running.part.name:<8} |"
        if self._out.isatty():
            name = f"\x1b[{running.colour}m{name}\x1b[0m"
        print(name, line.decode(errors="replace").rstrip(), file=self._out, flush=True)


@contextlib.contextmanager
def supervising(directory: Path, environment: dict[str, str]) -> Iterator[Supervisor]:
    """A supervisor whose parts are stopped at the end of the block, however it is left."""
    supervisor = Supervisor(directory, environment)
    supervisor.handle_signals()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise ValueError("the process was started without a pipe for its output")
    return process.stdout


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """What a child does before it starts: have the kernel stop it if we are killed (Linux)."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)

    def arrange() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def _signal_group(
    process: subprocess.Popen[bytes], number: signal.Signals, *, only_leader: bool = False
) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if only_leader:
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
