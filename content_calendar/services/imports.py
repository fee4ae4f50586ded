"""Files of posts: kept, read in another way, agreed to, discarded, taken back; and who works on them.

A batch moves NAMING -> CHECKING -> READY -> IMPORTING -> DONE -> UNDOING -> UNDONE. Each move is one
conditional update, so two clicks, two tabs or two workers do it once. In CHECKING, IMPORTING and UNDOING a
worker works on it under a lease; the rows themselves say how far it got (import_checks, import_runs).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models import F, Q

from accounts.models import Brand, User
from accounts.services.audit import record
from content_calendar.import_columns import is_enough, recognised
from content_calendar.models import ImportBatch, ImportRow, ImportState, RowOutcome
from content_calendar.selectors.imports import (
    MOST_BYTES,
    UNDO_FOR,
    WORKING,
    header_of,
    table_of,
)
from core.csv_reading import FileProblem, FileRefused
from core.kept_files import FileGone, kept_file
from core.xlsx_reading import kind_of

# A worker that was killed is replaced after so long.
LEASE = dt.timedelta(seconds=120)
# So often a batch is taken up without coming further before it is stopped.
MOST_ATTEMPTS = 4
KEPT_FOR = dt.timedelta(hours=24)  # a file that nobody decides about
ROWS_KEPT_FOR = dt.timedelta(days=30)  # what stood in the cells, after the import
# All or nothing is one transaction; more rows than this would hold it for too long.
MOST_AT_ONCE = 1_000
STOPPED, ROW_REFUSED = "stopped", "row_refused"  # problems of batches besides FileProblem

State = ImportState
MADE = (RowOutcome.DRAFT, RowOutcome.SCHEDULED)  # rows that have a post


class NotWaiting(Exception):
    """The batch is not in the state that this needs: somebody else was faster, or its time is over."""


class NotWhole(Exception):
    """All or nothing was asked for, and a row is refused, or there are more than MOST_AT_ONCE."""


class LeaseLost(Exception):
    """Another worker has taken the batch over. Nothing more may be written."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """What the domain may refuse a post for, and the sentence for it. It comes from above, where the pages
    say the same."""

    kinds: tuple[type[Exception], ...]
    sentence: Callable[[Exception], str]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a person wants a file to be read; "" = found by itself."""

    encoding: str = ""
    delimiter: str = ""
    columns: tuple[str, ...] = ()
    schedules: bool = False


def receive(
    *,
    brand: Brand,
    upload: BinaryIO,
    name: str,
    schedules: bool,
    may_schedule: bool,
    language: str,
    actor: User,
    now: dt.datetime,
) -> ImportBatch:
    """Keep an uploaded file under a name that nobody can guess. It waits to be checked, or for its columns to
    be named. ``language``: of the sentences about its rows.

    Raises FileRefused when it cannot be read as a table; nothing is kept then.
    """
    size = upload.seek(0, 2)
    if size > MOST_BYTES:
        raise FileRefused(FileProblem.TOO_LARGE)
    kind = kind_of(upload)
    with table_of(upload, kind) as (layout, rows):
        header = header_of(rows)
    columns = recognised(header)
    upload.seek(0)
    key = default_storage.save(f"imports/{uuid.uuid4()}.{kind}", File(upload))
    return ImportBatch.objects.create(
        brand=brand,
        state=State.CHECKING if is_enough(columns) else State.NAMING,
        file_name=name.replace("\x00", "")[:255],
        kind=kind,
        storage_key=key,
        encoding=layout.encoding,
        delimiter=layout.delimiter,
        columns=columns,
        header=[cell[:200] for cell in header.cells],
        schedules=schedules and may_schedule,
        may_schedule=may_schedule,
        language=language,
        created_by=actor,
        created_at=now,
    )


def read_again(*, batch: ImportBatch, reading: Reading) -> ImportBatch:
    """Read the kept file in another way: its rows are checked anew. Columns that do not fit the file as it is
    read then are recognised by themselves.

    Raises NotWaiting unless it waits for its columns or a yes, FileRefused, FileGone.
    """
    with (
        kept_file(batch) as file,
        table_of(file, batch.kind, encoding=reading.encoding, delimiter=reading.delimiter) as (layout, rows),
    ):
        header = header_of(rows)
    columns: Sequence[str] = reading.columns
    words = [cell[:200] for cell in header.cells]
    if len(columns) != len(words) or words != batch.header:
        columns = recognised(header)
    changed = ImportBatch.objects.filter(pk=batch.pk, state__in=(State.NAMING, State.READY)).update(
        state=State.CHECKING if is_enough(columns) else State.NAMING,
        encoding=layout.encoding,
        delimiter=layout.delimiter,
        columns=list(columns),
        header=words,
        schedules=reading.schedules and batch.may_schedule,
        **_fresh_work(),
    )
    if not changed:
        raise NotWaiting
    batch.refresh_from_db()
    return batch


def start(
    *, batch: ImportBatch, is_all_or_nothing: bool, may_schedule: bool, actor: User, now: dt.datetime
) -> ImportBatch:
    """A person has said yes. Raises NotWaiting, NotWhole."""
    if is_all_or_nothing and (batch.refused or batch.ok > MOST_AT_ONCE):
        raise NotWhole
    values = {
        "is_all_or_nothing": is_all_or_nothing,
        "may_schedule": may_schedule and batch.may_schedule,
        "started_by": actor,
        "started_at": now,
    }
    if not move(batch, (State.READY,), State.IMPORTING, **values):
        raise NotWaiting
    return batch


def go_on(*, batch: ImportBatch) -> ImportBatch:
    """Take up again what was stopped. Raises NotWaiting."""
    state = State.IMPORTING if batch.undone_by_id is None else State.UNDOING
    if not move(batch, (State.STOPPED,), state):
        raise NotWaiting
    return batch


def discard(*, batch: ImportBatch) -> None:
    """Nothing of the file is imported. Raises NotWaiting when it is, or was dealt with already."""
    if not move(batch, (State.NAMING, State.CHECKING, State.READY), State.DISCARDED):
        raise NotWaiting
    _forget(batch)


def undo(*, batch: ImportBatch, actor: User, now: dt.datetime) -> ImportBatch:
    """Take the posts of a file back as far as they can be. Raises NotWaiting, also when it is too late."""
    if not is_undoable(batch, now):
        raise NotWaiting
    if not move(batch, (State.DONE, State.STOPPED), State.UNDOING, undone_by=actor):
        raise NotWaiting
    return batch


def is_undoable(batch: ImportBatch, now: dt.datetime) -> bool:
    has_posts = batch.drafted + batch.scheduled > 0
    began = batch.started_at is not None and now < batch.started_at + UNDO_FOR
    return batch.state in (State.DONE, State.STOPPED) and has_posts and began


def clean(*, now: dt.datetime) -> int:
    """Files that nobody decided about go away, and after a while what stood in the cells of the others."""
    gone = 0
    waiting = ImportBatch.objects.filter(
        state__in=(State.NAMING, State.READY), created_at__lt=now - KEPT_FOR
    ).exclude(storage_key="")
    for batch in waiting:
        if move(batch, (State.NAMING, State.READY), State.DISCARDED):
            _forget(batch)
            gone += 1
    old = ImportBatch.objects.filter(
        state__in=(State.DONE, State.UNDONE, State.FAILED, State.STOPPED),
        created_at__lt=now - ROWS_KEPT_FOR,
        rows__gt=0,
    )
    for batch in old.filter(import_rows__isnull=False).distinct():
        ImportRow.objects.filter(batch=batch).delete()
        gone += 1
    return gone


def _forget(batch: ImportBatch) -> None:
    ImportRow.objects.filter(batch=batch).delete()
    batch.images.all().delete()
    drop_file(batch)


def drop_file(batch: ImportBatch) -> None:
    if batch.storage_key:
        default_storage.delete(batch.storage_key)
        ImportBatch.objects.filter(pk=batch.pk).update(storage_key="")
        batch.storage_key = ""


# --- who works on it --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to write to one batch."""

    batch: ImportBatch
    key: uuid.UUID


def _fresh_work() -> dict[str, object]:
    return {
        "lease_key": None,
        "lease_until": None,
        "attempts": 0,
        "done": 0,
        "problem": "",
        "problem_detail": "",
    }


def move(batch: ImportBatch, before: Sequence[str], after: str, **values: object) -> bool:
    """From one of these states into another, free for the next worker. Whether it was in one."""
    values = _fresh_work() | {"state": after} | values
    moved = ImportBatch.objects.filter(pk=batch.pk, state__in=before).update(**values)
    batch.refresh_from_db()
    return bool(moved)


def waiting_for_work(*, now: dt.datetime) -> list[uuid.UUID]:
    """Batches that nobody works on, though somebody should."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    rows = ImportBatch.objects.filter(free, state__in=WORKING).order_by("created_at")
    return list(rows.values_list("pk", flat=True)[:100])


def claim(*, batch_id: uuid.UUID, now: dt.datetime) -> Lease | None:
    """Take the batch up, unless somebody has it or there is nothing to do. One that was taken up too often
    without coming further is stopped."""
    key = uuid.uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    rows = ImportBatch.objects.filter(free, pk=batch_id, state__in=WORKING)
    if not rows.update(lease_key=key, lease_until=now + LEASE, attempts=F("attempts") + 1):
        return None
    batch = ImportBatch.objects.select_related("brand__organization", "started_by", "undone_by").get(
        pk=batch_id
    )
    if batch.attempts > MOST_ATTEMPTS:
        if batch.state == State.CHECKING:
            move(batch, (State.CHECKING,), State.FAILED, problem=STOPPED)
            _forget(batch)
        else:
            move(batch, (batch.state,), State.STOPPED, problem=STOPPED)
        return None
    return Lease(batch, key)


def renew(*, lease: Lease, now: dt.datetime) -> None:
    """It came further. Raises LeaseLost."""
    rows = ImportBatch.objects.filter(pk=lease.batch.pk, lease_key=lease.key)
    if not rows.update(lease_until=now + LEASE, attempts=0):
        raise LeaseLost


def fence(lease: Lease, state: str) -> None:
    """Inside a transaction: nobody else has the batch until it ends. Raises LeaseLost."""
    rows = ImportBatch.objects.select_for_update(of=("self",))
    if not rows.filter(pk=lease.batch.pk, lease_key=lease.key, state=state).exists():
        raise LeaseLost


def finish(lease: Lease, before: str, after: str, **values: object) -> None:
    """The step is done. Raises LeaseLost."""
    rows = ImportBatch.objects.filter(pk=lease.batch.pk, lease_key=lease.key, state=before)
    if not rows.update(**(_fresh_work() | {"state": after} | values)):
        raise LeaseLost
    lease.batch.refresh_from_db()


def fail(lease: Lease, refused: FileRefused | FileGone) -> None:
    """The file turned out unreadable."""
    problem = str(refused.problem) if isinstance(refused, FileRefused) else "gone"
    detail = refused.detail if isinstance(refused, FileRefused) else ""
    finish(lease, State.CHECKING, State.FAILED, problem=problem, problem_detail=detail[:500])
    _forget(lease.batch)


def audit(batch: ImportBatch, action: str, actor: User | None, now: dt.datetime, **detail: object) -> None:
    record(
        organization=batch.brand.organization,
        actor=actor,
        action=action,
        subject=batch.brand,
        detail={"file": batch.file_name, **detail},
        now=now,
    )
