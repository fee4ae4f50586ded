"""How many got an answer, and how long they waited: the numerators and denominators behind the rates."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate

from accounts.models import Brand, SocialAccount
from core.time import day_range, to_local
from engagement.models import Direction, EpisodeEnd, Message, WaitEpisode
from engagement.selectors.promises import DEFAULT_MINUTES
from metrics.formulas import Ratio, percentile, ratio, response_rate


@dataclass(frozen=True, slots=True)
class AnswerNumbers:
    """Of the episodes of waiting that *began* in a period; withdrawn ones and those that needed no answer
    are not among them.

    ``actionable`` = ``answered`` + ``unanswered``: unanswered ones are overdue. ``pending`` are still young,
    not due yet, and stand apart. ``in_time`` were answered before they were due. The seconds are those of
    the answered ones, in no order.
    """

    actionable: int = 0
    answered: int = 0
    pending: int = 0
    unanswered: int = 0
    business_s: list[int] = field(default_factory=list)
    calendar_s: list[int] = field(default_factory=list)
    in_time: int = 0

    @property
    def waiting(self) -> int:
        return self.unanswered + self.pending

    @property
    def rate(self) -> Ratio:
        return response_rate(answered=self.answered, actionable=self.actionable)

    @property
    def in_time_rate(self) -> Ratio:
        return ratio(self.in_time, self.actionable)

    @property
    def median_s(self) -> Decimal | None:
        return percentile(self.business_s, 50)

    @property
    def p90_s(self) -> Decimal | None:
        return percentile(self.business_s, 90)

    @property
    def median_calendar_s(self) -> Decimal | None:
        return percentile(self.calendar_s, 50)

    @property
    def p90_calendar_s(self) -> Decimal | None:
        return percentile(self.calendar_s, 90)

    def __add__(self, other: AnswerNumbers) -> AnswerNumbers:
        return AnswerNumbers(
            actionable=self.actionable + other.actionable,
            answered=self.answered + other.answered,
            pending=self.pending + other.pending,
            unanswered=self.unanswered + other.unanswered,
            business_s=self.business_s + other.business_s,
            calendar_s=self.calendar_s + other.calendar_s,
            in_time=self.in_time + other.in_time,
        )


def answers(
    *,
    brands: Sequence[Brand],
    start: dt.datetime,
    end: dt.datetime,
    now: dt.datetime,
    account: SocialAccount | None = None,
) -> AnswerNumbers:
    """Over all brands, or one account of theirs; half-open instants. One query."""
    by_account = answers_by_account(brands=brands, start=start, end=end, now=now, account=account)
    return sum(by_account.values(), AnswerNumbers())


def answers_by_account(
    *,
    brands: Sequence[Brand],
    start: dt.datetime,
    end: dt.datetime,
    now: dt.datetime,
    account: SocialAccount | None = None,
) -> dict[uuid.UUID, AnswerNumbers]:
    """The same by account; accounts to which nobody wrote are absent."""
    rows = WaitEpisode.objects.filter(started_at__gte=start, started_at__lt=end, brand__in=brands)
    if account is not None:
        rows = rows.filter(account=account)
    answered, is_open = Q(ended_how=EpisodeEnd.ANSWERED), Q(ended_at__isnull=True)
    found = rows.values("account_id").annotate(
        answered=Count("pk", filter=answered),
        in_time=Count("pk", filter=answered & Q(ended_at__lte=F("due_at"))),
        pending=Count("pk", filter=is_open & Q(due_at__gt=now)),
        unanswered=Count("pk", filter=is_open & Q(due_at__lte=now)),
        business=ArrayAgg("business_s", filter=answered, default=[]),
        calendar=ArrayAgg("calendar_s", filter=answered, default=[]),
    )
    return {
        row["account_id"]: AnswerNumbers(
            actionable=row["answered"] + row["unanswered"],
            answered=row["answered"],
            pending=row["pending"],
            unanswered=row["unanswered"],
            business_s=row["business"],
            calendar_s=row["calendar"],
            in_time=row["in_time"],
        )
        for row in found.order_by()
    }


def inbound_by_day(*, brand: Brand, start: dt.datetime, end: dt.datetime) -> dict[dt.date, int]:
    """Messages that others wrote, by date of the brand's zone; dates without any are absent."""
    accounts = list(SocialAccount.objects.for_brand(brand).values_list("pk", flat=True))
    rows = (
        Message.objects.filter(
            account_id__in=accounts,
            direction=Direction.IN,
            written_at__gte=start,
            written_at__lt=end,
        )
        .annotate(date=TruncDate("written_at", tzinfo=to_local(start, brand.timezone).tzinfo))
        .values("date")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return {row["date"]: row["count"] for row in rows}


# --- the page of numbers ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountAnswers:
    """One account of a brand."""

    account: SocialAccount
    numbers: AnswerNumbers


@dataclass(frozen=True, slots=True)
class BrandAnswers:
    """One brand; ``target_s`` is what it promises, in seconds of business time."""

    brand: Brand
    target_s: int
    numbers: AnswerNumbers
    accounts: tuple[AccountAnswers, ...]


def last_days(brand: Brand, days: int, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The last ``days`` dates of the brand's zone, today among them."""
    today = to_local(now, brand.timezone).date()
    period = day_range(today - dt.timedelta(days=days - 1), brand.timezone, days)
    return period.start, period.end


def answers_of_brands(brands: Sequence[Brand], *, days: int, now: dt.datetime) -> list[BrandAnswers]:
    """Each brand over its own last ``days`` dates; one query for each zone, and one for the accounts.
    ``brands`` have their policy."""
    by_zone: dict[str, list[Brand]] = defaultdict(list)
    for brand in brands:
        by_zone[brand.timezone].append(brand)
    numbers: dict[uuid.UUID, AnswerNumbers] = {}
    for of_zone in by_zone.values():
        start, end = last_days(of_zone[0], days, now)
        numbers |= answers_by_account(brands=of_zone, start=start, end=end, now=now)
    accounts: Mapping[uuid.UUID, list[SocialAccount]] = defaultdict(list)
    for account in SocialAccount.objects.filter(brand__in=brands).order_by("platform", "handle"):
        if account.is_active or account.pk in numbers:
            accounts[account.brand_id].append(account)
    found = []
    for brand in brands:
        policy = getattr(brand, "sla_policy", None)
        rows = tuple(AccountAnswers(a, numbers.get(a.pk, AnswerNumbers())) for a in accounts[brand.pk])
        found.append(
            BrandAnswers(
                brand=brand,
                target_s=60 * (policy.answer_within_minutes if policy else DEFAULT_MINUTES),
                numbers=sum((row.numbers for row in rows), AnswerNumbers()),
                accounts=rows,
            )
        )
    return found
