"""Quiet periods: times in which no post of a brand goes out by itself, and what comes after them.

The tick holds what falls due inside (``outbox.services.pauses.hold_blocked``). What stopped a post is asked
of the periods themselves when they are over, and not kept with it: so a period that somebody moves, shortens
or takes away means what it says at that moment.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from uuid import UUID

from django.db import connection, transaction

from accounts.models import AccountStatus, Brand, User
from accounts.services.audit import record
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryState, QuietAfter, QuietPeriod, ReceiptEvent, ReceiptKind
from outbox.selectors import PAUSED_SQL, QUIET_SQL
from outbox.services.telling import tell_people
from outbox.services.transitions import move_many, note

LONGEST = dt.timedelta(days=366)
# Few at a time: for each one that is asked about, people are told.
BATCH = 100


class EndsBeforeItStarts(Exception):
    """The end is not after the beginning."""


class QuietIsOver(Exception):
    """The end lies in the past: what it held has gone its way."""


class QuietTooLong(Exception):
    """More than a year: that is a pause."""


def add_quiet_period(
    *,
    brand: Brand,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    after: QuietAfter,
    note: str = "",
    actor: User,
    now: dt.datetime,
) -> QuietPeriod:
    """From now on no post goes out inside. Raises EndsBeforeItStarts, QuietIsOver, QuietTooLong."""
    _check(starts_at, ends_at, now)
    with transaction.atomic():
        period = QuietPeriod.objects.create(
            brand=brand,
            starts_at=starts_at,
            ends_at=ends_at,
            after=after,
            note=note,
            created_by=actor,
            created_at=now,
        )
        _audit(period, "sending.quiet_added", actor, now)
    return period


def change_quiet_period(
    *,
    period: QuietPeriod,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    after: QuietAfter,
    note: str = "",
    actor: User,
    now: dt.datetime,
) -> QuietPeriod:
    """Other times, another note, another way to go on. Raises as ``add_quiet_period``, and QuietIsOver for
    one that is over already."""
    _check(starts_at, ends_at, now)
    with transaction.atomic():
        row = QuietPeriod.objects.select_for_update().get(pk=period.pk)
        if row.ends_at <= now:
            raise QuietIsOver
        row.starts_at, row.ends_at, row.after, row.note = starts_at, ends_at, after, note
        row.save(update_fields=["starts_at", "ends_at", "after", "note"])
        _audit(row, "sending.quiet_changed", actor, now)
    return row


def remove_quiet_period(*, period: QuietPeriod, actor: User, now: dt.datetime) -> None:
    """As if it had never been: what it held goes back into the schedule, with its own time."""
    with transaction.atomic():
        row = QuietPeriod.objects.select_for_update().filter(pk=period.pk).first()
        if row is not None:
            _audit(row, "sending.quiet_removed", actor, now)
            row.delete()


def _check(starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime) -> None:
    if ends_at <= starts_at:
        raise EndsBeforeItStarts
    if ends_at <= now:
        raise QuietIsOver
    if ends_at - starts_at > LONGEST:
        raise QuietTooLong


def _audit(period: QuietPeriod, action: str, actor: User, now: dt.datetime) -> None:
    record(
        organization=period.brand.organization,
        actor=actor,
        action=action,
        subject=period.brand,
        detail={
            "from": period.starts_at.isoformat(),
            "until": period.ends_at.isoformat(),
            "if_later": period.after,
            "notes": period.note,
        },
        now=now,
    )


_OVER_SQL = f"""
    SELECT d.id, over.ended_at, over.asks
    FROM outbox_delivery d
    JOIN accounts_socialaccount a ON a.id = d.account_id
    CROSS JOIN LATERAL (
        -- Every period between the moment it fell due and now stood in its way.
        SELECT max(p.ends_at) AS ended_at, coalesce(bool_or(p.after = 'ask'), false) AS asks
        FROM outbox_quietperiod p
        WHERE p.brand_id = d.brand_id AND p.starts_at <= %(now)s AND p.ends_at <= %(now)s
          AND p.ends_at > d.next_attempt_at
    ) over
    WHERE d.state = 'held' AND d.held_reason = 'quiet'
      AND a.status = %(active)s AND NOT {PAUSED_SQL} AND NOT {QUIET_SQL}
    LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED
"""  # noqa: S608 - only our own constants are put in


def release_after_quiet(*, now: dt.datetime, limit: int = BATCH) -> int:
    """Held posts whose quiet period is over: due at its end, or a person is asked, as somebody chose for it.

    Those whose period was taken away go back as they were. Returns how many.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_OVER_SQL, {"now": now, "active": AccountStatus.ACTIVE, "limit": limit})
        rows = cursor.fetchall()
        asked = [pk for pk, _ended_at, asks in rows if asks]
        by_end: dict[dt.datetime | None, list[UUID]] = defaultdict(list)
        for pk, ended_at, asks in rows:
            if not asks:
                by_end[ended_at].append(pk)
        for ended_at, ids in by_end.items():
            # How late it is counts from the end of the period: nobody wanted it any sooner.
            times = {"due_at": ended_at, "next_attempt_at": ended_at} if ended_at else {}
            detail = {"due_at": ended_at.isoformat()} if ended_at else {}
            move_many(ids, DeliveryState.SCHEDULED, held_reason="", **times)
            ReceiptEvent.objects.bulk_create(
                [note(pk, ReceiptKind.RESUMED, at=now, detail=detail) for pk in ids]
            )
        if asked:
            _ask(asked, now)
    return len(rows)


def _ask(ids: list[UUID], now: dt.datetime) -> None:
    why = StopReason.QUIET_PERIOD
    move_many(ids, DeliveryState.MISSED, held_reason="", error=why, error_detail="")
    ReceiptEvent.objects.bulk_create(
        [note(pk, ReceiptKind.MISSED, at=now, detail={"error": why}) for pk in ids]
    )
    for delivery in Delivery.objects.filter(pk__in=ids).select_related("account", "brand__organization"):
        tell_people(delivery=delivery, now=now)
