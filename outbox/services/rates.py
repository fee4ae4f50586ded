"""Rates and quotas that all workers share: a network's Retry-After, and our own count per window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import connection

from accounts.models import Credential, SocialAccount
from connectors.base import PlatformInfo, Rate
from outbox.models import Bucket
from outbox.services.transitions import Only


def account_key(account: SocialAccount) -> str:
    """The bucket of what a network limits per account; the claim joins on it."""
    return f"account:{account.pk}"


def block_until(*, account: SocialAccount, until: dt.datetime, of_app: bool = False) -> None:
    """Nothing of this account goes before ``until`` (aware), with ``of_app`` of no account that is connected
    with the same developer app; an earlier end never shortens a later one."""
    with connection.cursor() as cursor:
        # In the order of their keys: two workers that block the same accounts must not wait for each other.
        cursor.execute(
            """
            INSERT INTO outbox_bucket (key, blocked_until, used)
            SELECT DISTINCT key, %(until)s::timestamptz, 0 FROM (
                SELECT %(own)s AS key
                UNION ALL
                SELECT 'account:' || other.account_id
                FROM accounts_credential one JOIN accounts_credential other ON other.app_id = one.app_id
                WHERE %(of_app)s AND one.account_id = %(account)s
            ) AS keys ORDER BY key
            ON CONFLICT (key) DO UPDATE
            SET blocked_until = GREATEST(outbox_bucket.blocked_until, EXCLUDED.blocked_until)
            """,
            {"own": account_key(account), "account": account.pk, "until": until, "of_app": of_app},
        )


def not_blocked(*, account: SocialAccount, now: dt.datetime) -> Only:
    """As a condition of a move: no worker has been told by the network to wait."""
    sql = "NOT EXISTS (SELECT 1 FROM outbox_bucket WHERE key = %s AND blocked_until > %s)"
    return Only(sql, [account_key(account), now])


def blocked_until(*, account: SocialAccount, now: dt.datetime) -> dt.datetime | None:
    """Until when the network has asked to wait, None when that is over or it has not."""
    rows = Bucket.objects.filter(key=account_key(account), blocked_until__gt=now)
    return rows.values_list("blocked_until", flat=True).first()


def take(
    *, account: SocialAccount, info: PlatformInfo, amounts: Mapping[str, int], now: dt.datetime
) -> dt.datetime | None:
    """Count what is about to be sent: ``amounts`` by name of the rate (posts, media).

    Returns None when there was room, else the instant at which the full window ends. A window that has any
    room takes a whole thread: better a little over our count than a thread torn in two.
    """
    for rate in info.rates:
        amount = amounts.get(rate.name, 0)
        if amount and (free_at := _take_one(account, rate, amount, now)) is not None:
            return free_at
    return None


def _shared_key(account: SocialAccount) -> str:
    """The bucket of the developer app that the account is connected with; its own where there is none."""
    app = Credential.objects.filter(account=account).values_list("app_id", flat=True).first()
    return f"app:{app}" if app else account_key(account)


def _take_one(account: SocialAccount, rate: Rate, amount: int, now: dt.datetime) -> dt.datetime | None:
    window = dt.timedelta(seconds=rate.window_s)
    key = f"{_shared_key(account) if rate.of_app else account_key(account)}:{rate.name}:{rate.window_s}"
    parameters: dict[str, Any] = {
        "key": key,
        "now": now,
        "ended": now - window,
        "limit": rate.limit,
        "amount": amount,
    }
    with connection.cursor() as cursor:
        # One statement: the row lock of the conflict makes two workers count one after the other.
        cursor.execute(
            """
            INSERT INTO outbox_bucket AS b (key, window_started_at, used)
            VALUES (%(key)s, %(now)s, %(amount)s)
            ON CONFLICT (key) DO UPDATE SET
                used = CASE WHEN b.window_started_at <= %(ended)s
                            THEN %(amount)s ELSE b.used + %(amount)s END,
                window_started_at = CASE WHEN b.window_started_at <= %(ended)s
                                         THEN %(now)s ELSE b.window_started_at END
            WHERE b.used < %(limit)s OR b.window_started_at <= %(ended)s
            RETURNING b.used
            """,
            parameters,
        )
        if cursor.fetchone():
            return None
    started_at = Bucket.objects.values_list("window_started_at", flat=True).get(pk=key)
    return (started_at or now) + window
