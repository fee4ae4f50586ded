"""Budget and spend of a campaign, side by side: in sum, by kind, and against the calendar."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from campaigns.models import BudgetLine, Campaign, CostKind, CsvImport, SpendEntry
from core.money import rounded
from metrics.formulas import Ratio
from metrics.money import pacing

# docs/metrics.md: below the first a campaign spends too slowly, above the second too fast.
UNDER_BELOW, OVER_ABOVE = Decimal("0.9"), Decimal("1.1")
ZERO = Decimal(0)


class Verdict(enum.StrEnum):
    """How a campaign's spend stands to its plan."""

    NO_BUDGET = "no_budget"
    NOT_STARTED = "not_started"
    UNDER = "under"
    ON = "on"
    OVER = "over"
    OVER_BUDGET = "over_budget"  # more than all of it
    ENDED = "ended"  # within the budget


@dataclass(frozen=True, slots=True)
class Pace:
    """``spent`` is everything that was entered, ``so_far`` what of it bears today's date or an earlier one.
    ``expected`` is what an even spend would have reached by the end of today, ``elapsed`` the share of the
    flight's days until then."""

    budget: Decimal
    spent: Decimal
    so_far: Decimal
    elapsed: Decimal
    expected: Decimal
    ratio: Ratio
    verdict: Verdict

    @property
    def share(self) -> Decimal | None:
        """Spent ÷ budget."""
        return self.spent / self.budget if self.budget else None

    @property
    def left(self) -> Decimal:
        return self.budget - self.spent

    @property
    def over_by(self) -> Decimal:
        return self.spent - self.budget

    @property
    def tone(self) -> str:
        return {
            Verdict.ON: "green",
            Verdict.ENDED: "green",
            Verdict.UNDER: "orange",
            Verdict.OVER: "orange",
            Verdict.OVER_BUDGET: "red",
        }.get(self.verdict, "secondary")

    @property
    def bar_spent(self) -> int:
        """How much of the bar is filled, in per mille."""
        return int(min(self.share or ZERO, Decimal(1)) * 1000)

    @property
    def bar_elapsed(self) -> int:
        """Where today stands on the bar, in per mille."""
        return int(self.elapsed * 1000)


def pace_of(campaign: Campaign, *, budget: Decimal, spent: Decimal, so_far: Decimal, today: dt.date) -> Pace:
    """By whole days of the brand's zone: on the tenth of thirty days a third should be spent."""
    days = (campaign.ends_on - campaign.starts_on).days + 1
    gone = max(0, min(days, (today - campaign.starts_on).days + 1))
    elapsed = Decimal(gone) / days
    expected = rounded(budget * gone / days, campaign.currency)
    ratio = pacing(so_far, expected)
    return Pace(
        budget=budget,
        spent=spent,
        so_far=so_far,
        elapsed=elapsed,
        expected=expected,
        ratio=ratio,
        verdict=_verdict(budget, spent, gone=gone, has_ended=today > campaign.ends_on, ratio=ratio.value),
    )


def _verdict(
    budget: Decimal, spent: Decimal, *, gone: int, has_ended: bool, ratio: Decimal | None
) -> Verdict:
    if not budget:
        return Verdict.NO_BUDGET
    if spent > budget:
        return Verdict.OVER_BUDGET
    if not gone or ratio is None:
        return Verdict.NOT_STARTED
    if has_ended:
        return Verdict.ENDED
    if ratio < UNDER_BELOW:
        return Verdict.UNDER
    return Verdict.OVER if ratio > OVER_ABOVE else Verdict.ON


def paces_of(campaigns: Sequence[tuple[Campaign, dt.date]]) -> dict[uuid.UUID, Pace]:
    """The pace of each campaign on the date beside it. Two queries, whatever the number."""
    ids = [campaign.pk for campaign, _today in campaigns]
    budgets = dict(
        BudgetLine.objects.filter(campaign__in=ids)
        .order_by()
        .values_list("campaign")
        .annotate(total=Sum("amount"))
    )
    until_today = Q(pk__in=[])
    for today in {today for _campaign, today in campaigns}:
        of_day = [campaign.pk for campaign, one in campaigns if one == today]
        until_today |= Q(campaign__in=of_day, date__lte=today)
    spent = {
        row["campaign"]: row
        for row in SpendEntry.objects.filter(campaign__in=ids)
        .order_by()
        .values("campaign")
        .annotate(total=Sum("amount"), so_far=Sum("amount", filter=until_today, default=ZERO))
    }
    return {
        campaign.pk: pace_of(
            campaign,
            budget=budgets.get(campaign.pk, ZERO),
            spent=spent[campaign.pk]["total"] if campaign.pk in spent else ZERO,
            so_far=spent[campaign.pk]["so_far"] if campaign.pk in spent else ZERO,
            today=today,
        )
        for campaign, today in campaigns
    }


@dataclass(frozen=True, slots=True)
class KindSum:
    """What one kind of cost was planned to be, and what it has come to."""

    kind: CostKind
    planned: Decimal
    spent: Decimal

    @property
    def left(self) -> Decimal:
        return self.planned - self.spent

    @property
    def is_over(self) -> bool:
        return self.spent > self.planned


def lines_of(campaign: Campaign) -> QuerySet[BudgetLine]:
    return BudgetLine.objects.filter(campaign=campaign).order_by("position", "pk")


def by_kind(campaign: Campaign) -> list[KindSum]:
    """The kinds that were planned or spent, in the order of CostKind. Two queries."""
    planned = _sums(BudgetLine.objects.filter(campaign=campaign))
    spent = _sums(SpendEntry.objects.filter(campaign=campaign))
    return [
        KindSum(kind, planned.get(kind, ZERO), spent.get(kind, ZERO))
        for kind in CostKind
        if kind in planned or kind in spent
    ]


def _sums(rows: QuerySet[BudgetLine] | QuerySet[SpendEntry]) -> dict[str, Decimal]:
    return dict(rows.order_by().values_list("kind").annotate(total=Sum("amount")))


def entries_of(campaign: Campaign, *, kind: str = "") -> QuerySet[SpendEntry]:
    """The latest first."""
    rows = SpendEntry.objects.filter(campaign=campaign).select_related("line", "created_by")
    if kind:
        rows = rows.filter(kind=kind)
    return rows.order_by("-date", "-created_at", "-pk")


def imports_of(campaign: Campaign, kind: str, *, most: int = 10) -> QuerySet[CsvImport]:
    """The last files, and what became of them."""
    rows = CsvImport.objects.filter(campaign=campaign, kind=kind).exclude(state=CsvImport.State.DISCARDED)
    return rows.select_related("created_by").order_by("-created_at")[:most]
