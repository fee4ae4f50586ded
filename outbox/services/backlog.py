"""What becomes of the posts that fell due while sending was paused: a person says it, for each or for all.

Ending a pause marks them (``outbox.services.pauses.end_pause``): they stay held, whatever the tick does,
until somebody decides. Each decision locks its rows and takes only those that are undecided still, so two
people who decide at once decide about different posts.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models import Case, DateTimeField, QuerySet, Value, When

from accounts.models import Organization, User
from accounts.services.audit import record
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryState, HeldReason, ReceiptEvent, ReceiptKind
from outbox.selectors import quiet_spans, taken_times
from outbox.services.transitions import move_many, note
from outbox.spreading import Spread, Waiting, spread_times

# Decided at one time; with more the page says so, and the rest is decided in the next turn.
MOST = 5000
_CHUNK = 500


class Decision(enum.StrEnum):
    SEND = "send"  # now, however late it is
    SKIP = "skip"  # not at all; it can still be sent from its page
    PLAN = "plan"  # at another time


class PlannedInThePast(Exception):
    """A time that was chosen is over."""


def decide(
    *,
    organization: Organization,
    rows: QuerySet[Delivery],
    decision: Decision,
    at: dt.datetime | None = None,
    actor: User,
    now: dt.datetime,
) -> int:
    """Send, skip or (``at``) plan anew those of ``rows`` that nobody has decided about. Returns how many."""
    if decision is Decision.PLAN and (at is None or at < now):
        raise PlannedInThePast
    with transaction.atomic():
        ids = [row.pk for row in _lock(rows)]
        if decision is Decision.SKIP:
            _skip(ids, actor, now)
        else:
            _plan(dict.fromkeys(ids, at or now), actor, now)
        _audit(organization, decision, len(ids), actor, now)
    return len(ids)


def spread_backlog(
    *,
    organization: Organization,
    rows: QuerySet[Delivery],
    spread: Spread,
    start: dt.datetime,
    actor: User,
    now: dt.datetime,
) -> int:
    """Plan those of ``rows`` that nobody has decided about over free slots from ``start`` on.

    Raises PlannedInThePast where ``start`` is over (a preview that stood too long), TooLongToSpread.
    """
    if start < now:
        raise PlannedInThePast
    with transaction.atomic():
        times = preview_spread(rows=_lock(rows), spread=spread, start=start)
        _plan(times, actor, now)
        _audit(organization, "spread", len(times), actor, now)
    return len(times)


def preview_spread(
    *, rows: Sequence[Delivery], spread: Spread, start: dt.datetime
) -> dict[UUID, dt.datetime]:
    """The times that ``spread_backlog`` gives, by delivery, in the order of ``rows`` (with their brands).
    Raises TooLongToSpread."""
    backlog = [Waiting(row.pk, row.account_id, row.brand_id, row.brand.timezone) for row in rows]
    accounts = {one.account_id for one in backlog}
    taken = taken_times(accounts, since=start - spread.step)
    quiet = quiet_spans({one.brand_id for one in backlog}, since=start)
    return spread_times(backlog, spread, start=start, taken=taken, quiet=quiet)


def _lock(rows: QuerySet[Delivery]) -> list[Delivery]:
    """The rows as they are now, until the transaction ends. Locked in the order of their ids, so that two
    people never wait for each other; given back in the order in which they fell due."""
    undecided = rows.filter(state=DeliveryState.HELD, held_reason=HeldReason.UNDECIDED)
    first = list(undecided.order_by("due_at", "pk").values_list("pk", flat=True)[:MOST])
    locked = (
        Delivery.objects.select_for_update(of=("self",))
        .filter(pk__in=first, state=DeliveryState.HELD, held_reason=HeldReason.UNDECIDED)
        .select_related("brand")
        .defer("payload")
        .order_by("pk")
    )
    return sorted(locked, key=lambda row: (row.due_at, row.pk))


def _plan(times: Mapping[UUID, dt.datetime], actor: User, now: dt.datetime) -> None:
    """Back into the schedule. How late they are counts from the new time."""
    waiting = iter(times.items())
    while chunk := dict(islice(waiting, _CHUNK)):
        at = Case(
            *(When(pk=pk, then=Value(time)) for pk, time in chunk.items()), output_field=DateTimeField()
        )
        move_many(
            chunk,
            DeliveryState.SCHEDULED,
            held_reason="",
            due_at=at,
            next_attempt_at=at,
            failures=0,
            error="",
            error_detail="",
        )
        ReceiptEvent.objects.bulk_create(
            [
                note(pk, ReceiptKind.RESUMED, at=now, detail={"due_at": time.isoformat()}, actor=actor)
                for pk, time in chunk.items()
            ]
        )


def _skip(ids: Sequence[UUID], actor: User, now: dt.datetime) -> None:
    why = StopReason.SKIPPED
    move_many(ids, DeliveryState.MISSED, held_reason="", error=why, error_detail="")
    ReceiptEvent.objects.bulk_create(
        [note(pk, ReceiptKind.MISSED, at=now, detail={"error": why}, actor=actor) for pk in ids]
    )


def _audit(organization: Organization, decision: str, count: int, actor: User, now: dt.datetime) -> None:
    if count:
        record(
            organization=organization,
            actor=actor,
            action="sending.decided",
            subject=organization,
            detail={"decision": str(decision), "entries": count},
            now=now,
        )
