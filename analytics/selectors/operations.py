"""The numbers of the daily work: of a brand or of all, and account by account."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q, Sum
from django.utils.translation import gettext as _

from accounts.models import SocialAccount
from analytics.models import AccountDay
from analytics.selectors.cohorts import NO_POSTS, Rates, cohorts
from analytics.selectors.figures import Chart, Figure, compared, daily_chart
from analytics.selectors.measures import (
    TOLERANCE,
    Measured,
    Values,
    account_values,
    answer_values,
    answers,
    answers_by_account,
    flow_sums,
    levels_of,
    rate_values,
)
from analytics.selectors.subjects import Period, Subject
from connectors.base import PlatformInfo
from engagement.selectors.numbers import AnswerNumbers
from metrics import formulas
from metrics.registry import Kind, metric

# In the order of the page.
KEYS = (
    "followers",
    "net_new_followers",
    "follower_growth_rate",
    "posting_frequency",
    "impressions",
    "network_clicks",
    "watch_time",
    "engagements",
    "engagement_rate_by_followers",
    "engagement_rate_by_reach",
    "engagement_rate_by_impressions",
    "virality_rate",
    "response_rate",
    "response_time_median",
    "response_time_p90",
)
# Few networks tell these: where none does, they are not on the page.
ONLY_TOLD = ("network_clicks", "watch_time", "engagement_rate_by_reach")
COLUMNS = (
    "followers",
    "net_new_followers",
    "follower_growth_rate",
    "posting_frequency",
    "engagements",
    "engagement_rate_by_followers",
    "virality_rate",
    "response_rate",
)
Counts = list[tuple[uuid.UUID, dt.date, int]]
Sums = dict[str, Any]  # by the names of flow_sums
_OF_WAITS = ("actionable", "answered")


@dataclass(frozen=True, slots=True)
class AccountLine:
    account: SocialAccount
    subject: Subject
    info: PlatformInfo
    values: tuple[Measured, ...]  # of COLUMNS


@dataclass(frozen=True, slots=True)
class Operations:
    """``pending``: people who wait, and whose answer is not due yet. ``counted_at``: the newest count of a
    network that is in these numbers."""

    subject: Subject
    period: Period
    figures: tuple[Figure, ...]  # of KEYS, without those of ONLY_TOLD that nobody tells
    lines: tuple[AccountLine, ...]
    pending: int
    followers: Chart | None
    engagements: Chart | None
    posts: Chart | None
    answers: Chart | None
    counted_at: dt.datetime | None


def operations(
    subject: Subject, period: Period, *, accounts: Sequence[SocialAccount], now: dt.datetime
) -> Operations:
    """The whole subject over ``period`` beside the period before it, and ``accounts`` (some or all of the
    subject's, with their brands) line by line."""
    ids, before = subject.account_ids(), period.before()
    counts = follower_counts(ids, Period(before.first, period.last))
    sums = _sums(ids, period, before)
    current, past = cohorts(ids, [one.instants(subject.zone) for one in (period, before)])
    answered = answers_by_account(subject, period, now=now)
    whole = sum(answered.values(), AnswerNumbers())
    values: Values = account_values(_total(sums, "now"), levels_of(counts, period), period)
    values |= rate_values(current.total) | answer_values(whole)
    earlier: Values = account_values(_total(sums, "before"), levels_of(counts, before), before)
    earlier |= rate_values(past.total) | answer_values(answers(subject, before, now=now))
    found = _Found(sums, counts, current.of_account, answered)
    dates, days = period.dates(), _days(ids, period)

    def daily(*keys: str) -> Chart | None:
        return daily_chart(dates, {key: [days[date].get(key) for date in dates] for key in keys})

    return Operations(
        subject=subject,
        period=period,
        figures=tuple(
            compared(values[key], earlier[key], why=_why(key))
            for key in KEYS
            if key not in ONLY_TOLD or values[key].value is not None or earlier[key].value is not None
        ),
        lines=tuple(found.line(one, period) for one in accounts),
        pending=whole.pending,
        followers=daily_chart(dates, {"followers": followers_by_day(counts, dates)}),
        engagements=daily("engagements"),
        posts=daily("published_posts"),
        answers=daily("actionable_waits", "answered_waits"),
        counted_at=max(
            (at for row in sums.values() for at in (row["taken"], row["counted"]) if at), default=None
        ),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read of all accounts, for the line of one."""

    sums: dict[uuid.UUID, Sums]
    counts: Counts
    rates: dict[uuid.UUID, Rates]
    answers: dict[uuid.UUID, AnswerNumbers]

    def line(self, account: SocialAccount, period: Period) -> AccountLine:
        own = {account.pk: self.sums[account.pk]} if account.pk in self.sums else {}
        reached = levels_of([row for row in self.counts if row[0] == account.pk], period)
        values: Values = account_values(_total(own, "now"), reached, period)
        values |= rate_values(self.rates.get(account.pk, NO_POSTS))
        values |= answer_values(self.answers.get(account.pk, AnswerNumbers()))
        return AccountLine(
            account=account,
            subject=Subject((account.brand,), account),
            info=account.info,
            values=tuple(values[key] for key in COLUMNS),
        )


def _why(key: str) -> str:
    """Why a number of the page is missing, as far as one can tell from its kind."""
    if key.startswith("response"):
        return _("Nobody had to be answered in this period.")
    if key in ("net_new_followers", "follower_growth_rate"):
        return _("There is no count from the beginning of the period.")
    if metric(key).kind is Kind.RATIO:
        return _("No post of this period has both sides of this rate.")
    return _("Not counted yet.")


# --- followers --------------------------------------------------------------------------------


def follower_counts(ids: Sequence[uuid.UUID], period: Period) -> Counts:
    """(account, date, followers) by date, from a little before the period on."""
    rows = AccountDay.objects.filter(
        account__in=ids, date__gte=period.eve - TOLERANCE, date__lte=period.last, followers__isnull=False
    ).order_by("date")
    found = rows.values_list("account_id", "date", "followers")
    return [(pk, date, followers) for pk, date, followers in found if followers is not None]


def followers_by_day(counts: Counts, dates: Sequence[dt.date]) -> list[int | None]:
    """The sum over accounts; a date that an account was not counted on is bridged, if not for long."""
    by_date: dict[dt.date, list[tuple[uuid.UUID, int]]] = defaultdict(list)
    for pk, date, followers in counts:
        by_date[date].append((pk, followers))
    last: dict[uuid.UUID, tuple[dt.date, int]] = {}
    line: list[int | None] = []
    date = dates[0] - TOLERANCE
    while date <= dates[-1]:
        for pk, followers in by_date[date]:
            last[pk] = (date, followers)
        if date >= dates[0]:
            known = [followers for at, followers in last.values() if date - at <= TOLERANCE]
            line.append(sum(known) if known else None)
        date += dt.timedelta(days=1)
    return line


# --- what happened ----------------------------------------------------------------------------


def _sums(ids: Sequence[uuid.UUID], period: Period, before: Period) -> dict[uuid.UUID, Sums]:
    """What happened in both periods, by account; one query."""
    annotations: dict[str, Any] = {"taken": Max("taken_at"), "counted": Max("counted_at")}
    for name, one in (("now", period), ("before", before)):
        condition = Q(date__gte=one.first, date__lte=one.last)
        sums = flow_sums(condition)
        annotations |= {f"{name}_{of}": total for of, total in sums.items()}
    rows = AccountDay.objects.filter(account__in=ids, date__gte=before.first, date__lte=period.last)
    return {row["account"]: row for row in rows.order_by().values("account").annotate(**annotations)}


def _total(sums: dict[uuid.UUID, Sums], which: str) -> Sums:
    """The sum over accounts; of what none of them tells None."""
    total: Sums = {}
    for name in flow_sums():
        known = [row[f"{which}_{name}"] for row in sums.values() if row[f"{which}_{name}"] is not None]
        total[name] = sum(known) if known else None
    return total


def _days(ids: Sequence[uuid.UUID], period: Period) -> dict[dt.date, dict[str, int | None]]:
    """What the charts show, by date and metric; one query."""
    rows = AccountDay.objects.filter(account__in=ids, date__gte=period.first, date__lte=period.last)
    names = ("published", *formulas.ENGAGEMENT_PARTS, *_OF_WAITS)
    found: dict[dt.date, dict[str, int | None]] = defaultdict(dict)
    for row in rows.order_by().values("date").annotate(**{f"sum_{name}": Sum(name) for name in names}):
        gained = [row[f"sum_{part}"] for part in formulas.ENGAGEMENT_PARTS]
        known = [value for value in gained if value is not None]
        found[row["date"]] = {
            "published_posts": row["sum_published"],
            "engagements": sum(known) if known else None,
            "actionable_waits": row["sum_actionable"],
            "answered_waits": row["sum_answered"],
        }
    return found
