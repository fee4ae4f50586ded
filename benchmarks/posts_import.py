"""A file of 50,000 posts as CSV and as XLSX: the dry run, beside reading the file alone; then the import of a
part of it, its undo, and the export.

``csv_dry_s`` and ``xlsx_dry_s``: the dry run of all rows (the goal is under 60 s on two idle
cores; ``csv_dry_cpu_s`` is what our process needed of it). ``ratio``: of reading the same CSV with the csv
module alone to the dry run. ``import_per_s`` and ``undo_per_s``: scheduled posts a second, each with a
delivery on every account (``accounts``). ``lost`` and ``doubled`` compare the posts with the file.
``csv_export_s`` and ``xlsx_export_s``: of all posts that are there then. ``peak_mib`` is what the process's
memory grew by.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import resource
import time
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.stage import staged
from benchmarks.world import Size, World, fill, say

_WORDS = "珈琲豆が入荷しました。週末は新しい焙煎をお試しください。 A new roast for the weekend, with plum. "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--imported", type=int, default=2_000)


def run(options: argparse.Namespace) -> dict[str, Any]:
    with staged():
        world = fill(
            Size(
                brands=1,
                deliveries=20_000,
                snapshots=200,
                people=500,
                messages=200,
                conversions=200,
                clicks=200,
            )
        )
        before = _peak_mib()
        figures = _dry_runs(world, options.rows) | _there_and_back(world, options.imported)
        figures |= _exports(world)
        return {**figures, "peak_mib": round(_peak_mib() - before, 1), "rows": options.rows}


def _dry_runs(world: World, rows: int) -> dict[str, Any]:
    text = _csv(_rows(rows))
    say("reading alone")
    csv_s = _seconds(lambda: sum(1 for _row in csv.reader(io.StringIO(text, newline=""))))
    say("CSV: the dry run")
    cpu = time.process_time()
    csv_dry_s = _seconds(lambda: _checked(world, text.encode(), rows))
    cpu = time.process_time() - cpu
    content = _xlsx(_rows(rows))
    say("XLSX: the dry run")
    xlsx_dry_s = _seconds(lambda: _checked(world, content, rows))
    return {
        "csv_dry_s": round(csv_dry_s, 1),
        "csv_dry_cpu_s": round(cpu, 1),
        "xlsx_dry_s": round(xlsx_dry_s, 1),
        "dry_per_s": round(rows / csv_dry_s, 1),
        "ratio": round(csv_s / csv_dry_s, 4),
    }


def _there_and_back(world: World, rows: int) -> dict[str, Any]:
    from django.utils import timezone

    from content_calendar import tasks
    from content_calendar.models import ImportRow, Post
    from content_calendar.services import imports
    from outbox.models import Delivery

    accounts = world.brands[0].social_accounts.count()
    batch = _checked(world, _csv(_rows(rows)).encode(), rows)
    say("the import")
    imports.start(
        batch=batch, is_all_or_nothing=False, may_schedule=True, actor=world.owner, now=timezone.now()
    )
    deliveries = Delivery.objects.count()
    import_s = _seconds(lambda: tasks.work_on_import(batch_id=str(batch.pk)))
    of_rows = ImportRow.objects.filter(batch=batch).values("post")
    made = Post.objects.filter(pk__in=of_rows).count()
    assert Delivery.objects.count() - deliveries == rows * accounts, "not every row has its delivery"
    batch.refresh_from_db()
    say("the undo")
    imports.undo(batch=batch, actor=world.owner, now=timezone.now())
    undo_s = _seconds(lambda: tasks.work_on_import(batch_id=str(batch.pk)))
    assert not Post.objects.filter(pk__in=of_rows, deleted_at__isnull=True).exists()
    return {
        "import_per_s": round(rows / import_s, 1),
        "undo_per_s": round(rows / undo_s, 1),
        "accounts": accounts,
        "lost": max(rows - made, 0),
        "doubled": max(made - rows, 0),
    }


def _exports(world: World) -> dict[str, Any]:
    from content_calendar.models import Post
    from core.csv_writing import csv_response
    from core.xlsx_writing import xlsx_response

    say("the exports")
    return {
        "exported": Post.objects.filter(brand=world.brands[0], deleted_at__isnull=True).count(),
        "csv_export_s": round(_seconds(lambda: _sent(world, csv_response)), 1),
        "xlsx_export_s": round(_seconds(lambda: _sent(world, xlsx_response)), 1),
    }


def _sent(world: World, respond: Callable[..., Any]) -> None:
    from accounts.models import Membership
    from content_calendar.selectors.exports import posts_table
    from content_calendar.selectors.posts import PostFilter

    membership = Membership.objects.get(user=world.owner)
    table = posts_table(membership, world.brands[0], PostFilter(), language="en")
    for _part in respond("posts", table.header, table.rows).streaming_content:
        pass


def _checked(world: World, content: bytes, rows: int) -> Any:
    """Through the task, as a worker does it."""
    from django.utils import timezone

    from content_calendar import tasks
    from content_calendar.models import ImportState
    from content_calendar.services import imports

    batch = imports.receive(
        brand=world.brands[0],
        upload=io.BytesIO(content),
        name="plan",
        schedules=True,
        may_schedule=True,
        language="ja",
        actor=world.owner,
        now=timezone.now(),
    )
    tasks.work_on_import(batch_id=str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.rows, batch.refused) == (ImportState.READY, rows, 0), batch.problem
    return batch


# --- the files --------------------------------------------------------------------------------


def _rows(count: int) -> Iterable[tuple[str, ...]]:
    """One post every ten minutes, on every account, with two labels."""
    start = dt.datetime.now(dt.UTC).replace(hour=0, minute=0) + dt.timedelta(days=200)
    yield ("date", "time", "text", "accounts", "labels", "state")
    for number in range(count):
        at = start + number * dt.timedelta(minutes=10)
        yield (f"{at:%Y-%m-%d}", f"{at:%H:%M}", f"{_WORDS} {number}", "all", "Beans; Weekend", "schedule")


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def _xlsx(rows: Iterable[tuple[str, ...]]) -> bytes:
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
