"""``make run`` as a whole: from nothing to READY, and nothing left when it is over."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smmapp import embedded
from smmapp.embedded import processes
from smmapp.environment import BASE_DIR
from tests.processes import HeldPort
from tests.schema import fill

pytestmark = pytest.mark.integration

OWN = (
    "DATABASE_URL",
    "REDIS_URL",
    "SMM_LOCAL",
    "SMM_SECRET_KEY",
    "SMM_FIELD_KEYS",
    "SANDBOX_URL",
    "DJANGO_SETTINGS_MODULE",
)


@pytest.fixture
def var_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="smmapp-run-test-"))
    folder.chmod(0o711)
    yield folder / "var"
    embedded.discard(folder / "var")
    shutil.rmtree(folder, ignore_errors=True)


def environment(**changes: str) -> dict[str, str]:
    """Ours without what points at this test run's servers: as on a fresh machine."""
    clean = {name: value for name, value in os.environ.items() if name not in OWN}
    return {**clean, **changes}


class Run:
    """`python -m smmapp.run` as a process, with its lines as they come."""

    def __init__(self, var_dir: Path, **changes: str) -> None:
        self._held = HeldPort()
        self.port = self._held.number
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "smmapp.run"],
            cwd=BASE_DIR,
            env=environment(PORT=str(self.port), SMM_VAR_DIR=str(var_dir), **changes),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def text(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, is_true: Callable[[], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_true():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.1)

    def wait_ready(self) -> None:
        self.wait_for(lambda: any(line.startswith("READY ") for line in self.lines), 180)

    def end(self) -> int:
        code = self.process.wait(timeout=90)
        self._reader.join(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
        self._held.close()
        return code


@pytest.fixture
def start(var_dir: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start_one(**changes: str) -> Run:
        runs.append(Run(var_dir, **{"DEMO": "0", **changes}))
        return runs[-1]

    yield start_one
    for run in runs:
        if run.process.poll() is None:
            run.process.terminate()
            run.end()


def descendants_using(var_dir: Path) -> list[str]:
    """Command lines of processes that know this run's folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        if pid == os.getpid() or not processes.Process.of(pid).is_alive():
            continue
        try:
            known = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:
            known = ""
        if str(var_dir) in known or str(var_dir) in processes.command_line(pid):
            found.append(processes.command_line(pid))
    return found


def test_it_comes_up_answers_and_leaves_nothing_behind(start: Callable[..., Run], var_dir: Path) -> None:
    run = start()
    run.wait_ready()
    assert [line for line in run.lines if "READY" in line] == [f"READY http://127.0.0.1:{run.port}"]
    with urllib.request.urlopen(f"http://127.0.0.1:{run.port}/healthz", timeout=10) as answer:
        assert json.load(answer)["worker"] == "ok"
    with urllib.request.urlopen(f"http://127.0.0.1:{run.port}/user/login/", timeout=10) as answer:
        page = answer.read().decode()
    (style,) = re.findall(r'href="(/static/dist/app[^"]*\.css)"', page)
    with urllib.request.urlopen(f"http://127.0.0.1:{run.port}{style}", timeout=10) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    # A command beside it finds the same servers.
    beside = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=BASE_DIR,
        env=environment(SMM_VAR_DIR=str(var_dir)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert beside.returncode == 0, beside.stderr
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 0, run.text()
    assert descendants_using(var_dir) == []


def test_when_one_part_dies_the_others_stop_and_it_is_named(start: Callable[..., Run], var_dir: Path) -> None:
    with embedded.running(var_dir) as services:
        fill(services.database_url)  # as the start above makes it, in a second
    run = start()
    run.wait_ready()
    (worker,) = [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if "--hostname=dispatch" in processes.command_line(int(entry.name))
        and f"PORT={run.port}\0".encode() in (entry / "environ").read_bytes()
    ]
    os.kill(worker, signal.SIGKILL)
    assert run.end() == 1
    assert run.lines[-1] == "dispatch ended (signal SIGKILL)."
    assert descendants_using(var_dir) == []


def test_a_port_in_use_is_said_in_a_sentence(var_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "smmapp.run"],
            cwd=BASE_DIR,
            env=environment(PORT=str(port), SMM_VAR_DIR=str(var_dir)),
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Port {port} cannot be used")
    assert "Traceback" not in ended.stderr
    assert not var_dir.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"PORT": "http"}, "PORT must be a number"),
        ({"PORT": "70000"}, "PORT must be a number"),
        ({"SMM_VAR_DIR": "/proc/nowhere"}, "Cannot write to /proc/nowhere"),
    ],
)
def test_what_is_in_the_way_is_said_in_a_sentence(changes: dict[str, str], sentence: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "smmapp.run"],
        cwd=BASE_DIR,
        env=environment(**{"PORT": str(processes.free_port()), **changes}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(sentence)


def test_an_early_ctrl_c_leaves_nothing_behind(start: Callable[..., Run], var_dir: Path) -> None:
    run = start()
    run.wait_for((var_dir / "run" / "services.json").exists, 60)
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 0, run.text()
    assert descendants_using(var_dir) == []
