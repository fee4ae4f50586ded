"""Posts from the rows of a file, and back: chunk by chunk, each in one transaction.

A row is its own checkpoint. What became of it is written together with its post, and the post has the row's
id; so a worker may be killed at any moment, and whoever goes on does neither twice nor leaves one out. An
import that is all or nothing is one single transaction.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts.models import User
from content_calendar.import_rows import Directory, Note, PlannedRow, RowReader
from content_calendar.models import (
    Approval,
    ImportBatch,
    ImportRow,
    ImportState,
    Label,
    LabelTone,
    Post,
    RowOutcome,
    RowVerdict,
    Variant,
)
from content_calendar.selectors.imports import Images, directory_of, images_of
from content_calendar.selectors.labels import is_named
from content_calendar.selectors.states import UNDER_WAY_STATES
from content_calendar.services.drafts import (
    AccountUnknown,
    Draft,
    MediaUnknown,
    create_post,
    delete_post,
)
from content_calendar.services.import_images import AT_ONCE, fetch
from content_calendar.services.imports import (
    MADE,
    ROW_REFUSED,
    Lease,
    LeaseLost,
    Refusals,
    audit,
    drop_file,
    fence,
    finish,
    move,
)
from content_calendar.services.scheduling import schedule_post
from core.csv_reading import Row
from outbox.models import DeliveryState
from outbox.services.scheduling import has_begun

CHUNK = 25


@dataclass(frozen=True, slots=True)
class _Run:
    """One worker's present step."""

    lease: Lease
    directory: Directory
    refusals: Refusals
    actor: User
    now: dt.datetime

    @property
    def batch(self) -> ImportBatch:
        return self.lease.batch


class _Refused(Exception):
    """In an import that is all or nothing: this row cannot be taken."""

    def __init__(self, row: ImportRow) -> None:
        super().__init__(row.number)
        self.row = row


def import_step(*, lease: Lease, refusals: Refusals, now: dt.datetime) -> bool:
    """Take the next rows over. Whether there may be more to do. Raises LeaseLost."""
    batch = lease.batch
    run = _Run(lease, directory_of(batch, now), refusals, _actor(batch, batch.started_by), now)
    todo = ImportRow.objects.filter(batch=batch, outcome="").exclude(verdict=RowVerdict.ERROR)
    if batch.is_all_or_nothing:
        rows = list(todo.order_by("number"))
        if _fetch_some(run, rows):
            return True
        try:
            _take_over(run, rows)
        except _Refused as refused:
            _give_back(lease, refused.row)
            return False
    elif rows := list(todo.order_by("number")[:CHUNK]):
        if not _fetch_some(run, rows):
            _take_over(run, rows)
        return True
    finish(lease, ImportState.IMPORTING, ImportState.DONE, finished_at=now)
    audit(batch, "post.imported", run.actor, now, posts=batch.drafted + batch.scheduled)
    drop_file(batch)
    return False


def _fetch_some(run: _Run, rows: Sequence[ImportRow]) -> bool:
    """Before the transaction, because it asks other servers: the next images that these rows miss. Whether
    there were any."""
    urls = list(dict.fromkeys(url for plan in _planned(run, rows) for url in plan.urls))
    missing = sorted(images_of(run.batch, urls).not_fetched)[:AT_ONCE]
    fetch(batch=run.batch, urls=missing, actor=run.actor, now=run.now)
    return bool(missing)


def _planned(run: _Run, rows: Sequence[ImportRow]) -> list[PlannedRow]:
    reader = RowReader(run.batch.columns, run.directory)
    return [reader.read(Row(row.number, tuple(row.cells))) for row in rows]


def _take_over(run: _Run, rows: Sequence[ImportRow]) -> None:
    batch = run.batch
    planned = _planned(run, rows)
    images = images_of(batch, list(dict.fromkeys(url for plan in planned for url in plan.urls)))
    with transaction.atomic():
        fence(run.lease, ImportState.IMPORTING)
        labels = _labels(batch, planned, run.now)
        for row, plan in zip(rows, planned, strict=True):
            _make(run, row, plan, images, labels)
            if batch.is_all_or_nothing and not _is_as_planned(row, plan):
                raise _Refused(row)
        ImportRow.objects.bulk_update(rows, ["outcome", "verdict", "notes", "post", "post_version"])
        ImportBatch.objects.filter(pk=batch.pk).update(
            done=F("done") + len(rows),
            drafted=F("drafted") + _count(rows, RowOutcome.DRAFT),
            scheduled=F("scheduled") + _count(rows, RowOutcome.SCHEDULED),
            refused=F("refused") + _count(rows, RowOutcome.REFUSED),
        )


def _make(
    run: _Run, row: ImportRow, plan: PlannedRow, images: Images, labels: Mapping[str, uuid.UUID]
) -> None:
    """The post of one row. What is refused is said on the row; a post that cannot be scheduled stays a
    draft."""
    problems = [Note(True, "media", images.problems[url]) for url in plan.urls if url in images.problems]
    problems += [note for note in plan.notes if note.is_error]
    if problems:
        _refuse(row, problems)
        return
    draft = Draft(
        parts=plan.content(images.assets),
        accounts=tuple(account.pk for account in plan.accounts),
        own_parts=plan.own_content(images.assets),
        planned_at=plan.at,
        campaign=plan.campaign,
        missed=plan.missed,
        labels=tuple(labels[name.lower()] for name in plan.labels),
        settings=plan.settings,
    )
    try:
        with transaction.atomic():
            post = create_post(
                brand=run.batch.brand, author=run.actor, draft=draft, now=run.now, post_id=row.pk
            )
    except AccountUnknown:
        _refuse(row, [Note(True, "accounts", _("An account was disconnected meanwhile."))])
        return
    except MediaUnknown:
        _refuse(row, [Note(True, "media", _("An image is no longer there. Remove it or upload it again."))])
        return
    except run.refusals.kinds as refusal:
        _refuse(row, [Note(True, "", run.refusals.sentence(refusal))])
        return
    row.outcome = RowOutcome.DRAFT
    if plan.schedules and plan.at is not None:
        try:
            with transaction.atomic():
                post = schedule_post(post=post, at=plan.at, actor=run.actor, now=run.now)
            row.outcome = RowOutcome.SCHEDULED
        except run.refusals.kinds as refusal:
            said = _("It stays a draft: %(reason)s") % {"reason": run.refusals.sentence(refusal)}
            row.notes = [*row.notes, Note(False, "state", said).as_json()]
    row.post = post
    row.post_version = post.version


def _refuse(row: ImportRow, notes: Sequence[Note]) -> None:
    row.outcome, row.verdict = RowOutcome.REFUSED, RowVerdict.ERROR
    row.notes = [*row.notes, *(note.as_json() for note in notes)]


def _is_as_planned(row: ImportRow, plan: PlannedRow) -> bool:
    return row.outcome == (RowOutcome.SCHEDULED if plan.schedules else RowOutcome.DRAFT)


def _give_back(lease: Lease, row: ImportRow) -> None:
    """Nothing was imported: the batch waits again, and the row says why."""
    batch = lease.batch
    with transaction.atomic():
        fence(lease, ImportState.IMPORTING)
        ImportRow.objects.filter(pk=row.pk).update(
            verdict=RowVerdict.ERROR, outcome="", notes=[{**note, "level": "error"} for note in row.notes]
        )
        counts = ImportRow.objects.filter(batch=batch).values_list("verdict").annotate(n=Count("pk"))
        by_verdict = dict(counts.order_by())
        finish(
            lease,
            ImportState.IMPORTING,
            ImportState.READY,
            problem=ROW_REFUSED,
            problem_detail=str(row.number),
            ok=by_verdict.get(RowVerdict.OK, 0) + by_verdict.get(RowVerdict.WARNING, 0),
            warned=by_verdict.get(RowVerdict.WARNING, 0),
            refused=by_verdict.get(RowVerdict.ERROR, 0),
        )


def _labels(batch: ImportBatch, planned: Sequence[PlannedRow], now: dt.datetime) -> dict[str, uuid.UUID]:
    """The labels that these rows name, by their names in lower case; new ones are made."""
    names = {name.lower(): name for plan in planned if not plan.has_errors for name in plan.labels}
    if not names:
        return {}
    present = {name.lower() for name in Label.objects.for_brand(batch.brand).values_list("name", flat=True)}
    fresh = [
        Label(brand=batch.brand, name=name, tone=LabelTone.GREY, created_at=now)
        for key, name in names.items()
        if key not in present
    ]
    Label.objects.bulk_create(fresh, ignore_conflicts=True)
    rows = Label.objects.for_brand(batch.brand).values_list("name", "pk")
    found = {name.lower(): pk for name, pk in rows if name.lower() in names}
    # Of those that somebody else made at the same moment, theirs are used.
    made = [str(label.pk) for label in fresh if label.pk in found.values()]
    if made:
        batch.labels_made = [*batch.labels_made, *made]
        ImportBatch.objects.filter(pk=batch.pk).update(labels_made=batch.labels_made)
    for key in names.keys() - found.keys():
        # To the database it is one that is there: both do not know the same small letters of every language.
        same = Label.objects.for_brand(batch.brand).alias(small=Lower("name"))
        found[key] = same.values_list("pk", flat=True).get(small=Lower(Value(names[key])))
    return found


def _count(rows: Sequence[ImportRow], outcome: RowOutcome) -> int:
    return sum(row.outcome == outcome for row in rows)


def _actor(batch: ImportBatch, person: User | None) -> User:
    """Who said yes. Raises LeaseLost when their account is gone: nothing is done in nobody's name."""
    if person is None:
        move(batch, (batch.state,), ImportState.STOPPED, problem="nobody")
        raise LeaseLost
    return person


# --- and back ---------------------------------------------------------------------------------


def undo_step(*, lease: Lease, refusals: Refusals, now: dt.datetime) -> bool:
    """Take the next posts back: those that were neither sent nor changed since are deleted, and what was in
    the schedule is cancelled. Whether there may be more to do. Raises LeaseLost."""
    batch = lease.batch
    actor = _actor(batch, batch.undone_by)
    with transaction.atomic():
        fence(lease, ImportState.UNDOING)
        rows = list(ImportRow.objects.filter(batch=batch, outcome__in=MADE).order_by("number")[:CHUNK])
        for row in rows:
            _take_back(row, refusals, actor, now)
        ImportRow.objects.bulk_update(rows, ["outcome", "notes"])
        if rows:
            ImportBatch.objects.filter(pk=batch.pk).update(
                done=F("done") + len(rows),
                undone=F("undone") + _count(rows, RowOutcome.UNDONE),
                kept=F("kept") + _count(rows, RowOutcome.KEPT),
            )
            return True
        finish(lease, ImportState.UNDOING, ImportState.UNDONE)
        _remove_labels(batch)
        audit(batch, "post.import_undone", actor, now, posts=batch.undone, kept=batch.kept)
    return False


def _remove_labels(batch: ImportBatch) -> None:
    """Those that the import made and nobody has taken up: no post has them but the ones that were taken back,
    no template, series or evergreen entry, no saved filter or subscription, and they are named and coloured
    as they were made."""
    ours = ImportRow.objects.filter(batch=batch, outcome=RowOutcome.UNDONE).values("post_id")
    made = Label.objects.for_brand(batch.brand).filter(pk__in=batch.labels_made, tone=LabelTone.GREY)
    rows = made.select_for_update(of=("self",)).exclude(
        Exists(Post.labels.through.objects.filter(label_id=OuterRef("pk")).exclude(post_id__in=ours))
    )
    gone = [label.pk for label in rows if not is_named(label)]
    Label.objects.filter(pk__in=gone).delete()


def _take_back(row: ImportRow, refusals: Refusals, actor: User, now: dt.datetime) -> None:
    post = Post.objects.select_for_update(of=("self",)).filter(pk=row.post_id or row.pk).first()
    if post is None or post.deleted_at is not None:
        row.outcome = RowOutcome.UNDONE
        return
    if reason := _reason_to_keep(post, row):
        row.outcome = RowOutcome.KEPT
    else:
        try:
            with transaction.atomic():
                delete_post(post=post, actor=actor, now=now)
            row.outcome = RowOutcome.UNDONE
        except refusals.kinds as refusal:
            row.outcome, reason = RowOutcome.KEPT, refusals.sentence(refusal)
    if reason:
        row.notes = [*row.notes, Note(False, "", reason).as_json()]


def _reason_to_keep(post: Post, row: ImportRow) -> str:
    deliveries: list[Any] = [
        variant.delivery
        for variant in Variant.objects.filter(post=post, delivery__isnull=False).select_related("delivery")
    ]
    if any(one.state == DeliveryState.SENT for one in deliveries):
        return _("Kept: it is published, at least in part.")
    if any(one.state in UNDER_WAY_STATES or has_begun(one) for one in deliveries):
        return _("Kept: it is being sent.")
    if post.version != row.post_version or post.approval == Approval.READY:
        return _("Kept: somebody changed it after the import.")
    return ""
