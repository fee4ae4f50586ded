"""Running content_calendar.clips: a process of its own, without our secrets, ended when it takes too long."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

# What the program may know of ours: where Python and its libraries are.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


_ENDS_WITHIN_S = 5.0  # after its last word


class ClipRefused(Exception):
    """The file cannot be used; ``problem`` is a MediaProblem."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def run_clip(
    command: str,
    *,
    timeout_s: float,
    most_bytes: int,
    tell: Callable[[float], None] | None = None,
    **given: Any,
) -> dict[str, Any]:
    """What the program says when it is done; ``tell`` hears of its progress (0 to 1). Raises ClipRefused,
    also when the program dies of the file or has not ended after ``timeout_s``."""
    arguments = json.dumps({**given, "most_bytes": most_bytes})
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "content_calendar.clips", command, arguments],
            cwd=settings.BASE_DIR,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            _kill(process)

        timer = threading.Timer(timeout_s, end)
        timer.start()
        try:
            said = _listen(process, tell)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_ENDS_WITHIN_S)
        finally:
            timer.cancel()
            _kill(process)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        errors.seek(0)
        words = errors.read(2000).decode(errors="replace").strip()
    if "done" in said:
        done: dict[str, Any] = said["done"]
        return done
    problem = "too_slow" if is_late.is_set() else str(said.get("problem", "broken"))
    logger.info("clip %s refused: %s (status %s) %s", command, problem, process.returncode, words)
    raise ClipRefused(problem)


def _listen(process: subprocess.Popen[str], tell: Callable[[float], None] | None) -> dict[str, Any]:
    """The last line that is no progress; {} when the program died without one."""
    if process.stdout is None:
        return {}
    for line in process.stdout:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if not isinstance(said, dict):
            continue
        if "progress" not in said:
            return said
        if tell is not None:
            tell(float(said["progress"]))
    return {}


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
