"""The supervisor: what it shows, and that nothing it started outlives it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smmapp.embedded.processes import Process
from smmapp.run.parts import Part
from smmapp.run.supervisor import PartEnded, Stopped, Supervisor

SLEEPS = "import time; print('up', flush=True); time.sleep(600)"


def part(name: str, script: str, *, stop_after_s: float = 5.0) -> Part:
    return Part(name, (sys.executable, "-c", textwrap.dedent(script)), stop_after_s=stop_after_s)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(tmp_path: Path, out: io.StringIO) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path, dict(os.environ), out)
    yield made
    made.stop()


def test_every_line_carries_the_name_of_its_part(supervisor: Supervisor, out: io.StringIO) -> None:
    supervisor.finish(part("first", "print('one'); print('two', end='')"))
    assert out.getvalue() == "first    | one\nfirst    | two\n"


def test_a_step_that_fails_is_named_with_its_exit_code(supervisor: Supervisor, out: io.StringIO) -> None:
    with pytest.raises(PartEnded, match=r"migrate failed \(exit code 3\)"):
        supervisor.finish(part("migrate", "print('why'); raise SystemExit(3)"))
    assert "migrate  | why" in out.getvalue()


def test_a_part_that_dies_ends_the_run_and_is_named(supervisor: Supervisor, out: io.StringIO) -> None:
    supervisor.start(part("stays", SLEEPS))
    supervisor.start(part("dies", "import os; print('last words', flush=True); os.kill(os.getpid(), 9)"))
    with pytest.raises(PartEnded, match=r"dies ended \(signal SIGKILL\)"):
        supervisor.run(timeout_s=20)
    assert "dies     | last words" in out.getvalue()


def test_a_part_that_dies_during_a_step_ends_the_run(supervisor: Supervisor) -> None:
    supervisor.start(part("sandbox", "raise SystemExit(1)"))
    with pytest.raises(PartEnded, match="sandbox ended"):
        supervisor.finish(part("migrate", SLEEPS))


def test_waiting_ends_when_the_condition_holds_or_the_time_is_over(supervisor: Supervisor) -> None:
    supervisor.start(part("stays", SLEEPS))
    answers = iter([False, True])
    assert supervisor.run(until=lambda: next(answers), timeout_s=20, every_s=0.01)
    assert not supervisor.run(timeout_s=0.05, every_s=0.01)


def test_parts_stop_in_the_reverse_order_of_their_start(supervisor: Supervisor, out: io.StringIO) -> None:
    script = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("bye", flush=True)))
        print("up", flush=True)
        time.sleep(600)
    """
    for name in ("first", "second"):
        supervisor.start(part(name, script))
    supervisor.run(until=lambda: out.getvalue().count("up") == 2, timeout_s=20, every_s=0.01)
    supervisor.stop()
    assert [line for line in out.getvalue().splitlines() if "bye" in line] == [
        "second   | bye",
        "first    | bye",
    ]


def test_a_part_that_ignores_the_signal_is_killed_with_what_it_started(
    supervisor: Supervisor, out: io.StringIO
) -> None:
    stubborn = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("child", child.pid, flush=True)
        time.sleep(600)
    """
    supervisor.start(part("stubborn", stubborn, stop_after_s=0.3))
    supervisor.run(until=lambda: "child" in out.getvalue(), timeout_s=20, every_s=0.01)
    child = Process.of(int(out.getvalue().split()[-1]))
    assert child.is_alive()
    supervisor.stop()
    assert "stubborn did not stop" in out.getvalue()
    deadline = time.monotonic() + 10
    while child.is_alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not child.is_alive()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_a_request_to_stop(supervisor: Supervisor, number: signal.Signals) -> None:
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        supervisor.handle_signals()
        supervisor.start(part("stays", SLEEPS))
        os.kill(os.getpid(), number)
        with pytest.raises(Stopped):
            supervisor.run(timeout_s=20)
    finally:
        signal.set_wakeup_fd(-1)
        for each, handler in handlers.items():
            signal.signal(each, handler)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_parts_do_not_outlive_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    script = """
        import os, sys
        from pathlib import Path
        from smmapp.run.parts import Part
        from smmapp.run.supervisor import Supervisor
        supervisor = Supervisor(Path("."), dict(os.environ))
        sleeps = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
        supervisor.start(Part("part", (sys.executable, "-c", sleeps)))
        supervisor.run()
    """
    killed = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None
    child = Process.of(int(killed.stdout.readline().split()[-1]))
    assert child.is_alive()
    killed.kill()
    killed.communicate()
    deadline = time.monotonic() + 10
    while child.is_alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not child.is_alive()
