"""The long-running parts and the commands that start them, here and in containers alike."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Part:
    """One process. ``stop_after_s`` is how long it may take to finish what it does when asked to stop."""

    name: str
    command: tuple[str, ...]
    stop_after_s: float = 10.0


def web(port: int, host: str = "127.0.0.1") -> Part:
    command = (
        *_module("gunicorn"),
        "smmapp.wsgi:application",
        f"--bind={host}:{port}",
        "--worker-class=gthread",
        f"--workers={os.environ.get('SMM_WEB_WORKERS', '2')}",
        f"--threads={os.environ.get('SMM_WEB_THREADS', '8')}",
        "--graceful-timeout=5",
        "--log-level=warning",
    )
    return Part("web", command)


def worker() -> Part:
    """Publishes, fetches, counts: waits for networks most of the time, hence threads."""
    concurrency = os.environ.get("SMM_WORKER_CONCURRENCY", "16")
    return Part("worker", _worker("worker", "publish,inbox,default,metrics", concurrency), stop_after_s=30.0)


def dispatch() -> Part:
    """The ticks have a worker of their own: they must not wait behind slow uploads."""
    return Part("dispatch", _worker("dispatch", "dispatch", "2"))


def beat(var_dir: Path) -> Part:
    command = (
        *_celery(),
        "beat",
        "--loglevel=warning",
        f"--schedule={var_dir / 'run' / 'beat'}",
        "--pidfile=",
    )
    return Part("beat", command)


def sandbox(var_dir: Path, port: int) -> Part:
    command = (*_module("sandbox"), "--port", str(port), "--data", str(var_dir / "sandbox.sqlite3"))
    return Part("sandbox", command)


def _module(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name)


def _celery() -> tuple[str, ...]:
    return (*_module("celery"), "--app=smmapp", "--quiet")


def _worker(name: str, queues: str, concurrency: str) -> tuple[str, ...]:
    return (
        *_celery(),
        "worker",
        f"--hostname={name}@%h",
        f"--queues={queues}",
        f"--pool={os.environ.get('SMM_WORKER_POOL', 'threads')}",
        f"--concurrency={concurrency}",
        "--loglevel=warning",
        # Workers need not know of each other: this saves a message per worker and second.
        "--without-gossip",
        "--without-mingle",
    )
