"""How long a page takes on the server, and how many statements it sends to the database.

Asked in this process by Django's test client: the application's whole stack, without the network between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.stage import quantile


class Browser:
    """Somebody who is signed in and opens pages."""

    def __init__(self, user: Any) -> None:
        from django.conf import settings
        from django.core.management import call_command
        from django.test import Client

        import smmapp.wsgi  # noqa: F401 - as in production: everything is imported before the first page
        from smmapp.frontend import build

        build()
        call_command("collectstatic", interactive=False, verbosity=0)
        settings.ALLOWED_HOSTS.append("testserver")
        self._client = Client()
        self._client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def choose(self, brand: Any) -> None:
        """As the brand switcher does."""
        session = self._client.session
        session["brand_id"] = str(brand.pk) if brand else ""
        session.save()

    def open(self, path: str, **headers: str) -> tuple[float, int, float]:
        """Seconds, statements and KiB of one answer. Raises AssertionError unless it is a page."""
        from django.db import connection

        statements = 0

        def count(execute: Callable[..., Any], *given: Any) -> Any:
            nonlocal statements
            statements += 1
            return execute(*given)

        with connection.execute_wrapper(count):
            started = time.perf_counter()
            response = self._client.get(path, headers=headers)
            size = len(response.content)
            took = time.perf_counter() - started
        assert response.status_code == 200, f"{path}: {response.status_code}"
        return took, statements, size / 1024


def measure(browser: Browser, paths: Sequence[str], *, rounds: int) -> dict[str, float]:
    """p50 and p95 in ms over ``rounds`` visits of each path, the most statements, the largest KiB."""
    for path in paths:
        browser.open(path)  # templates are read, caches are warm
    return figures_of([browser.open(path) for _ in range(rounds) for path in paths])


def figures_of(seen: Sequence[tuple[float, int, float]]) -> dict[str, float]:
    """The figures of visits as ``Browser.open`` tells them."""
    times = [took * 1000 for took, _statements, _size in seen]
    return {
        "p50_ms": round(quantile(times, 0.5), 1),
        "p95_ms": round(quantile(times, 0.95), 1),
        "queries": max(statements for _took, statements, _size in seen),
        "kib": round(max(size for _took, _statements, size in seen), 1),
    }


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Requests are not logged one by one while they are measured."""
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)
