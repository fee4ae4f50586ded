"""One installation with its servers for all tests of this folder, and browser windows on it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.stage import Installation, running_installation
from tests.support import unavailable

# The machine may be busy with other things; a page that answers is not waited for any longer than it takes.
PATIENCE_MS = 30_000
NewWindow = Callable[..., BrowserContext]


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    if not (Path(settings.BASE_DIR) / "static" / "dist" / "app.js").exists():
        unavailable("the front end is not built: `make assets`")
    # The databases 8 and up belong to the tests' own processes, which empty them all the time.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    redis_url = urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{7 - worker % 4}"))
    expect.set_options(timeout=PATIENCE_MS)
    with running_installation(
        tmp_path_factory.mktemp("installation"),
        database_url=os.environ["DATABASE_URL"],
        redis_url=redis_url,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def window(browser: Browser, installation: Installation) -> Iterator[NewWindow]:
    """``window(**options)``: a browser window with cookies of its own, open until the module is done."""
    with contextlib.ExitStack() as stack:

        def opened(**options: object) -> BrowserContext:
            given = {"viewport": {"width": 1440, "height": 900}, "locale": "en-US"} | options
            context = browser.new_context(base_url=installation.url, **given)  # type: ignore[arg-type]
            context.set_default_timeout(PATIENCE_MS)
            stack.callback(context.close)
            return context

        yield opened
