"""Seen live: a sent post or reply is read back from the network, and its receipt says when."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import connection, transaction

from accounts.connecting import connector_for
from accounts.models import AccountStatus, SocialAccount
from connectors.base import Connector
from connectors.errors import ConnectorError, RateLimited
from outbox.models import Delivery, ReceiptKind
from outbox.services.rates import Lane, block_until
from outbox.services.usage import heeding

# Seconds after ``sent_at`` of the first, second ... look; a network may show a post only after a while.
LOOK_AFTER_S = (1, 10, 60, 600, 3600)


LOOKS_AT_ONCE = 500


def claim_unseen(*, now: dt.datetime, limit: int = LOOKS_AT_ONCE) -> dict[UUID, list[UUID]]:
    """Sent deliveries that are due to be looked for, by account. Each look is claimed once, by whoever counts
    it up first, so two ticks do not look twice. Where reading has to wait, the look comes later."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH pick AS (
                SELECT id FROM outbox_delivery
                WHERE state = 'sent' AND seen_at IS NULL AND read_backs < %(looks)s AND remote_id <> ''
                  AND kind IN ('post', 'reply')
                  AND sent_at <= %(now)s
                  AND NOT EXISTS (SELECT 1 FROM outbox_bucket b
                                  WHERE b.key = 'reading:' || account_id AND b.blocked_until > %(now)s)
                  AND sent_at <= %(now)s - make_interval(secs => (%(after)s::int[])[read_backs + 1])
                ORDER BY sent_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )
            UPDATE outbox_delivery d SET read_backs = d.read_backs + 1
            FROM pick WHERE pick.id = d.id RETURNING d.account_id, d.id
            """,
            {"now": now, "looks": len(LOOK_AFTER_S), "after": list(LOOK_AFTER_S), "limit": limit},
        )
        by_account: dict[UUID, list[UUID]] = defaultdict(list)
        for account_id, delivery_id in cursor.fetchall():
            by_account[account_id].append(delivery_id)
    return dict(by_account)


def read_back(
    *,
    account_id: UUID,
    delivery_ids: Sequence[UUID],
    clock: Callable[[], dt.datetime],
    connect: Callable[[SocialAccount], Connector] = connector_for,
) -> int:
    """Look for sent deliveries of one account; returns how many were seen. A failed look is looked at again
    later by itself, so errors end the round quietly."""
    account = SocialAccount.objects.select_related("brand", "credential").get(pk=account_id)
    if account.status != AccountStatus.ACTIVE:
        return 0
    seen: list[tuple[UUID, dt.datetime, str]] = []
    # By id alone, as in ``transitions``; a row that was seen or erased meanwhile is not written below.
    rows = Delivery.objects.filter(pk__in=delivery_ids).only("remote_id")
    try:
        connector = connect(account)
        ours = {delivery.remote_id: delivery.pk for delivery in rows}
        with heeding(account, clock=clock, is_reading=True):
            for post in connector.fetch_posts(list(ours)):
                if post.remote_id in ours:
                    # One by one: what was seen before an error stays seen.
                    seen.append((ours[post.remote_id], clock(), post.permalink))  # noqa: PERF401
    except RateLimited as refusal:
        block_until(account=account, until=refusal.retry_at, of_app=refusal.of_app, lanes=(Lane.READING,))
    except ConnectorError:
        pass
    if not seen:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH found AS (
                UPDATE outbox_delivery d SET seen_at = look.at,
                    permalink = CASE WHEN d.permalink = '' THEN look.permalink ELSE d.permalink END
                FROM (VALUES {", ".join(["(%s::uuid, %s::timestamptz, %s)"] * len(seen))})
                     AS look (id, at, permalink)
                WHERE d.id = look.id AND d.seen_at IS NULL AND d.remote_id <> '' RETURNING d.id, d.seen_at
            )
            INSERT INTO outbox_receiptevent (delivery_id, kind, at, detail)
            SELECT id, %s, seen_at, '{{}}' FROM found
            """,  # noqa: S608 - only placeholders are put in
            [value for look in seen for value in look] + [ReceiptKind.SEEN],
        )
        found: int = cursor.rowcount
        return found
