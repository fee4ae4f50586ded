"""``python -m smmapp.run`` starts everything; with the name of one part it becomes that part (containers do).

PORT (8000), SMM_VAR_DIR (./var) and DEMO (1) are honoured; with DATABASE_URL and REDIS_URL set, those
servers are used and none is started.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import redis

from smmapp import embedded, heartbeats
from smmapp.embedded import processes
from smmapp.environment import BASE_DIR, secret, var_dir
from smmapp.run import parts
from smmapp.run.parts import Part
from smmapp.run.supervisor import PartEnded, Stopped, Supervisor

READY_TIMEOUT_S = 180.0
SANDBOX_TIMEOUT_S = 30.0


class CannotRun(Exception):
    """Something on this machine is in the way; the message is a sentence for the person at the terminal."""


def main(arguments: list[str]) -> int:
    try:
        if arguments:
            become(arguments[0])
        else:
            run()
    except (Stopped, BrokenPipeError):
        # The second: whoever read our lines is gone, and with it the reason to run.
        return 0
    except (CannotRun, PartEnded, embedded.EmbeddedError) as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


def become(name: str) -> None:
    """Replace this process by one part; returns only by raising CannotRun or EmbeddedError."""
    folder = embedded.prepare_folder(var_dir())
    known: dict[str, Callable[[], Part]] = {
        "web": lambda: parts.web(_port(), os.environ.get("SMM_HOST", "0.0.0.0")),  # noqa: S104 - in a container
        "worker": parts.worker,
        "dispatch": parts.dispatch,
        "beat": lambda: parts.beat(folder),
    }
    if name not in known:
        raise CannotRun(f"There is no part {name!r}. The parts are: {', '.join(known)}.")
    command = known[name]().command
    os.execv(command[0], command)  # noqa: S606 - the command is ours


def run() -> None:
    """Start all parts and stay until one ends or a signal comes."""
    port, host = _port(), os.environ.get("SMM_HOST", "127.0.0.1")
    _check_port(host, port)
    folder = embedded.prepare_folder(var_dir())
    supervisor = Supervisor(
        BASE_DIR,
        {
            **os.environ,
            "PORT": str(port),
            "SMM_VAR_DIR": str(folder),
            "SMM_LOCAL": "1",
            "PYTHONUNBUFFERED": "1",
        },
    )
    # Before anything starts, so that an early Ctrl-C leaves nothing behind.
    supervisor.handle_signals()
    with contextlib.ExitStack() as stack:
        stack.callback(supervisor.stop)
        supervisor.finish(_python("frontend", "-m", "smmapp.frontend"))
        supervisor.finish(_python("messages", "-m", "core.messages", "compile"))
        supervisor.environment |= _servers(stack, folder)
        # Once more, because the parts must be gone before the servers that they use are stopped.
        stack.callback(supervisor.stop)
        _start_sandbox(supervisor, folder)
        supervisor.finish(_python("prepare", "-m", "smmapp.run.prepare"))
        _forget_heartbeats(supervisor.environment)
        for part in (parts.web(port, host), parts.worker(), parts.dispatch(), parts.beat(folder)):
            supervisor.start(part)
        if not supervisor.run(until=lambda: _is_healthy(port), timeout_s=READY_TIMEOUT_S):
            raise CannotRun(
                f"The application did not become ready in {READY_TIMEOUT_S:.0f} s; its log is above."
            )
        supervisor.say(f"READY http://127.0.0.1:{port}")
        for line in _how_to_sign_in(folder):
            supervisor.say(line)
        supervisor.run(until=_watch_servers(folder))


def _port() -> int:
    given = os.environ.get("PORT") or "8000"
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise CannotRun(f"PORT must be a number from 1 to 65535, and is {given!r}.")
    return int(given)


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        # A port whose last connections are still closing is free for a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotRun(
                f"Port {port} cannot be used ({error.strerror}). "
                "Stop the program that listens there, or choose another one: "
                f"PORT={min(port + 1, 65535)} make run"
            ) from error


def _python(name: str, *arguments: str) -> Part:
    return Part(name, (sys.executable, *arguments))


def _servers(stack: contextlib.ExitStack, folder: Path) -> dict[str, str]:
    """The servers' addresses; ours are started where none are given, and stopped last."""
    given = {name: value for name in ("DATABASE_URL", "REDIS_URL") if (value := secret(name))}
    if len(given) < 2:
        wanted = {"with_postgres": "DATABASE_URL" not in given, "with_redis": "REDIS_URL" not in given}
        given |= stack.enter_context(embedded.running(folder, **wanted)).environment()
    return given


def _watch_servers(folder: Path) -> Callable[[], bool]:
    """For ``Supervisor.run``: raises PartEnded when an embedded server is gone."""

    def watch() -> bool:
        if gone := embedded.ended(folder):
            raise PartEnded(f"{' and '.join(gone)} ended.")
        return False

    return watch


def _start_sandbox(supervisor: Supervisor, folder: Path) -> None:
    port = _sandbox_port(folder)
    supervisor.environment["SANDBOX_URL"] = f"http://127.0.0.1:{port}"
    supervisor.start(parts.sandbox(folder, port))
    if not supervisor.run(
        until=lambda: processes.accepts_connections(port), timeout_s=SANDBOX_TIMEOUT_S, every_s=0.1
    ):
        raise CannotRun(f"The sandbox network did not start in {SANDBOX_TIMEOUT_S:.0f} s; its log is above.")


def _sandbox_port(folder: Path) -> int:
    """The port of the last run where it is free: links to posts of the sandbox stay good."""
    remembered = folder / "run" / "sandbox.port"
    try:
        port = int(remembered.read_text())
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, ValueError):
        port = processes.free_port()
        remembered.write_text(str(port))
    return port


def _how_to_sign_in(folder: Path) -> list[str]:
    """The lines that `manage.py demo_seed` left for whoever looks at the terminal."""
    if os.environ.get("DEMO", "1") == "0":
        return ["Empty installation: open the address above and sign up; the first steps are shown there."]
    login = folder / "demo-login.txt"
    return login.read_text().splitlines() if login.exists() else []


def _forget_heartbeats(environment: dict[str, str]) -> None:
    """Signs of life of an earlier run must not count for this one."""
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        client.delete(*map(heartbeats.key, (heartbeats.BEAT, *heartbeats.WORKERS)))


def _is_healthy(port: int) -> bool:
    """Whether the web answers and says that a worker has answered too."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
