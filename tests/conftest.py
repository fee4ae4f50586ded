"""What every test may use: real PostgreSQL and Redis, a fixed cast of people, and no other network."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import hypothesis
import pytest
from django.conf import settings
from django.utils import translation
from xdist.scheduler import LoadScopeScheduling

from tests.schema import migrated_template
from tests.support import unavailable

pytest_plugins = ["tests.cast", "tests.walk"]
# Assertions of helpers outside of test files say what was compared, too.
pytest.register_assert_rewrite(
    "tests.campaigns.ad_stage", "tests.connectors.facebook_stage", "tests.connectors.instagram_stage"
)

# How long an example takes says more about what else the machine does than about the code. Tests that say how
# many examples they want say the rest themselves.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

# All tests of such a file look at one thing that takes long to make, so one process gets them all.
TOGETHER = (
    "tests/connectors/test_bluesky_inbox_network.py",
    "tests/connectors/test_bluesky_network.py",
    "tests/smmapp/test_demo.py",
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_configure(config: pytest.Config) -> None:
    # Playwright's synchronous interface runs an event loop in the test's thread, where Django would refuse
    # the database; nothing else runs in that loop.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


class FilesTogether(LoadScopeScheduling):
    """Tests one by one to whoever is free, but those of TOGETHER by the file."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", maxsplit=1)[0]
        return path if path in TOGETHER else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesTogether | None:
    """For `--dist loadgroup`, whose own groups are lost without a word since pytest 9.2
    (pytest-dev/pytest-xdist#1386)."""
    if config.getvalue("dist") != "loadgroup":
        return None
    for path in TOGETHER:
        if not (config.rootpath / path).exists():
            raise pytest.UsageError(f"{path} of tests.conftest.TOGETHER is not there")
    return FilesTogether(config, log)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What this machine could not test is said last, where it is read."""
    reasons = sorted(
        {
            report.longrepr[2]
            for report in terminalreporter.stats.get("skipped", [])
            if isinstance(report.longrepr, tuple)
        }
    )
    if reasons:
        terminalreporter.section("NOT TESTED ON THIS MACHINE", sep="!", red=True, bold=True)
        for reason in reasons:
            terminalreporter.line(reason.removeprefix("Skipped: "))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Each process's database is a copy of one that has been migrated."""
    settings.DATABASES["default"]["TEST"]["TEMPLATE"] = migrated_template(os.environ["DATABASE_URL"])


@pytest.fixture(autouse=True)
def _only_our_servers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that would talk to anything but PostgreSQL and Redis fails at once and says where to."""
    if request.node.get_closest_marker("integration") or request.node.get_closest_marker("browser"):
        return
    redis_address = urlsplit(settings.REDIS_URL)
    database = settings.DATABASES["default"]
    allowed = {
        (redis_address.hostname, redis_address.port or 6379),
        (database["HOST"], int(database["PORT"] or 5432)),
    }
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and tuple(address[:2]) not in allowed:
            raise AssertionError(
                f"this unit test tried to connect to {address}; mark it integration or use responses"
            )
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A page that one test fetched in Japanese leaves its language active in the thread."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Rate limits, locks and queues of one test mean nothing to the next."""
    from core.redis import client

    client().flushdb()


@pytest.fixture
def celery_eager() -> Iterator[None]:
    """Tasks run at once, in the caller's process; errors are raised there."""
    from smmapp.celery import app

    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    app.conf.update(task_always_eager=before[0], task_eager_propagates=before[1])


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment of an own process (worker, beat, command) that works on this test's database.

    The test's rows are committed, so that the process sees them.
    """
    name = settings.DATABASES["default"]["NAME"]
    given = urlsplit(os.environ["DATABASE_URL"])
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "smmapp.settings",
        "DATABASE_URL": urlunsplit(given._replace(path=f"/{name}")),
        "REDIS_URL": settings.REDIS_URL,
        "SMM_LOCAL": "1",
    }


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A Chromium of this machine, or one that `playwright install chromium` put there."""
    from playwright.sync_api import sync_playwright

    for name in (os.environ.get("SMM_CHROMIUM", ""), *CHROMIUM_NAMES):
        if name and (found := shutil.which(name)):
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if not own.exists():
        unavailable(
            "no Chromium: install the package `chromium`, or run `.venv/bin/playwright install chromium`"
        )
    return own


@pytest.fixture(scope="session")
def browser_type_launch_args(chromium: Path) -> dict[str, Any]:
    """Used by pytest-playwright for its `page`, `context` and `browser`."""
    return {
        "executable_path": str(chromium),
        # Chromium's own sandbox does not work for root, nor in most containers; it opens our pages only.
        "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}, "locale": "en-US"}


@pytest.fixture
def sign_in(client: Any) -> Callable[[Any], Any]:
    """`sign_in(user)` gives Django's test client with that person signed in."""

    def as_user(user: Any) -> Any:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return as_user
