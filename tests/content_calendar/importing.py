"""Files of posts for tests: received, checked and run in this process."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook

from accounts.models import Brand, User
from content_calendar.models import ImportBatch, ImportRow
from content_calendar.services import import_checks, import_runs, imports
from content_calendar.services.imports import Lease, Refusals
from content_calendar.views.refusals import REFUSALS, refusal_sentence
from tests.content_calendar.conftest import NOW

REFUSED = Refusals(REFUSALS, refusal_sentence)


def table(*rows: Sequence[Any], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def workbook(*rows: Sequence[Any]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def received(
    brand: Brand,
    actor: User,
    content: bytes | str,
    *,
    name: str = "plan.csv",
    schedules: bool = False,
    may_schedule: bool = True,
) -> ImportBatch:
    return imports.receive(
        brand=brand,
        upload=io.BytesIO(content.encode() if isinstance(content, str) else content),
        name=name,
        schedules=schedules,
        may_schedule=may_schedule,
        language="en",
        actor=actor,
        now=NOW,
    )


def claimed(batch: ImportBatch, now: dt.datetime = NOW) -> Lease:
    lease = imports.claim(batch_id=batch.pk, now=now)
    assert lease is not None
    return lease


def checked(brand: Brand, actor: User, content: bytes | str, **options: Any) -> ImportBatch:
    batch = received(brand, actor, content, **options)
    for _done in import_checks.check(lease=claimed(batch), now=NOW):
        pass
    batch.refresh_from_db()
    return batch


def run(lease: Lease, now: dt.datetime = NOW, refusals: Refusals = REFUSED) -> None:
    """All steps of an import."""
    while import_runs.import_step(lease=lease, refusals=refusals, now=now):
        pass


def run_back(lease: Lease, now: dt.datetime = NOW) -> None:
    """All steps of an undo."""
    while import_runs.undo_step(lease=lease, refusals=REFUSED, now=now):
        pass


def imported(batch: ImportBatch, actor: User, *, whole: bool = False, now: dt.datetime = NOW) -> ImportBatch:
    imports.start(batch=batch, is_all_or_nothing=whole, may_schedule=True, actor=actor, now=now)
    run(claimed(batch, now), now)
    batch.refresh_from_db()
    return batch


def undone(batch: ImportBatch, actor: User, now: dt.datetime = NOW) -> ImportBatch:
    imports.undo(batch=batch, actor=actor, now=now)
    run_back(claimed(batch, now), now)
    batch.refresh_from_db()
    return batch


def verdicts(batch: ImportBatch) -> list[tuple[int, str, list[str]]]:
    rows = ImportRow.objects.filter(batch=batch).order_by("number")
    return [(row.number, row.verdict, [note["text"] for note in row.notes]) for row in rows]


def said(batch: ImportBatch) -> str:
    """Everything about the only row of a file."""
    ((_number, _verdict, texts),) = verdicts(batch)
    return " ".join(texts)
