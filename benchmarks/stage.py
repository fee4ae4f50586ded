"""What a benchmark runs on: real servers of its own, a migrated database, the sandbox network."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.control import SandboxControl, running_sandbox

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Stage:
    folder: Path
    sandbox: SandboxControl
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, name: str, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        self.processes.append(process)
        return process

    def stop_processes(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()


def cpu_s(pid: int) -> float:
    """Processor time (seconds) of a process and its children, those that have ended and those that live."""
    took = 0.0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            values = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(folder.name) == pid or int(values[1]) == pid:
                mine = (
                    4 if int(folder.name) == pid else 2
                )  # children that have ended count once: at their parent
                took += sum(map(int, values[11 : 11 + mine])) / os.sysconf("SC_CLK_TCK")
    return took


def postgres_pid() -> int:
    """The server behind the connection of this process."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    return int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])


@contextlib.contextmanager
def staged() -> Iterator[Stage]:
    """Servers up, database migrated, Django ready to use in this process; all gone at the end."""
    from smmapp import embedded

    folder = Path(tempfile.mkdtemp(prefix="smmapp-bench-")).resolve()
    # PostgreSQL may run as another user, who must be able to pass through.
    folder.chmod(0o711)
    (folder / "run").mkdir()
    own = not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))
    try:
        if own:
            # Durable, as in production: a commit is on the disk before it is said to be.
            os.environ.update(embedded.acquire(folder, durable=True).environment())
        with running_sandbox(data=folder / "sandbox.sqlite3") as sandbox:
            os.environ["SANDBOX_URL"] = sandbox.base_url
            os.environ["DJANGO_SETTINGS_MODULE"] = "smmapp.settings"
            os.environ["SMM_VAR_DIR"] = str(folder)
            os.environ.setdefault("SMM_LOG_LEVEL", "WARNING")
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            stage = Stage(folder, sandbox, dict(os.environ))
            try:
                yield stage
            finally:
                stage.stop_processes()
                from django.db import connections

                connections.close_all()
    finally:
        if own:
            embedded.discard(folder)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(what: str, reached: Callable[[], bool], *, timeout_s: float) -> None:
    start = time.monotonic()
    while not reached():
        if time.monotonic() - start > timeout_s:
            sys.exit(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(0.1)


def quantile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the sorted values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
