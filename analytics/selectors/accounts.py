"""The numbers of social accounts over time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet

from accounts.advice import told
from accounts.models import AccountStatus, Brand, Membership, SocialAccount
from accounts.network_wording import length
from analytics.models import AccountDay, AccountPull, PostMetrics
from analytics.selectors.figures import Chart, Figure, figure, series, told_counts, why_untold
from analytics.selectors.measures import TOLERANCE
from connectors.base import Capability, PlatformInfo
from core.time import day_range, to_local
from metrics import formulas
from metrics.formulas import Ratio
from outbox.errors import sentence
from outbox.models import Delivery, DeliveryKind, DeliveryState

# Counts are taken every hour; older ones say that something is wrong.
FRESH_FOR = dt.timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Change:
    """Followers at the start and the end of a period; None = not counted then."""

    start: int | None
    end: int | None

    @property
    def net(self) -> int | None:
        return None if self.start is None or self.end is None else self.end - self.start

    @property
    def rate(self) -> Decimal | None:
        return formulas.follower_growth_rate(start=self.start, end=self.end).value


@dataclass(frozen=True, slots=True)
class Freshness:
    """When the last counts were taken, and what kept newer ones, or some of them, away."""

    taken_at: dt.datetime | None
    is_stale: bool
    problem: str  # sentence in the active language, "" if none


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One line of the list of accounts."""

    account: SocialAccount
    info: PlatformInfo
    followers: int | None
    week: Change
    month: Change
    posts: int | None  # on the network, whoever made them
    sent: int  # through us in 28 days
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class AccountNumbers:
    """What the page of one account shows for a period."""

    account: SocialAccount
    info: PlatformInfo
    days: int
    since: dt.datetime  # start of the period's first day in the brand's zone
    followers: Figure
    week: Change
    change: Change  # over the period
    growth: Figure
    following: Figure
    posts: Figure
    frequency: Figure
    sent: int
    by_followers: Figure
    by_followers_median: Decimal | None
    by_reach: Figure | None  # None where the network tells no reach
    by_reach_median: Decimal | None
    by_impressions: Figure
    by_impressions_median: Decimal | None
    freshness: Freshness
    chart: Chart | None

    @property
    def is_told(self) -> bool:
        """Whether anything will ever be counted of the account as it is connected now."""
        return self.info.can(Capability.ACCOUNT_METRICS)

    @property
    def every(self) -> str:
        """How often it is counted, where that is seldom; "" for the usual hour."""
        return length(self.info.counts_every_s) if self.info.counts_every_s > 3600 else ""


def accounts_of(membership: Membership, brand: Brand | None) -> QuerySet[SocialAccount]:
    """Accounts that are or were connected, by brand and name."""
    rows = SocialAccount.objects.for_member(membership).select_related("brand", "metrics_pull")
    if brand is not None:
        rows = rows.filter(brand=brand)
    return rows.order_by("brand__name", "platform", "handle")


def looking_accounts(membership: Membership, brand: Brand | None) -> list[SocialAccount]:
    """Accounts through which those of others can be looked at."""
    rows = accounts_of(membership, brand).filter(status=AccountStatus.ACTIVE)
    return [one for one in rows if one.info.can(Capability.COMPETITORS)]


def rows_of(accounts: Sequence[SocialAccount], *, now: dt.datetime) -> list[AccountRow]:
    """The lines of a page of accounts, with two queries for all of them."""
    history = _history(accounts, since=now - dt.timedelta(days=28) - TOLERANCE)
    sent = dict(
        _sent(accounts)
        .filter(sent_at__gte=now - dt.timedelta(days=28))
        .values_list("account_id")
        .annotate(number=Count("pk"))
    )
    return [_row(account, history[account.pk], sent.get(account.pk, 0), now) for account in accounts]


def _sent(accounts: Iterable[SocialAccount]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(account__in=accounts, state=DeliveryState.SENT, kind=DeliveryKind.POST)


def _history(accounts: Iterable[SocialAccount], *, since: dt.datetime) -> dict[uuid.UUID, list[AccountDay]]:
    days: dict[uuid.UUID, list[AccountDay]] = defaultdict(list)
    # A date may lie a day before the instant's own in the zone of the brand.
    first = since.date() - dt.timedelta(days=1)
    counted = AccountDay.objects.filter(account__in=accounts, date__gte=first, taken_at__isnull=False)
    for day in counted.order_by("date"):
        days[day.account_id].append(day)
    return days


def _row(account: SocialAccount, days: list[AccountDay], sent: int, now: dt.datetime) -> AccountRow:
    last = days[-1] if days else None
    return AccountRow(
        account=account,
        info=account.info,
        followers=last.followers if last else None,
        week=change(days, 7),
        month=change(days, 28),
        posts=last.posts if last else None,
        sent=sent,
        freshness=_freshness(account, last, now),
    )


def change(days: Sequence[AccountDay], length: int) -> Change:
    """Followers at the last counted day and ``length`` days before it; ``days`` by date."""
    counted = [day for day in days if day.followers is not None]
    if not counted:
        return Change(None, None)
    last = counted[-1]
    target = last.date - dt.timedelta(days=length)
    before = [day for day in counted if target - TOLERANCE <= day.date <= target]
    return Change(before[-1].followers if before else None, last.followers)


def _freshness(account: SocialAccount, last: AccountDay | None, now: dt.datetime) -> Freshness:
    pull: AccountPull | None = getattr(account, "metrics_pull", None)
    taken_at = last.taken_at if last else None
    return Freshness(
        taken_at=taken_at,
        is_stale=taken_at is not None and now - taken_at > FRESH_FOR,
        problem=_problem(pull) if pull else "",
    )


def _problem(pull: AccountPull) -> str:
    """In our own words: what to do about it, where that is known."""
    advice, _theirs = told(pull.error_detail)
    return advice or (sentence(pull.error) if pull.error else "")


def numbers_of_account(account: SocialAccount, *, days: int, now: dt.datetime) -> AccountNumbers:
    """The numbers of one account for the last ``days`` calendar days of its brand's zone, today included."""
    zone = account.brand.timezone
    today = to_local(now, zone).date()
    since = day_range(today - dt.timedelta(days=days - 1), zone).start
    history = _history([account], since=since - TOLERANCE - dt.timedelta(days=1))[account.pk]
    last = history[-1] if history else None
    whole = change(history, days)
    sent = _sent([account]).filter(sent_at__gte=since)
    number_sent = sent.count()
    counts = list(PostMetrics.objects.filter(delivery__in=sent))
    by_followers = [
        formulas.engagement_rate_by_followers(row, followers_at_post=row.followers_at_post) for row in counts
    ]
    by_reach = [formulas.engagement_rate_by_reach(row, reach=row.reach) for row in counts]
    by_impressions = [
        formulas.engagement_rate_by_impressions(row, impressions=row.impressions) for row in counts
    ]
    info = account.info
    why_account = {
        name: why_untold(info, name, info.account_metrics) for name in ("followers", "following", "posts")
    }
    return AccountNumbers(
        account=account,
        info=info,
        days=days,
        since=since,
        followers=figure("followers", last.followers if last else None, why_account["followers"]),
        week=change(history, 7),
        change=whole,
        growth=figure("follower_growth_rate", whole.rate),
        following=figure("following", last.following if last else None, why_account["following"]),
        posts=figure("posts", last.posts if last else None, why_account["posts"]),
        frequency=figure(
            "posting_frequency", formulas.posting_frequency(published=number_sent, days=days).value
        ),
        sent=number_sent,
        by_followers=_pooled("engagement_rate_by_followers", by_followers),
        by_followers_median=formulas.median(by_followers),
        by_reach=_pooled("engagement_rate_by_reach", by_reach) if "reach" in told_counts(info) else None,
        by_reach_median=formulas.median(by_reach),
        by_impressions=_pooled("engagement_rate_by_impressions", by_impressions),
        by_impressions_median=formulas.median(by_impressions),
        freshness=_freshness(account, last, now),
        chart=followers_chart(history, first=today - dt.timedelta(days=days - 1), last=today),
    )


def _pooled(key: str, ratios: Iterable[Ratio]) -> Figure:
    return figure(key, formulas.pooled(ratios).value)


def followers_chart(history: Sequence[AccountDay], *, first: dt.date, last: dt.date) -> Chart | None:
    """Followers by date from ``first`` to ``last``, gaps where nothing was counted; None below two counts."""
    by_date = {day.date: day.followers for day in history if first <= day.date <= last}
    if sum(value is not None for value in by_date.values()) < 2:
        return None
    start = min(by_date)
    dates = [start + dt.timedelta(days=i) for i in range((last - start).days + 1)]
    return {
        "labels": [date.isoformat() for date in dates],
        "series": series({"followers": [by_date.get(date) for date in dates]}),
    }
