"""A whole installation for the browser: gunicorn, worker, dispatch and beat beside the servers they talk to.

    with running_installation(folder) as stage:
        stage.url, stage.sandbox, stage.mastodon, stage.bluesky, stage.demo

It has a database and a Redis database of its own, so that no test's clean-up reaches it, and the demo inside.
Nothing of Django's is imported here: what a test knows it has from pages, other servers, or SQL.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import psycopg2.extras
import redis
import requests

from sandbox.control import SandboxControl, running_sandbox
from smmapp.run import parts
from tests.bluesky_network.harness import BlueskyNetwork, BlueskyUnavailable, running_bluesky
from tests.fake_mastodon import FakeMastodon, running_fake_mastodon
from tests.processes import ROOT, HeldPort, Processes, processes
from tests.schema import migrated_template

# Networks make links of names only, not of the address that a test is served at.
LINK_BASE_URL = "http://go.smm.example"
PREPARE_TIMEOUT_S = 600.0
READY_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """Everybody of the demo has the same password."""

    owner: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Installation:
    """A running one. ``bluesky`` is None where this machine cannot have one; ``bluesky_missing`` says why."""

    url: str
    folder: Path
    environment: Mapping[str, str]
    running: Processes
    sandbox: SandboxControl
    mastodon: FakeMastodon
    bluesky: BlueskyNetwork | None
    bluesky_missing: str
    demo: DemoLogin

    def call_task(self, name: str) -> None:
        """Put a Celery task into its queue, as beat does."""
        command = [sys.executable, "-m", "celery", "--app=smmapp", "--quiet", "call", name]
        _run(command, self.environment, "celery call")

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """What the database answers; changes are committed."""
        with (
            contextlib.closing(psycopg2.connect(self.environment["DATABASE_URL"])) as connection,
            connection,
            connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor,
        ):
            cursor.execute(query, parameters)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []


@contextlib.contextmanager
def running_installation(
    folder: Path, *, database_url: str, redis_url: str, with_bluesky: bool = True
) -> Iterator[Installation]:
    """Everything on free ports of 127.0.0.1, gone at the end; files go to ``folder``.

    ``database_url`` names a database of a server on which others may be made.
    """
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(contextlib.closing(HeldPort())).number
        sandbox = stack.enter_context(running_sandbox())
        mastodon = stack.enter_context(running_fake_mastodon())
        bluesky_start = _BlueskyStart(stack, database_url) if with_bluesky else None
        own = _own_database(database_url, template=migrated_template(database_url))
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "smmapp.settings",
            "DATABASE_URL": stack.enter_context(own),
            "REDIS_URL": redis_url,
            "SMM_VAR_DIR": str(folder),
            "SMM_STATIC_ROOT": "",
            "SMM_LOCAL": "1",
            "SMM_WEB_WORKERS": "1",
            "PORT": str(port),
            "SMM_BASE_URL": f"http://127.0.0.1:{port}",
            "SMM_LINK_BASE_URL": LINK_BASE_URL,
            "SANDBOX_URL": sandbox.base_url,
            "SMM_ALLOWED_PRIVATE_HOSTS": mastodon.host,
            "DEMO": "1",
        }
        (folder / "run").mkdir(parents=True, exist_ok=True)
        with redis.Redis.from_url(redis_url) as client:
            client.flushdb()
        _run([sys.executable, "-m", "smmapp.run.prepare"], environment, "prepare")
        bluesky, missing = bluesky_start.wait() if bluesky_start else (None, "not asked for")
        if bluesky:
            hosts = [mastodon.host, *bluesky.allowed_private_hosts]
            environment["SMM_ALLOWED_PRIVATE_HOSTS"] = ",".join(hosts)
            environment["SMM_CONNECTOR_BASE_URLS"] = ",".join(
                f"{k}={v}" for k, v in bluesky.base_urls.items()
            )
        running = stack.enter_context(processes(environment, folder))
        running.start(parts.web(port))
        running.start_all()
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(url, running)
        login = (folder / "demo-login.txt").read_text(encoding="utf-8")
        found = re.search(r"^Demo login: (\S+) / (\S+)", login)
        assert found, login
        yield Installation(
            url=url,
            folder=folder,
            environment=environment,
            running=running,
            sandbox=sandbox,
            mastodon=mastodon,
            bluesky=bluesky,
            bluesky_missing=missing,
            demo=DemoLogin(found[1], found[2]),
        )


class _BlueskyStart:
    """Starts the Bluesky network, with what counts and tells there, while the application is prepared: both
    take many seconds."""

    def __init__(self, stack: contextlib.ExitStack, database_url: str) -> None:
        self._database_url = database_url
        self._network: BlueskyNetwork | None = None
        self._missing = ""
        self._failure: Exception | None = None
        self._inner = stack.enter_context(contextlib.ExitStack())
        self._thread = threading.Thread(target=self._start, name="bluesky-start")
        stack.callback(self._thread.join)  # before the inner stack is closed
        self._thread.start()

    def _start(self) -> None:
        try:
            own = self._inner.enter_context(_own_database(self._database_url, "bluesky"))
            self._network = self._inner.enter_context(running_bluesky(postgres_url=own))
        except BlueskyUnavailable as error:
            self._missing = str(error)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self._failure = error

    def wait(self) -> tuple[BlueskyNetwork | None, str]:
        self._thread.join()
        if self._failure:
            raise self._failure
        return self._network, self._missing


@contextlib.contextmanager
def _own_database(url: str, what: str = "smmapp", *, template: str = "template1") -> Iterator[str]:
    """A new database on the server of ``url``, dropped at the end."""
    name = f"{what}_browser_{os.getpid()}"

    def on_server(*statements: str) -> None:
        with contextlib.closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)

    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    on_server(drop, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        on_server(drop)


def _run(command: Sequence[str], environment: Mapping[str, str], what: str) -> None:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PREPARE_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{what} failed: {done.stdout[-4000:]}")


def _wait_until_healthy(url: str, running: Processes) -> None:
    """Until /healthz says that web, worker and beat have answered."""
    give_up = time.monotonic() + READY_TIMEOUT_S
    told = "nothing"
    while time.monotonic() < give_up:
        try:
            answer = requests.get(f"{url}/healthz", timeout=5)
            if answer.status_code == 200:
                return
            told = answer.text
        except (requests.ConnectionError, requests.Timeout):
            pass  # it does not listen yet, or is still loading on a busy machine
        time.sleep(0.2)
    raise RuntimeError(f"not healthy within {READY_TIMEOUT_S:.0f} s, it says {told}\n{running.logs()}")
