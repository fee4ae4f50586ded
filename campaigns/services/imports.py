"""Files of spend: kept, read as a dry run, taken over as a whole when a person says yes.

An import moves CHECKING -> READY -> RUNNING -> DONE, and to FAILED or DISCARDED from the first two. Each move
is one conditional update, so two clicks, two tabs or two workers carry out one import once. All rows come in
one transaction: whatever happens, none of them is there, or all that were found good.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from typing import BinaryIO, Protocol

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User
from accounts.services.audit import record
from campaigns.models import Campaign, CsvImport, Source, SpendEntry
from campaigns.selectors.imports import Verdict, layout_of_spend, verdicts
from core.csv_reading import FileRefused, rows_of
from core.kept_files import FileGone, kept_file

# Up to so many rows are read and imported while the person waits; more of them by a worker.
AT_ONCE = 2_000
KEPT_FOR = dt.timedelta(hours=24)
# An import that runs for so long was given up by its worker.
GIVEN_UP_AFTER = dt.timedelta(minutes=30)
MOST_REFUSED_KEPT = 200
_TELL_EVERY = 1_000
_INSERT = 2_000

State = CsvImport.State
# Is told how many rows are done so far.
Progress = Callable[[int], None]


def quietly(_rows: int) -> None:
    return None


class NotWaiting(Exception):
    """The import is not in the state that this needs: somebody else was faster, or its time is over."""


def receive(*, campaign: Campaign, upload: BinaryIO, name: str, actor: User, now: dt.datetime) -> CsvImport:
    """Keep an uploaded file of spend, under a name that nobody can guess, and count its rows.

    Raises FileRefused when it cannot be read as a table; nothing is kept then.
    """
    layout = layout_of_spend(upload)
    rows = sum(1 for _row in rows_of(upload, layout)) - 1
    upload.seek(0)
    key = default_storage.save(f"imports/{uuid.uuid4()}.csv", File(upload))
    return CsvImport.objects.create(
        brand_id=campaign.brand_id,
        campaign=campaign,
        kind=CsvImport.Kind.SPEND,
        state=State.CHECKING,
        file_name=name[:255],
        storage_key=key,
        encoding=layout.encoding,
        rows=rows,
        created_by=actor,
        created_at=now,
    )


def check(*, batch: CsvImport, progress: Progress = quietly) -> CsvImport:
    """The dry run: what every row would do, counted. A file that turns out unreadable fails, with the reason.
    One that is not being checked is left as it is."""
    campaign = _campaign(batch)
    counts = Counts()
    try:
        with kept_file(batch) as file:
            for verdict in verdicts(file, layout_of_spend(file), campaign):
                counts.add(verdict)
                if counts.rows % _TELL_EVERY == 0:
                    progress(counts.rows)
    except (FileRefused, FileGone) as refused:
        problem = refused.problem if isinstance(refused, FileRefused) else "gone"
        move(batch, State.CHECKING, State.FAILED, problem=str(problem))
        drop_file(batch)
    else:
        move(batch, State.CHECKING, State.READY, **counts.columns())
    batch.refresh_from_db()
    return batch


def start(*, batch: CsvImport, now: dt.datetime) -> CsvImport:
    """A person has said yes. Raises NotWaiting when somebody else has, or its time is over."""
    if not move(batch, State.READY, State.RUNNING, started_at=now):
        raise NotWaiting
    batch.refresh_from_db()
    return batch


def carry_out(
    *, batch: CsvImport, actor: User | None, now: dt.datetime, progress: Progress = quietly
) -> CsvImport:
    """Take the good rows over, in one transaction; the counts are of what really happened, which may differ
    from the dry run. What fails leaves everything as it was, and the import waits again.

    Raises NotWaiting unless it is running.
    """
    try:
        with transaction.atomic():
            row = CsvImport.objects.select_for_update(of=("self",)).get(pk=batch.pk)
            if row.state != State.RUNNING:
                raise NotWaiting
            campaign = _campaign(row)
            # One import of a campaign after the other: the second finds what the first has added.
            Campaign.objects.select_for_update().get(pk=campaign.pk)
            counts = _taken_over(row, campaign, actor=actor, now=now, progress=progress)
            CsvImport.objects.filter(pk=row.pk).update(state=State.DONE, **counts.columns())
            record(
                organization=campaign.brand.organization,
                actor=actor,
                action="spend.imported",
                subject=campaign,
                detail={"file": row.file_name, "entries": counts.added},
                now=now,
            )
    except NotWaiting:
        raise
    except (FileRefused, FileGone) as refused:
        problem = refused.problem if isinstance(refused, FileRefused) else "gone"
        move(batch, State.RUNNING, State.FAILED, problem=str(problem))
    except BaseException:
        move(batch, State.RUNNING, State.READY)
        raise
    batch.refresh_from_db()
    if batch.state != State.READY:
        drop_file(batch)
    return batch


def _taken_over(
    batch: CsvImport, campaign: Campaign, *, actor: User | None, now: dt.datetime, progress: Progress
) -> Counts:
    counts = Counts()
    progress(0)  # one that broke off begins anew
    entries: list[SpendEntry] = []
    with kept_file(batch) as file:
        for verdict in verdicts(file, layout_of_spend(file), campaign):
            counts.add(verdict)
            if verdict.is_new:
                entries.append(_entry(verdict, batch, campaign, actor, now))
            if len(entries) == _INSERT:
                SpendEntry.objects.bulk_create(entries)
                entries = []
            if counts.rows % _TELL_EVERY == 0:
                progress(counts.rows)
    SpendEntry.objects.bulk_create(entries)
    return counts


def discard(*, batch: CsvImport) -> None:
    """Nothing of the file is taken. Raises NotWaiting once it runs or is over."""
    if not (move(batch, State.READY, State.DISCARDED) or move(batch, State.CHECKING, State.DISCARDED)):
        raise NotWaiting
    drop_file(batch)


def clean(*, now: dt.datetime) -> int:
    """Files that nobody came back for go away, and imports that their worker gave up wait again; how many
    files went. A file that a person has said yes to stays."""
    # Whoever still works on one holds its row, and this waits for the end and finds it done.
    CsvImport.objects.filter(state=State.RUNNING, started_at__lt=now - GIVEN_UP_AFTER).update(
        state=State.READY
    )
    old = CsvImport.objects.exclude(storage_key="").filter(created_at__lt=now - KEPT_FOR)
    gone = 0
    for batch in old.exclude(state=State.RUNNING):
        if batch.state in (State.CHECKING, State.READY):
            move(batch, batch.state, State.DISCARDED)
        drop_file(batch)
        gone += 1
    return gone


class Judged(Protocol):
    """The verdict on one row of any kind of file. ``is_noted``: taken, with something to look at."""

    @property
    def row(self) -> Numbered: ...
    @property
    def faults(self) -> Sequence[Kept]: ...
    @property
    def is_known(self) -> bool: ...
    @property
    def is_noted(self) -> bool: ...


class Numbered(Protocol):
    @property
    def number(self) -> int: ...


class Kept(Protocol):
    def as_json(self, row: int) -> dict[str, object]: ...


class Counts:
    """What the rows of a file amount to."""

    def __init__(self) -> None:
        self.rows = self.added = self.known = self.noted = self.refused = 0
        self.kept: list[dict[str, object]] = []

    def add(self, verdict: Judged) -> None:
        self.rows += 1
        if verdict.faults:
            self.refused += 1
            room = MOST_REFUSED_KEPT - len(self.kept)
            self.kept += [fault.as_json(verdict.row.number) for fault in verdict.faults][:room]
        elif verdict.is_known:
            self.known += 1
        else:
            self.added += 1
            self.noted += verdict.is_noted

    def columns(self) -> dict[str, object]:
        return {
            "rows": self.rows,
            "added": self.added,
            "known": self.known,
            "noted": self.noted,
            "refused_count": self.refused,
            "refused": self.kept,
        }


def _entry(
    verdict: Verdict, batch: CsvImport, campaign: Campaign, actor: User | None, now: dt.datetime
) -> SpendEntry:
    row = verdict.row
    assert row.date is not None  # noqa: S101 - a new row has no faults
    assert row.amount is not None  # noqa: S101
    return SpendEntry(
        campaign=campaign,
        kind=row.kind,
        date=row.date,
        amount=row.amount,
        platform=row.platform,
        note=row.note,
        source=Source.CSV,
        external_id=row.external_id,
        csv_import=batch,
        created_by=actor,
        created_at=now,
    )


def _campaign(batch: CsvImport) -> Campaign:
    return Campaign.objects.select_related("brand__organization").get(csv_imports=batch)


def move(batch: CsvImport, before: str, after: str, **columns: object) -> bool:
    """From one state into another. Whether it was in the first."""
    return bool(CsvImport.objects.filter(pk=batch.pk, state=before).update(state=after, **columns))


def drop_file(batch: CsvImport) -> None:
    if batch.storage_key:
        default_storage.delete(batch.storage_key)
        CsvImport.objects.filter(pk=batch.pk).update(storage_key="")
        batch.storage_key = ""
