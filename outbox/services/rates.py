"""Rates and quotas that all workers share: what the networks tell of theirs, and our own count per window.

Each account has two lanes. Nothing is sent while the one for sending is closed, nothing is read (inbox,
counts, looking for what was sent) while the one for reading is. A network's "wait" closes the lane that it
was said in. What answers tell before that (``connectors.limits``) closes both when an allowance is full, and
the one for reading alone from three quarters on, where both share it: reading must leave room for what people
have scheduled.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Mapping
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from accounts.models import AccountStatus, Credential, SocialAccount
from connectors.base import PlatformInfo, Quota, Rate
from connectors.limits import Allowance, Covers
from outbox.models import Bucket
from outbox.selectors import limit_of
from outbox.services.transitions import Only

# Reading waits from this share of an allowance on that sending needs, too.
READS_WAIT_FROM = 0.75
NO_LIMIT = 2_147_483_647  # that of the column
_TICK = dt.timedelta(microseconds=1)


class Lane(enum.StrEnum):
    """The beginning of a bucket's key."""

    SENDING = "account"  # the claim joins on it
    READING = "reading"


_LANES: Mapping[Covers, Collection[Lane]] = {
    Covers.ALL: tuple(Lane),
    Covers.READING: (Lane.READING,),
    Covers.SENDING: (Lane.SENDING,),
}


def account_key(account: SocialAccount, lane: Lane = Lane.SENDING) -> str:
    """The bucket of what a network limits per account."""
    return f"{lane}:{account.pk}"


def block_until(
    *,
    account: SocialAccount,
    until: dt.datetime,
    of_app: bool = False,
    lanes: Collection[Lane] = (Lane.SENDING,),
) -> None:
    """Nothing of this account goes in these lanes before ``until`` (aware), with ``of_app`` of no account
    that is connected with the same developer app; an earlier end never shortens a later one."""
    with connection.cursor() as cursor:
        # In the order of their keys: two workers that block the same accounts must not wait for each other.
        cursor.execute(
            """
            INSERT INTO outbox_bucket (key, blocked_until, used)
            SELECT DISTINCT lane || ':' || account_id AS key, %(until)s::timestamptz, 0 FROM (
                SELECT %(account)s::uuid AS account_id
                UNION ALL
                SELECT other.account_id
                FROM accounts_credential one JOIN accounts_credential other ON other.app_id = one.app_id
                WHERE %(of_app)s AND one.account_id = %(account)s
            ) AS accounts, unnest(%(lanes)s) AS lane ORDER BY key
            ON CONFLICT (key) DO UPDATE
            SET blocked_until = GREATEST(outbox_bucket.blocked_until, EXCLUDED.blocked_until)
            """,
            {"account": account.pk, "until": until, "of_app": of_app, "lanes": [str(lane) for lane in lanes]},
        )


def heed(*, account: SocialAccount, allowance: Allowance) -> None:
    """Close what has to wait by what an answer tells; nothing while there is room."""
    lanes: Collection[Lane] = ()
    if allowance.is_full:
        lanes = _LANES[allowance.covers]
    elif allowance.covers is Covers.ALL and allowance.used >= READS_WAIT_FROM:
        lanes = (Lane.READING,)
    if lanes:
        block_until(account=account, until=allowance.free_at, of_app=allowance.of_app, lanes=lanes)


def not_blocked(*, account: SocialAccount, now: dt.datetime) -> Only:
    """As a condition of a move: no worker has been told by the network to wait."""
    sql = "NOT EXISTS (SELECT 1 FROM outbox_bucket WHERE key = %s AND blocked_until > %s)"
    return Only(sql, [account_key(account), now])


def blocked_until(
    *, account: SocialAccount, now: dt.datetime, lane: Lane = Lane.SENDING
) -> dt.datetime | None:
    """Until when the lane is closed, None when it is open."""
    rows = Bucket.objects.filter(key=account_key(account, lane), blocked_until__gt=now)
    return rows.values_list("blocked_until", flat=True).first()


def take(
    *, account: SocialAccount, info: PlatformInfo, amounts: Mapping[str, int], now: dt.datetime
) -> dt.datetime | None:
    """Count what is about to be sent: ``amounts`` by name of the rate (posts, media).

    Returns None when there was room, else the instant at which the full window ends. A window that has any
    room takes a whole thread: better a little over our count than a thread torn in two. Of what is counted by
    calls nothing is taken here: there must be some left.
    """
    for rate in info.rates:
        key = _key(account, rate)
        if info.is_counted_by_calls(rate):
            if (full := _row(key, rate, now)) and full.used >= rate.limit:
                return _window_end(full, rate, now)
        elif (amount := amounts.get(rate.name, 0)) and not _count(
            key, rate, amount, limit=limit_of(account, rate), now=now
        ):
            row = Bucket.objects.get(pk=key)
            return _window_end(row, rate, now)
    return None


def spend(*, account: SocialAccount, rate: Rate, amount: int, is_reading: bool, now: dt.datetime) -> None:
    """Count what a call has cost. When reading has used up its share, it waits for the next window, for all
    accounts that share the rate."""
    key = _key(account, rate)
    _count(key, rate, amount, now=now)
    if is_reading:
        used = _count(f"{key}:reading", rate, amount, now=now)
        if used >= rate.reading_share * rate.limit:
            until = _window_end(Bucket.objects.get(pk=f"{key}:reading"), rate, now)
            block_until(account=account, until=until, of_app=rate.of_app, lanes=(Lane.READING,))


def reading_pace(*, account: SocialAccount, spent: Mapping[str, int], now: dt.datetime) -> dt.timedelta:
    """How long to wait before reading again what has just cost ``spent`` (by name of the rate), so that what
    reading may use lasts for all accounts until the window ends. Zero where nothing was spent."""
    pace = dt.timedelta()
    for rate in account.info.rates:
        if amount := spent.get(rate.name, 0):
            row = _row(f"{_key(account, rate)}:reading", rate, now)
            left = rate.reading_share * rate.limit - (row.used if row else 0)
            rest = _window_end(row, rate, now) - now
            looks = left / (amount * _sharing(account, rate))
            pace = max(pace, rest / looks if looks > 1 else rest)
    return pace


def counted(*, account: SocialAccount, now: dt.datetime) -> list[Quota]:
    """How much of each rate is used by our own count in the window of now, for the account's page. What
    reading has used of its share is named "<rate>:reading"."""
    found = []
    for rate in account.info.rates:
        key = _key(account, rate)
        limit = limit_of(account, rate)
        parts = [(rate.name, key, limit)]
        if rate.reading_share < 1:
            parts.append((f"{rate.name}:reading", f"{key}:reading", round(limit * rate.reading_share)))
        for name, part_key, most in parts:
            if row := _row(part_key, rate, now):
                window_s = 0 if rate.zone else rate.window_s
                found.append(Quota(name, row.used, most, window_s, _window_end(row, rate, now)))
    return found


# --- buckets --------------------------------------------------------------------------------------


def _key(account: SocialAccount, rate: Rate) -> str:
    owner = _shared_key(account) if rate.of_app else account_key(account)
    return f"{owner}:{rate.name}:{rate.window_s}"


def _shared_key(account: SocialAccount) -> str:
    """The bucket of the developer app that the account is connected with; its own where there is none."""
    app = Credential.objects.filter(account=account).values_list("app_id", flat=True).first()
    return f"app:{app}" if app else account_key(account)


def _sharing(account: SocialAccount, rate: Rate) -> int:
    """How many connected accounts use the rate."""
    if not rate.of_app:
        return 1
    apps = Credential.objects.filter(account=account, app__isnull=False).values("app")
    ours = Q(pk=account.pk) | Q(credential__app__in=apps)
    return max(SocialAccount.objects.filter(ours, status=AccountStatus.ACTIVE).count(), 1)


def _ended_before(rate: Rate, now: dt.datetime) -> dt.datetime:
    """A window that began then, or earlier, is over."""
    if rate.zone:
        return _midnight(rate, now) - _TICK
    return now - dt.timedelta(seconds=rate.window_s)


def _midnight(rate: Rate, now: dt.datetime, *, days: int = 0) -> dt.datetime:
    zone = ZoneInfo(rate.zone)
    date = now.astimezone(zone).date() + dt.timedelta(days=days)
    return dt.datetime.combine(date, dt.time(), tzinfo=zone).astimezone(dt.UTC)


def _window_end(row: Bucket | None, rate: Rate, now: dt.datetime) -> dt.datetime:
    if rate.zone:
        return _midnight(rate, now, days=1)
    began_at = row.window_started_at if row else None
    return (began_at or now) + dt.timedelta(seconds=rate.window_s)


def _row(key: str, rate: Rate, now: dt.datetime) -> Bucket | None:
    """The bucket if something was counted in the window of ``now``."""
    return Bucket.objects.filter(key=key, window_started_at__gt=_ended_before(rate, now)).first()


def _count(key: str, rate: Rate, amount: int, *, now: dt.datetime, limit: int = NO_LIMIT) -> int:
    """How much is used with ``amount``; 0 = the window was full, and nothing was counted."""
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
            {"key": key, "now": now, "ended": _ended_before(rate, now), "limit": limit, "amount": amount},
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
