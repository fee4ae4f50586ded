"""From the schedule to the workers, and back from workers that died.

1. ``claim_due`` locks due rows (``FOR UPDATE SKIP LOCKED``, so any number of ticks may run), a handful of
   each account first, then the next handful of each, so that no account waits behind another's backlog; an
   account's answers (replies, messages, moderations) come before its posts, however late those are;
   while posts of an account are in hand no more of them are claimed: it keeps one worker's thread busy at
   most, and its posts go out one after the other;
2. it writes a lease and a new fencing token on them and commits; the caller enqueues the ids;
3. the number of rows claimed and not yet begun is bounded by what the workers can take, so that leases do not
   run out in the queue;
4. ``reap`` takes back rows whose lease ran out: their worker is dead, or lost the database for as long.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from accounts.models import AccountStatus
from outbox.errors import StopReason
from outbox.models import Attempt, AttemptState, Delivery, DeliveryState, ReceiptEvent, ReceiptKind
from outbox.selectors import BEGUN_SQL, PAUSED_SQL, QUIET_SQL
from outbox.services.transitions import move_many, note

LEASE = dt.timedelta(seconds=20)
REAP_BATCH = 500
# Of one account at most so many at a time, however many are due: the rest waits for the next round.
PER_ACCOUNT = 8
# An account's turn: it may send so many before the next account comes.
HANDFUL = 4
_CLAIM_LOCK = 0x736D6D01  # advisory lock: one claim at a time, so that the bound on claimed rows holds

_CLAIM_SQL = f"""
    WITH busy AS MATERIALIZED (
        SELECT DISTINCT account_id FROM outbox_delivery
        WHERE state IN ('claimed', 'sending') AND kind = 'post'
    ),
    pick AS MATERIALIZED (
        SELECT x.id, x.turn, x.is_post, x.next_attempt_at
        FROM accounts_socialaccount a
        LEFT JOIN outbox_bucket b ON b.key = 'account:' || a.id
        CROSS JOIN LATERAL (
            SELECT y.id, y.is_post, y.next_attempt_at,
                   row_number() OVER (ORDER BY y.is_post, y.next_attempt_at) AS turn
            FROM (
                -- Each half has an index of its own.
                (SELECT d.id, false AS is_post, d.next_attempt_at FROM outbox_delivery d
                 WHERE d.account_id = a.id AND d.state IN ('scheduled', 'processing')
                   AND d.kind IN ('reply', 'dm', 'moderation') AND d.next_attempt_at <= %(now)s
                 ORDER BY d.next_attempt_at LIMIT %(per_account)s)
                UNION ALL
                (SELECT d.id, true, d.next_attempt_at FROM outbox_delivery d
                 WHERE d.account_id = a.id AND d.state IN ('scheduled', 'processing')
                   AND d.kind = 'post' AND d.next_attempt_at <= %(now)s
                   AND a.id NOT IN (SELECT account_id FROM busy)
                   AND (NOT {QUIET_SQL} OR {BEGUN_SQL})
                 ORDER BY d.next_attempt_at LIMIT %(per_account)s)
            ) y
            ORDER BY turn LIMIT %(per_account)s
        ) x
        WHERE a.status = %(active)s
          AND (b.blocked_until IS NULL OR b.blocked_until <= %(now)s)
          AND NOT {PAUSED_SQL}
        ORDER BY (x.turn - 1) / %(handful)s, x.is_post, x.next_attempt_at
        LIMIT %(limit)s
    )
    SELECT d.id FROM outbox_delivery d JOIN pick ON pick.id = d.id
    WHERE d.state IN ('scheduled', 'processing') AND d.next_attempt_at <= %(now)s
    ORDER BY (pick.turn - 1) / %(handful)s, pick.is_post, pick.next_attempt_at
    FOR UPDATE OF d SKIP LOCKED
"""  # noqa: S608 - only our own constants are put in


class Claim(NamedTuple):
    delivery_id: UUID
    fence: int
    account_id: UUID


def queued_deliveries() -> QuerySet[Delivery]:
    """Claimed rows that wait for a worker. Those that a worker has in hand, behind another post of the same
    account, are not in the queue: a server that hangs must not use up everybody's room."""
    in_hand = Delivery.objects.filter(account=OuterRef("account"), state=DeliveryState.SENDING)
    return Delivery.objects.filter(~Exists(in_hand), state=DeliveryState.CLAIMED)


def claim_due(*, now: dt.datetime, most: int | None = None) -> list[Claim]:
    """Claim due deliveries; returns them in the order they should be sent.

    ``most`` bounds how many rows are claimed and not yet begun over all (settings.OUTBOX_MAX_CLAIMED).
    An empty answer also means that another tick is claiming at this very moment.
    """
    most = most or settings.OUTBOX_MAX_CLAIMED
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_CLAIM_LOCK])
        if not cursor.fetchone()[0]:
            return []
        waiting = queued_deliveries().count()
        # Refilled by halves, not one by one: what an account has due then travels together.
        if waiting > most // 2:
            return []
        cursor.execute(
            _CLAIM_SQL,
            {
                "now": now,
                "active": AccountStatus.ACTIVE,
                "per_account": PER_ACCOUNT,
                "handful": HANDFUL,
                "limit": most - waiting,
            },
        )
        ids: list[UUID] = [pk for (pk,) in cursor.fetchall()]
        if not ids:
            return []
        move_many(ids, DeliveryState.CLAIMED, lease_until=now + LEASE, fence=F("fence") + 1)
        rows = Delivery.objects.filter(pk__in=ids).values_list("pk", "fence", "account_id")
        claims = {claim.delivery_id: claim for claim in (Claim(*row) for row in rows)}
    return [claims[pk] for pk in ids]


def reap(*, now: dt.datetime, limit: int = REAP_BATCH) -> int:
    """Take back deliveries whose lease ran out before ``now``; returns how many.

    Their token is fenced. A call that was in flight becomes an unknown outcome, which the next worker clears
    up before anything is sent again.
    """
    with transaction.atomic():
        states = dict(
            Delivery.objects.lease_expired(now)
            .order_by("lease_until")
            .select_for_update(skip_locked=True)
            .values_list("pk", "state")[:limit]
        )
        if not states:
            return 0
        ids = list(states)
        Attempt.objects.filter(delivery_id__in=ids, state=AttemptState.IN_FLIGHT).update(
            state=AttemptState.UNKNOWN, error=StopReason.WORKER_LOST, finished_at=now
        )
        move_many(ids, DeliveryState.SCHEDULED, next_attempt_at=now, lease_until=None, fence=F("fence") + 1)
        # A row that only waited in the queue tells its people nothing new.
        begun = [pk for pk, state in states.items() if state == DeliveryState.SENDING]
        ReceiptEvent.objects.bulk_create([note(pk, ReceiptKind.RECOVERED, at=now) for pk in begun])
    return len(ids)


def renew_leases(*, owned: dict[UUID, int], now: dt.datetime) -> set[UUID]:
    """Prolong the leases of the rows (id -> fence) that a living worker still works on.

    Returns those that are no longer its own.
    """
    if not owned:
        return set()
    rows = Delivery.objects.filter(pk__in=owned, state__in=[DeliveryState.CLAIMED, DeliveryState.SENDING])
    current = dict(rows.values_list("pk", "fence"))
    kept = [pk for pk, fence in owned.items() if current.get(pk) == fence]
    rows.filter(pk__in=kept).update(lease_until=now + LEASE)
    return set(owned) - set(kept)
