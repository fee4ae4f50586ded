"""Stopping and resuming: pauses by people, holds for accounts whose access is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from accounts.models import AccountStatus, Brand, Organization, SocialAccount, User
from accounts.services.audit import record
from outbox.models import (
    Delivery,
    DeliveryState,
    HeldReason,
    Pause,
    ReceiptEvent,
    ReceiptKind,
)
from outbox.selectors import BEGUN_SQL, PAUSED_SQL, QUIET_SQL, overdue_of
from outbox.services.backlog import MOST, Decision, decide
from outbox.services.transitions import move_many, note

BATCH = 500  # rows held or released in one transaction


class AlreadyPaused(Exception):
    """Sending is paused for this scope already."""


def pause_sending(
    *,
    organization: Organization,
    brand: Brand | None = None,
    account: SocialAccount | None = None,
    reason: str,
    actor: User,
    now: dt.datetime,
) -> Pause:
    """Stop sending for an account, a brand, or (neither given) the organization. Raises AlreadyPaused."""
    with transaction.atomic():
        scope = {"organization": organization, "brand": brand, "account": account}
        # The lock makes two people pressing at once see each other.
        Organization.objects.select_for_update().get(pk=organization.pk)
        if Pause.objects.open().filter(**scope).exists():
            raise AlreadyPaused
        pause = Pause.objects.create(**scope, reason=reason, started_by=actor, started_at=now)
        record(
            organization=organization,
            actor=actor,
            action="sending.paused",
            subject=account or brand or organization,
            detail={"reason": reason},
            now=now,
        )
    return pause


def end_pause(*, pause: Pause, actor: User, now: dt.datetime, overdue: Decision | None = None) -> int:
    """Resume. Returns how many posts had fallen due meanwhile: with ``overdue`` (send or skip) that becomes
    of all of them, else they stay held until somebody decides (``outbox.services.backlog``).

    Answers, and posts that were moved to a time that is still to come, go back into the schedule by
    themselves.
    """
    with transaction.atomic():
        # Pauses of one organization start and end one after the other: of two that end at the same moment,
        # the second sees that it was the last to stand in the way.
        Organization.objects.select_for_update().get(pk=pause.organization_id)
        row = Pause.objects.select_for_update().get(pk=pause.pk)
        if row.ended_at is not None:
            return 0
        ids = list(
            overdue_of(row, now).select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
        )
        row.ended_at, row.ended_by = now, actor
        row.save(update_fields=["ended_at", "ended_by"])
        _keep_back(ids, actor, now)
        record(
            organization=row.organization,
            actor=actor,
            action="sending.resumed",
            subject=row.account or row.brand or row.organization,
            detail={"overdue": len(ids), "decision": str(overdue or "each")},
            now=now,
        )
        if overdue is not None:
            for first in range(0, len(ids), MOST):
                decide(
                    organization=row.organization,
                    rows=Delivery.objects.filter(pk__in=ids[first : first + MOST]),
                    decision=overdue,
                    actor=actor,
                    now=now,
                )
    return len(ids)


def _keep_back(ids: Sequence[UUID], actor: User, now: dt.datetime) -> None:
    """Held until somebody decides, whatever the tick does."""
    rows = Delivery.objects.filter(pk__in=ids)
    fresh = list(rows.exclude(state=DeliveryState.HELD).values_list("pk", flat=True))
    move_many(fresh, DeliveryState.HELD, held_reason=HeldReason.UNDECIDED)
    rows.filter(state=DeliveryState.HELD).update(held_reason=HeldReason.UNDECIDED)
    detail = {"reason": HeldReason.UNDECIDED}
    ReceiptEvent.objects.bulk_create(
        [note(pk, ReceiptKind.HELD, at=now, detail=detail, actor=actor) for pk in ids]
    )


def hold_blocked(*, now: dt.datetime, limit: int = BATCH) -> int:
    """Due deliveries that may not go: ``held``, with the reason, so that people see why. Returns how many."""
    # The few accounts first: asking for each of a thousand due rows would be most of a tick.
    sql = f"""
        WITH blocked AS MATERIALIZED (
            SELECT a.id, a.status <> %(active)s AS is_lost, {PAUSED_SQL} AS is_paused
            FROM accounts_socialaccount a
            WHERE a.status <> %(active)s OR {PAUSED_SQL} OR {QUIET_SQL}
        )
        SELECT d.id, CASE WHEN blocked.is_paused THEN 'paused' WHEN blocked.is_lost THEN 'reconnect'
                          ELSE 'quiet' END
        FROM blocked JOIN outbox_delivery d ON d.account_id = blocked.id
        WHERE d.state IN ('scheduled', 'processing') AND d.next_attempt_at <= %(now)s
          AND (blocked.is_paused OR blocked.is_lost OR (d.kind = 'post' AND NOT {BEGUN_SQL}))
        LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED
    """  # noqa: S608 - only our own constants are put in
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, {"active": AccountStatus.ACTIVE, "now": now, "limit": limit})
        rows = cursor.fetchall()
        for reason in HeldReason:
            ids = [pk for pk, why in rows if why == reason]
            if ids:
                move_many(ids, DeliveryState.HELD, held_reason=reason)
                ReceiptEvent.objects.bulk_create(
                    [note(pk, ReceiptKind.HELD, at=now, detail={"reason": reason}) for pk in ids]
                )
    return len(rows)


def release_held(*, now: dt.datetime, limit: int = BATCH) -> int:
    """Held deliveries whose pause has ended or whose account works again go back into the schedule."""
    sql = f"""
        SELECT d.id
        FROM outbox_delivery d JOIN accounts_socialaccount a ON a.id = d.account_id
        WHERE d.state = 'held' AND d.held_reason IN ('', 'paused', 'reconnect')
          AND a.status = %s AND NOT {PAUSED_SQL}
        LIMIT %s FOR UPDATE OF d SKIP LOCKED
    """  # noqa: S608 - only our own constant is put in
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [AccountStatus.ACTIVE, limit])
        ids = [pk for (pk,) in cursor.fetchall()]
        if ids:
            move_many(ids, DeliveryState.SCHEDULED, held_reason="")
            ReceiptEvent.objects.bulk_create([note(pk, ReceiptKind.RESUMED, at=now) for pk in ids])
    return len(ids)


def resume_account(*, account: SocialAccount, now: dt.datetime) -> int:
    """What ``release_held`` does for one account, at once: for the page that has just reconnected it."""
    with transaction.atomic():
        ids = list(
            Delivery.objects.select_for_update(skip_locked=True)
            .filter(account=account, state=DeliveryState.HELD, held_reason=HeldReason.RECONNECT)
            .values_list("pk", flat=True)
        )
        move_many(ids, DeliveryState.SCHEDULED, held_reason="")
        ReceiptEvent.objects.bulk_create([note(pk, ReceiptKind.RESUMED, at=now) for pk in ids])
    return len(ids)
