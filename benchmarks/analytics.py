"""Analytics with 2,000,000 snapshots, 200,000 messages and 100,000 clicks behind it.

``views``: what its pages take on the server (``p95_ms``, ``queries``). ``ingest_ratio``: snapshots a second
that the collection writes (with the latest counts of each post, which it keeps beside them) to those of a raw
COPY of the same rows into the same table.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.pages import Browser, measure, quiet_logs
from benchmarks.stage import staged
from benchmarks.world import Size, World, fill, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--snapshots", type=int, default=2_000_000)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--clicks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=10, help="visits of each page")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with staged(), quiet_logs():
        size = Size(snapshots=options.snapshots, messages=options.messages, clicks=options.clicks)
        world = fill(size)
        say("ingest: the collection beside a raw COPY")
        ingest = _ingest(world)
        say("days and goals")
        rolled_s = _rolled(world)
        views = _measured(world, options.rounds)
    return {
        "p95_ms": max(figures["p95_ms"] for figures in views.values()),
        "queries": max(figures["queries"] for figures in views.values()),
        "views": views,
        **ingest,
        "rollup_s": round(rolled_s, 1),
        "snapshots": options.snapshots,
        "messages": options.messages,
        "clicks": options.clicks,
        "rounds": options.rounds,
    }


def _ingest(world: World) -> dict[str, float]:
    """The same snapshots, once as the collection writes them, once by COPY; neither asks a network."""
    from django.db import connection
    from django.utils import timezone

    from analytics.models import PostMetrics
    from analytics.services.collection import BATCH, _take_posts
    from connectors.base import PostMetrics as Counts

    class Network:
        """Answers at once."""

        def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Counts]:
            return {pk: Counts(likes=1, comments=2, shares=3, impressions=4) for pk in remote_ids}

    rows = 0
    ours_s = 0.0
    now = timezone.now() + dt.timedelta(minutes=1)
    for account in world.accounts:
        due = list(PostMetrics.objects.filter(account=account).select_related("delivery"))
        rows += len(due)
        started = time.monotonic()
        for start in range(0, len(due), BATCH):
            _take_posts(account, Network(), due[start : start + BATCH], now)  # type: ignore[arg-type]
        ours_s += time.monotonic() - started
    taken_at = (now + dt.timedelta(minutes=1)).isoformat()
    lines = io.StringIO(
        "".join(f"{pk}\t{taken_at}\t1\t2\t3\t4\n" for pk in PostMetrics.objects.values_list("pk", flat=True))
    )
    with connection.cursor() as cursor:
        started = time.monotonic()
        cursor.copy_expert(
            "COPY analytics_postsnapshot (delivery_id, taken_at, likes, comments, shares, impressions)"
            " FROM STDIN",
            lines,
        )
        copy_s = time.monotonic() - started
    return {
        "ingest_ratio": round(copy_s / ours_s, 3),
        "ingest_per_s": round(rows / ours_s, 1),
        "copy_per_s": round(rows / copy_s, 1),
    }


def _rolled(world: World) -> float:
    """Days are summed up as the hourly task does; how long that took for six months."""
    from django.utils import timezone

    from analytics.services.rollup import roll_up

    started = time.monotonic()
    for brand in world.brands:
        roll_up(brand=brand, now=timezone.now())
    return time.monotonic() - started


def _measured(world: World, rounds: int) -> dict[str, dict[str, float]]:
    from django.urls import reverse

    brand = world.brands[0]
    pages = {
        "operations": [reverse("analytics:operations"), f"{reverse('analytics:operations')}?days=90"],
        "marketing": [reverse("analytics:marketing"), f"{reverse('analytics:marketing')}?days=90"],
        "together": [reverse("analytics:together")],
        "accounts": [reverse("analytics:accounts")],
        "account": [reverse("analytics:account", args=[world.accounts[0].pk])],
        "campaigns": [reverse("campaigns:campaigns")],
        "campaign": [reverse("campaigns:campaign", args=[world.campaigns[0].pk])],
        "links": [reverse("campaigns:links", args=[world.campaigns[0].pk])],
        "contacts": [reverse("audience:contacts")],
    }
    browser = Browser(world.owner)
    browser.choose(brand)
    return {name: measure(browser, paths, rounds=rounds) for name, paths in pages.items()}
