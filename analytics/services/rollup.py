"""Summing up what we keep into one row per account and date (AccountDay), so that pages read few rows.

What is summed is never changed by it, so a date can be summed up again at any time with the same result:
today and yesterday are, every few minutes, and for the last weeks the waits, whose answers come late.

- *Gained*: of each post the last count of the date less the last one before it. A count taken after
  midnight belongs to the new date, whenever the like was given: networks do not tell.
- *Waits* are counted on the date they began, as the response rate has them (engagement.selectors.numbers).
"""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncDate

from accounts.models import Brand, SocialAccount
from analytics.models import AccountDay
from analytics.selectors.subjects import Period
from core.time import DayRange, to_local
from engagement.models import Direction, EpisodeEnd, Message, WaitEpisode
from outbox.models import Delivery, DeliveryKind, DeliveryState

FARTHEST = dt.timedelta(days=400)  # how far back a brand is summed up that never was
ANSWERED_WITHIN = dt.timedelta(days=35)  # answers that come later than this no longer change a date
# Without reach: the people of two posts or dates are not different people.
COUNTS = ("likes", "comments", "shares", "impressions", "quotes", "bookmarks", "network_clicks", "watch_time")
_OF_WAITS = ("actionable", "answered")
_ALL = ("published", *COUNTS, "counted_at", "inbound", *_OF_WAITS, "rolled_at")

Rows = dict[tuple[uuid.UUID, dt.date], dict[str, Any]]


def roll_up(*, brand: Brand, now: dt.datetime) -> int:
    """Sum up what is new since the last time, however long ago that is. Returns how many rows it wrote."""
    today = to_local(now, brand.timezone).date()
    done = AccountDay.objects.filter(account__brand=brand, rolled_at__isnull=False).aggregate(at=Max("date"))
    first = _first_date(brand, today) if done["at"] is None else min(done["at"], today)
    # The last date was not over when it was summed up, and a count of the one before may have come late.
    first = max(first - dt.timedelta(days=1), today - FARTHEST)
    written = roll_up_period(brand=brand, period=Period(first, today), now=now)
    late = max(today - ANSWERED_WITHIN, today - FARTHEST)
    if late < first:
        _refresh_waits(brand, Period(late, first - dt.timedelta(days=1)), now)
    return written


def roll_up_period(*, brand: Brand, period: Period, now: dt.datetime) -> int:
    """Sum up every date of ``period`` for all accounts of ``brand``. Returns how many rows were written."""
    accounts = list(SocialAccount.objects.for_brand(brand))
    if not accounts:
        return 0
    zone, instants = brand.timezone, period.instants(brand.timezone)
    rows: Rows = defaultdict(dict)
    _add_published(rows, accounts, instants, zone)
    _add_gained(rows, accounts, instants, zone)
    _add_inbound(rows, accounts, instants, zone)
    _add_waits(rows, accounts, instants, zone, now)
    days = []
    for account in accounts:
        known_since = to_local(account.created_at, zone).date()
        for date in period.dates():
            found = rows.get((account.pk, date))
            if found is not None or date >= known_since:
                days.append(_day(account, date, found or {}, now))
    AccountDay.objects.bulk_create(
        days, update_conflicts=True, unique_fields=["account", "date"], update_fields=_ALL, batch_size=1000
    )
    return len(days)


def _day(account: SocialAccount, date: dt.date, found: dict[str, Any], now: dt.datetime) -> AccountDay:
    zero = {"published": 0, "inbound": 0, "actionable": 0, "answered": 0}
    return AccountDay(account=account, date=date, rolled_at=now, **(zero | found))


def _first_date(brand: Brand, today: dt.date) -> dt.date:
    """Where the history of a brand begins that was never summed up."""
    sent = Delivery.objects.filter(brand=brand, state=DeliveryState.SENT).aggregate(at=Min("sent_at"))["at"]
    heard = WaitEpisode.objects.filter(brand=brand).aggregate(at=Min("started_at"))["at"]
    known = [to_local(at, brand.timezone).date() for at in (sent, heard) if at is not None]
    return min([*known, today])


def _add_published(rows: Rows, accounts: Sequence[SocialAccount], instants: DayRange, zone: str) -> None:
    found = (
        Delivery.objects.filter(
            account__in=accounts,
            state=DeliveryState.SENT,
            kind=DeliveryKind.POST,
            sent_at__gte=instants.start,
            sent_at__lt=instants.end,
        )
        .order_by()
        .values_list("account_id", TruncDate("sent_at", tzinfo=zoneinfo.ZoneInfo(zone)))
        .annotate(number=Count("pk"))
    )
    for account_id, date, number in found:
        rows[account_id, date]["published"] = number


_GAINED = """
WITH followed AS (
    SELECT delivery_id, account_id FROM analytics_postmetrics
    WHERE account_id = ANY(%(accounts)s) AND taken_at >= %(start)s
), daily AS (
    SELECT DISTINCT ON (s.delivery_id, date)
           s.delivery_id, (s.taken_at AT TIME ZONE %(zone)s)::date AS date, s.taken_at, {counts}
    FROM analytics_postsnapshot s JOIN followed USING (delivery_id)
    WHERE s.taken_at >= %(start)s AND s.taken_at < %(end)s
    ORDER BY s.delivery_id, date, s.taken_at DESC
), points AS (
    SELECT * FROM daily
    UNION ALL
    SELECT f.delivery_id, NULL, b.taken_at, {of_base}
    FROM followed f CROSS JOIN LATERAL (
        SELECT * FROM analytics_postsnapshot s
        WHERE s.delivery_id = f.delivery_id AND s.taken_at < %(start)s
        ORDER BY s.taken_at DESC LIMIT 1
    ) b
), gains AS (
    SELECT delivery_id, date, taken_at, {gains} FROM points
    WINDOW w AS (PARTITION BY delivery_id ORDER BY taken_at)
)
SELECT account_id, date, max(taken_at), {sums}
FROM gains JOIN followed USING (delivery_id) WHERE date IS NOT NULL GROUP BY account_id, date
""".format(  # noqa: S608 - the names are COUNTS
    counts=", ".join(f"s.{name}" for name in COUNTS),
    of_base=", ".join(f"b.{name}" for name in COUNTS),
    gains=", ".join(f"{name} - coalesce(lag({name}) OVER w, 0) AS {name}" for name in COUNTS),
    sums=", ".join(f"sum({name})::bigint" for name in COUNTS),
)


def _add_gained(rows: Rows, accounts: Sequence[SocialAccount], instants: DayRange, zone: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _GAINED,
            {
                "accounts": [account.pk for account in accounts],
                "start": instants.start,
                "end": instants.end,
                "zone": zone,
            },
        )
        for account_id, date, counted_at, *gained in cursor.fetchall():
            rows[account_id, date] |= dict(zip(COUNTS, gained, strict=True)) | {"counted_at": counted_at}


def _add_inbound(rows: Rows, accounts: Sequence[SocialAccount], instants: DayRange, zone: str) -> None:
    found = (
        Message.objects.filter(
            account__in=accounts,
            direction=Direction.IN,
            written_at__gte=instants.start,
            written_at__lt=instants.end,
        )
        .order_by()
        .values_list("account_id", TruncDate("written_at", tzinfo=zoneinfo.ZoneInfo(zone)))
        .annotate(number=Count("pk"))
    )
    for account_id, date, number in found:
        rows[account_id, date]["inbound"] = number


def _add_waits(
    rows: Rows, accounts: Sequence[SocialAccount], instants: DayRange, zone: str, now: dt.datetime
) -> None:
    is_answered = Q(ended_how=EpisodeEnd.ANSWERED)
    is_overdue = Q(ended_at__isnull=True, due_at__lte=now)
    found = (
        WaitEpisode.objects.filter(
            account__in=accounts, started_at__gte=instants.start, started_at__lt=instants.end
        )
        .order_by()
        .values_list("account_id", TruncDate("started_at", tzinfo=zoneinfo.ZoneInfo(zone)))
        .annotate(
            actionable=Count("pk", filter=is_answered | is_overdue),
            answered=Count("pk", filter=is_answered),
        )
    )
    for account_id, date, actionable, answered in found:
        rows[account_id, date] |= {"actionable": actionable, "answered": answered}


def _refresh_waits(brand: Brand, period: Period, now: dt.datetime) -> None:
    """Of dates that were summed up before: only the waits, and only where an answer has come since."""
    accounts = list(SocialAccount.objects.for_brand(brand))
    rows: Rows = defaultdict(dict)
    _add_waits(rows, accounts, period.instants(brand.timezone), brand.timezone, now)
    changed = []
    kept = AccountDay.objects.filter(
        account__in=accounts, date__gte=period.first, date__lte=period.last, rolled_at__isnull=False
    )
    for day in kept:
        found = rows.get((day.account_id, day.date), {"actionable": 0, "answered": 0})
        if any(getattr(day, name) != found[name] for name in _OF_WAITS):
            day.actionable, day.answered = found["actionable"], found["answered"]
            changed.append(day)
    AccountDay.objects.bulk_update(changed, _OF_WAITS)
