"""The dry run: every row of a file is read, judged and kept with its verdict, and nothing is made of it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from django.db import transaction

from content_calendar.import_rows import Directory, PlannedRow, RowReader
from content_calendar.models import ImportImage, ImportRow, ImportState, RowVerdict
from content_calendar.selectors.imports import (
    Judge,
    Judged,
    directory_of,
    header_of,
    images_of,
    table_of_batch,
)
from content_calendar.services.import_images import look_at
from content_calendar.services.imports import Lease, fail, fence, finish
from core.csv_reading import FileRefused
from core.kept_files import FileGone

# Rows that are looked up and stored together.
CHUNK = 500


def check(*, lease: Lease, now: dt.datetime) -> Iterator[int]:
    """Yields how many rows are judged, often enough for the lease to be renewed. A dry run that broke off
    begins anew. Sentences are in the active language. Raises LeaseLost."""
    batch = lease.batch
    with transaction.atomic():
        fence(lease, ImportState.CHECKING)
        ImportRow.objects.filter(batch=batch).delete()
        ImportImage.objects.filter(batch=batch).delete()
    directory, counts = directory_of(batch, now), Counter[str]()
    judge = Judge(directory, now)
    try:
        with table_of_batch(batch) as (_layout, rows):
            header_of(rows)
            reader = RowReader(batch.columns, directory)
            while chunk := [reader.read(row) for row in itertools.islice(rows, CHUNK)]:
                urls = _urls(chunk)
                while look_at(batch=batch, urls=urls):
                    yield counts.total()
                found = judge.judged(chunk, images_of(batch, urls))
                counts.update(one.verdict for one in found)
                _keep(lease, found, counts, directory)
                yield counts.total()
    except (FileRefused, FileGone) as refused:
        fail(lease, refused)
        return
    finish(lease, ImportState.CHECKING, ImportState.READY)


def _urls(rows: Sequence[PlannedRow]) -> list[str]:
    return list(dict.fromkeys(url for row in rows for url in row.urls))


def _keep(lease: Lease, found: Sequence[Judged], counts: Counter[str], directory: Directory) -> None:
    batch = lease.batch
    with transaction.atomic():
        fence(lease, ImportState.CHECKING)
        ImportRow.objects.bulk_create(
            [
                ImportRow(
                    batch=batch,
                    number=one.row.number,
                    cells=[cell.replace("\x00", "") for cell in one.row.cells],
                    verdict=one.verdict,
                    notes=[note.as_json() for note in one.notes],
                    gist=gist_of(one.row, directory),
                )
                for one in found
            ]
        )
        batch.rows = batch.done = counts.total()
        batch.warned, batch.refused = counts[RowVerdict.WARNING], counts[RowVerdict.ERROR]
        batch.ok = counts[RowVerdict.OK] + batch.warned
        batch.save(update_fields=["rows", "done", "ok", "warned", "refused"])


def gist_of(row: PlannedRow, directory: Directory) -> dict[str, object]:
    """What the page of the verdicts shows of a row; ``schedules``: it would stand in the schedule at once."""
    return {
        "at": row.at.isoformat() if row.at else None,
        "excerpt": row.excerpt,
        "accounts": [str(account) for account in row.accounts],
        "schedules": row.schedules and not directory.asks_approval,
    }
