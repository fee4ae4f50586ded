"""Files of 50,000 conversions and of 50,000 costs: the dry run and the import, beside the least that any
program would have to do.

``ratio``: rows per second that the import of conversions takes over, to those of *bare*: reading the file
with the csv module alone, and a raw COPY of every row that the import wrote (conversions, refunds, people,
touches, stages, timelines) into the same tables. ``dry_ratio``: those of the dry run to reading alone.
``spend_...``: the same for costs. ``lost`` and ``doubled`` compare what is stored with the file; ``steps``
counts how often the page could see that the import had come further; ``peak_mib`` is what the process's
memory grew by.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import resource
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.stage import staged
from benchmarks.world import Size, World, fill, say

# Written by an import of conversions; in an order in which foreign keys hold.
_TABLES = (
    "audience_contact",
    "audience_identity",
    "campaigns_conversion",
    "campaigns_refund",
    "campaigns_touchpoint",
    "campaigns_leadstageevent",
    "audience_activity",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=50_000)


def run(options: argparse.Namespace) -> dict[str, Any]:
    rows: int = options.rows
    with staged():
        size = Size(
            brands=1,
            deliveries=200,
            snapshots=200,
            people=50_000,
            messages=500,
            conversions=20_000,
            clicks=10_000,
        )
        world = fill(size)
        before = _peak_mib()
        conversions = _conversions(world, rows)
        spend = _spend(world, rows)
        peak = _peak_mib() - before
    return {
        **conversions,
        **{f"spend_{name}": value for name, value in spend.items()},
        "peak_mib": round(peak, 1),
        "rows": rows,
    }


# --- conversions ------------------------------------------------------------------------------


def _conversions(world: World, rows: int) -> dict[str, Any]:
    from django.utils import timezone

    from campaigns.models import Conversion, CsvImport, Refund
    from campaigns.services import conversion_imports
    from campaigns.services.imports import start
    from core.ids import uuid7

    brand, now = world.brands[0], timezone.now()
    text = _file_of_conversions(world, rows)
    batch = conversion_imports.receive(
        brand=brand,
        campaign=None,
        upload=io.BytesIO(text.encode()),
        name="orders.csv",
        actor=world.owner,
        now=now,
    )
    say("conversions: the dry run")
    steps: list[int] = []
    dry_s = _seconds(lambda: conversion_imports.check(batch=batch, now=now, progress=steps.append))
    expected = CsvImport.objects.get(pk=batch.pk)
    say("conversions: the import")
    start(batch=batch, now=now)
    mark = uuid7()
    steps = []
    ours_s = _seconds(
        lambda: conversion_imports.carry_out(batch=batch, actor=world.owner, now=now, progress=steps.append)
    )
    done = CsvImport.objects.get(pk=batch.pk)
    assert (done.state, done.added, done.known, done.refused_count) == (
        CsvImport.State.DONE,
        expected.added,
        expected.known,
        expected.refused_count,
    ), "the import did not do what the dry run said"
    stored = Conversion.objects.filter(csv_import=batch).count() + Refund.objects.count()
    say("conversions: bare")
    csv_s = _seconds(lambda: _read(text))
    copy_s = _copied(_TABLES, mark)
    return {
        "ratio": round((csv_s + copy_s) / ours_s, 3),
        "dry_ratio": round(csv_s / dry_s, 3),
        "per_s": round(rows / ours_s, 1),
        "dry_per_s": round(rows / dry_s, 1),
        "bare_per_s": round(rows / (csv_s + copy_s), 1),
        "csv_per_s": round(rows / csv_s, 1),
        "lost": max(rows - done.known - done.refused_count - stored, 0),
        "doubled": max(stored - (rows - done.known - done.refused_count), 0),
        "steps": len(set(steps)),
    }


def _file_of_conversions(world: World, rows: int) -> str:
    """As a shop writes it: seven sales, two leads and a refund in ten rows, everybody comes twice, half
    of them have a customer number, and one row of ten came by a click."""
    from campaigns.conversion_rows import COLUMNS
    from campaigns.models import Click

    codes = [campaign.code for campaign in world.campaigns]
    clicks = list(Click.objects.filter(is_bot=False).order_by("pk").values_list("key", "at")[: rows // 10])
    start = world.now - dt.timedelta(days=60)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for number in range(rows):
        at = start + number * dt.timedelta(days=60) / (rows + 1)
        local = f"{at.astimezone(dt.timezone(dt.timedelta(hours=9))):%Y-%m-%d %H:%M:%S}"
        place = number % 10
        if place == 9:
            writer.writerow(
                [f"R-{number}", "refund", local, 500, "JPY", "", "", "", "", "", f"S-{number - 9}"]
            )
            continue
        person = number // 2
        email, customer = f"person{person}@example.com", f"C{person}" if person % 2 else ""
        value = f"{1000 + number % 9000:,}" if place < 7 else ""
        click = ""
        if place == 3 and clicks:
            key, clicked_at = clicks[number // 10 % len(clicks)]
            click = str(key) if clicked_at < at else ""
        writer.writerow(
            [
                f"{'S' if place < 7 else 'L'}-{number}",
                "sale" if place < 7 else "lead",
                local,
                value,
                "JPY",
                email,
                customer,
                f"Person {person}",
                codes[number % len(codes)],
                click,
                "",
            ]
        )
    return file.getvalue()


# --- spend ------------------------------------------------------------------------------------


def _spend(world: World, rows: int) -> dict[str, Any]:
    from django.utils import timezone

    from campaigns.models import CsvImport
    from campaigns.services import imports
    from core.ids import uuid7

    campaign, now = world.campaigns[0], timezone.now()
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["date", "amount", "kind", "network", "note"])
    for number in range(rows):
        day = campaign.starts_on + dt.timedelta(days=number % 60)
        writer.writerow([day, f"{number % 900 + 1:,}", "media", "sandbox", f"row {number}"])
    text = file.getvalue()
    batch = imports.receive(
        campaign=campaign, upload=io.BytesIO(text.encode()), name="ads.csv", actor=world.owner, now=now
    )
    say("spend: the dry run")
    dry_s = _seconds(lambda: imports.check(batch=batch))
    say("spend: the import")
    imports.start(batch=batch, now=now)
    mark = uuid7()
    ours_s = _seconds(lambda: imports.carry_out(batch=batch, actor=world.owner, now=now))
    assert CsvImport.objects.get(pk=batch.pk).added == rows
    say("spend: bare")
    csv_s = _seconds(lambda: _read(text))
    copy_s = _copied(("campaigns_spendentry",), mark)
    return {
        "ratio": round((csv_s + copy_s) / ours_s, 3),
        "dry_ratio": round(csv_s / dry_s, 3),
        "per_s": round(rows / ours_s, 1),
        "dry_per_s": round(rows / dry_s, 1),
    }


# --- measuring --------------------------------------------------------------------------------


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _read(text: str) -> None:
    for _row in csv.reader(io.StringIO(text, newline="")):
        pass


def _copied(tables: Sequence[str], mark: uuid.UUID) -> float:
    """Seconds of a COPY that brings back what was written to these tables since the id ``mark`` was made; ids
    are in the order of time. In one transaction, foreign keys checked at its end."""
    from django.db import connection, transaction

    kept = {table: io.StringIO() for table in tables}
    with connection.cursor() as cursor:
        for table, file in kept.items():
            query = f"COPY (SELECT * FROM {table} WHERE id > '{mark}') TO STDOUT"  # noqa: S608 - ours
            cursor.copy_expert(query, file)
            file.seek(0)
        with transaction.atomic():
            for table in reversed(tables):
                cursor.execute(f"DELETE FROM {table} WHERE id > %s", [mark])  # noqa: S608 - ours
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")
        started = time.monotonic()
        with transaction.atomic():
            for table, file in kept.items():
                cursor.copy_expert(f"COPY {table} FROM STDIN", file)
        return time.monotonic() - started


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
