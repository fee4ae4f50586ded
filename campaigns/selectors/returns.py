"""What a campaign brought back, by every model of attribution at once.

Shares come from the latest runs, amounts from the conversions as they are now. A number is a band: the
models disagree, and the width of the band says how much the answer depends on which one is believed.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum

from accounts.metric_wording import (
    metric_description,
    metric_label,
    metric_left_out,
    metric_side_words,
)
from accounts.models import Brand
from audience.models import Stage
from campaigns.models import (
    AttributionCredit,
    AttributionModel,
    AttributionRun,
    Campaign,
    Conversion,
    ConversionKind,
    CostKind,
    LeadStageEvent,
    SpendEntry,
    TrackedLink,
)
from campaigns.selectors.numbers import new_customers
from metrics.formulas import Ratio, ratio
from metrics.money import cost_per, roas, roi
from metrics.registry import Kind, Metric, Unit, UnknownMetric, metric

MODELS = tuple(AttributionModel)
_NOTHING = Decimal(0)
_AMOUNT: DecimalField[Any, Any] = DecimalField(max_digits=30, decimal_places=16)


@dataclass(frozen=True, slots=True)
class Runs:
    """The latest run of each model; they are made together. ``newer``: conversions that were reported since
    and are in none of them."""

    of: Mapping[AttributionModel, AttributionRun]
    newer: int

    @property
    def any(self) -> AttributionRun:
        return next(iter(self.of.values()))


def runs_of(brand: Brand) -> Runs | None:
    """None before the first run."""
    latest = AttributionRun.objects.filter(brand=brand).order_by("model", "-created_at", "-pk")
    found = {AttributionModel(run.model): run for run in latest.distinct("model")}
    if not found:
        return None
    made_at = next(iter(found.values())).created_at
    newer = Conversion.objects.for_brand(brand).filter(received_at__gt=made_at).count()
    return Runs({model: found[model] for model in MODELS if model in found}, newer)


# --- credited numbers -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Credited:
    """What one model gives to something. Counts are sums of shares, so they have fractions; ``revenue`` is
    of sales, net of refunds, and means something where ``currencies`` is one: a brand may have earned in
    another before. The ``*_rows`` say how many conversions have a share in each."""

    leads: Decimal = _NOTHING
    sales: Decimal = _NOTHING
    customers: Decimal = _NOTHING
    revenue: Decimal = _NOTHING
    currencies: Sequence[str] = ()
    lead_rows: int = 0
    sale_rows: int = 0
    customer_rows: int = 0

    @property
    def conversions(self) -> Decimal:
        return self.leads + self.sales


def _credited(
    rows: QuerySet[AttributionCredit], brand: Brand, *group: str
) -> list[tuple[tuple[Any, ...], Credited]]:
    """One query: for each model and group what it gives, as ((model, *group), numbers)."""
    is_sale = Q(conversion__kind=ConversionKind.SALE)
    net = ExpressionWrapper(
        F("share") * (F("conversion__value") - F("conversion__refunded")), output_field=_AMOUNT
    )
    became = new_customers(LeadStageEvent.objects.filter(brand=brand, stage=Stage.CUSTOMER))
    made_customer = Q(conversion__in=became.values("conversion_id"))
    sums = (
        rows.order_by()
        .values("run__model", *group)
        .annotate(
            leads=Sum("share", filter=~is_sale, default=_NOTHING),
            sales=Sum("share", filter=is_sale, default=_NOTHING),
            customers=Sum("share", filter=made_customer, default=_NOTHING),
            revenue=Sum(net, filter=is_sale, default=_NOTHING),
            currencies=ArrayAgg("conversion__currency", filter=is_sale, distinct=True, default=[]),
            lead_rows=Count("conversion", filter=~is_sale, distinct=True),
            sale_rows=Count("conversion", filter=is_sale, distinct=True),
            customer_rows=Count("conversion", filter=made_customer, distinct=True),
        )
    )
    return [
        (
            (AttributionModel(row["run__model"]), *(row[name] for name in group)),
            Credited(**{one.name: row[one.name] for one in fields(Credited)}),
        )
        for row in sums
    ]


def currencies_of(credited: Iterable[Credited]) -> set[str]:
    """What the sales among these were paid in."""
    return {currency for one in credited for currency in one.currencies}


def _of_campaign(runs: Runs, campaign: Campaign) -> QuerySet[AttributionCredit]:
    return AttributionCredit.objects.filter(run__in=runs.of.values(), campaign=campaign)


# --- return on investment ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cost:
    kind: CostKind
    amount: Decimal
    rows: int


@dataclass(frozen=True, slots=True)
class FigureWords:
    """What a figure is called and made of, in the active language; its sides are "" where it has none."""

    label: str
    description: str
    numerator: str
    numerator_unit: Unit
    denominator: str
    denominator_unit: Unit
    left_out: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the return, by every model: ``ratios`` keep both sides, ``rows`` count conversions that
    have a share in it. ``chosen`` is the model that the page shows as the point."""

    metric: Metric
    ratios: Mapping[AttributionModel, Ratio]
    rows: Mapping[AttributionModel, int]
    chosen: AttributionModel

    @property
    def words(self) -> FigureWords:
        one = self.metric
        is_ratio = one.kind is Kind.RATIO
        return FigureWords(
            label=metric_label(one),
            description=metric_description(one),
            numerator=metric_side_words(one.numerator) if is_ratio else "",
            numerator_unit=_unit_of(one.numerator),
            denominator=metric_side_words(one.denominator) if is_ratio else "",
            denominator_unit=_unit_of(one.denominator),
            left_out=metric_left_out(one),
        )

    @property
    def rows_chosen(self) -> int:
        return self.rows[self.chosen]

    @property
    def ratio(self) -> Ratio:
        return self.ratios[self.chosen]

    @property
    def value(self) -> Decimal | None:
        return self.ratio.value

    @property
    def values(self) -> list[tuple[AttributionModel, Decimal | None]]:
        return [(model, one.value) for model, one in self.ratios.items()]

    @property
    def _known(self) -> list[Decimal]:
        return [value for _model, value in self.values if value is not None]

    @property
    def low(self) -> Decimal | None:
        return min(self._known, default=None)

    @property
    def high(self) -> Decimal | None:
        return max(self._known, default=None)


@dataclass(frozen=True, slots=True)
class Returns:
    """``credited`` by model; ``figures`` in the order in which they are shown, amounts in ``currency``.
    ``from_before``: the campaign began before the runs look back to, so that they miss its beginning.
    ``earned_in``: the currencies of the brand and of these sales; ``is_mixed``: it is not only the one that
    the campaign spends in, so nothing is divided."""

    campaign: Campaign
    runs: Runs
    chosen: AttributionModel
    costs: tuple[Cost, ...]
    spend: Decimal
    media_spend: Decimal
    credited: Mapping[AttributionModel, Credited]
    results: tuple[Figure, ...]  # what came back: leads, customers, revenue, margin
    figures: tuple[Figure, ...]  # what that means per cost
    from_before: bool
    earned_in: tuple[str, ...]
    is_mixed: bool

    @property
    def currency(self) -> str:
        return self.campaign.currency

    @property
    def spend_rows(self) -> int:
        return sum(cost.rows for cost in self.costs)

    @property
    def all_figures(self) -> tuple[Figure, ...]:
        return (*self.figures, *self.results)


def _unit_of(side: str) -> Unit:
    """A side that is no metric itself is a difference of amounts."""
    try:
        return metric(side).unit
    except UnknownMetric:
        return Unit.MONEY


def returns_of(campaign: Campaign, runs: Runs, *, chosen: AttributionModel) -> Returns:
    """All costs of the campaign against everything that the latest runs credit to it. Two queries."""
    costs = _costs(campaign)
    spend = sum((cost.amount for cost in costs), _NOTHING)
    media = sum((cost.amount for cost in costs if cost.kind is CostKind.MEDIA), _NOTHING)
    found = dict.fromkeys(runs.of, Credited())
    for (model,), numbers in _credited(_of_campaign(runs, campaign), campaign.brand):
        found[model] = numbers

    def figure(key: str, rows: str, of: Callable[[Credited], Ratio]) -> Figure:
        return Figure(
            metric(key),
            {model: of(one) for model, one in found.items()},
            {model: _rows(one, rows) for model, one in found.items()},
            chosen,
        )

    earned_in = currencies_of(found.values()) | {campaign.brand.currency}
    is_mixed = earned_in != {campaign.currency}

    def revenue(one: Credited) -> Decimal | None:
        return None if is_mixed else one.revenue

    def margin(one: Credited) -> Decimal | None:
        back = revenue(one)
        return None if back is None or campaign.margin_rate is None else back * campaign.margin_rate

    return Returns(
        campaign=campaign,
        runs=runs,
        chosen=chosen,
        costs=tuple(costs),
        spend=spend,
        media_spend=media,
        credited=found,
        results=(
            figure("leads", "lead", lambda one: _amount(one.leads)),
            figure("customers", "customer", lambda one: _amount(one.customers)),
            figure("revenue", "sale", lambda one: _amount(revenue(one))),
            figure("gross_margin", "sale", lambda one: _amount(margin(one))),
        ),
        figures=(
            figure("roi_revenue", "sale", lambda one: roi(revenue(one), spend)),
            figure("roi_margin", "sale", lambda one: roi(margin(one), spend)),
            figure("roas", "sale", lambda one: roas(revenue(one), media)),
            figure("cpl", "lead", lambda one: cost_per(spend, one.leads)),
            figure("cpa", "", lambda one: cost_per(spend, one.conversions)),
            figure("cac", "customer", lambda one: cost_per(spend, one.customers)),
        ),
        from_before=_began_at(campaign) < runs.any.since,
        earned_in=tuple(sorted(earned_in)),
        is_mixed=is_mixed,
    )


def _amount(value: Decimal | None) -> Ratio:
    """A number that is no quotient, in the shape of the others."""
    return ratio(value, 1)


def _rows(one: Credited, kind: str) -> int:
    """How many conversions of a kind (lead, sale or customer; "" is any) have a share."""
    return int(getattr(one, f"{kind}_rows")) if kind else one.lead_rows + one.sale_rows


def _began_at(campaign: Campaign) -> dt.datetime:
    """The midnight before its first day, to the day: enough to know what a run of 400 days misses."""
    return dt.datetime.combine(campaign.starts_on, dt.time(), dt.UTC)


def _costs(campaign: Campaign) -> list[Cost]:
    rows = (
        SpendEntry.objects.filter(campaign=campaign)
        .order_by()
        .values("kind")
        .annotate(amount=Sum("amount"), rows=Count("pk"))
    )
    of_kind = {row["kind"]: row for row in rows}
    return [
        Cost(kind, of_kind[kind]["amount"], of_kind[kind]["rows"]) for kind in CostKind if kind in of_kind
    ]


# --- who gets the credit ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shared:
    """What one network or link of a campaign gets, by model."""

    platform: str
    link: TrackedLink | None
    of: Mapping[AttributionModel, Credited]

    def by(self, name: str) -> list[Decimal]:
        """``conversions``, ``leads``, ``sales``, ``customers`` or ``revenue`` under each model, in the order
        of MODELS."""
        return [getattr(self.of.get(model, Credited()), name) for model in MODELS]


def shared_by_network(campaign: Campaign, runs: Runs) -> list[Shared]:
    """Sorted by name of the key; "" is what came without a network, or without any touch."""
    of: dict[str, dict[AttributionModel, Credited]] = defaultdict(dict)
    for (model, platform), numbers in _credited(_of_campaign(runs, campaign), campaign.brand, "platform"):
        of[platform][model] = numbers
    return [Shared(platform, None, of[platform]) for platform in sorted(of, key=lambda key: (not key, key))]


def shared_by_link(campaign: Campaign, runs: Runs) -> list[Shared]:
    """Every link that any model gives anything to, the one with most (by the mean of the models) first.
    Credit without a link is not among them."""
    of: dict[uuid.UUID, dict[AttributionModel, Credited]] = defaultdict(dict)
    with_link = _of_campaign(runs, campaign).filter(touchpoint__link__isnull=False)
    for (model, link_id), numbers in _credited(with_link, campaign.brand, "touchpoint__link_id"):
        of[link_id][model] = numbers
    links = TrackedLink.objects.in_bulk(of.keys())
    rows = [Shared(links[pk].platform, links[pk], by_model) for pk, by_model in of.items() if pk in links]
    return sorted(rows, key=lambda row: (-sum(row.by("conversions")), -sum(row.by("revenue")), row.link.pk))  # type: ignore[union-attr]


# --- one conversion ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TouchShares:
    """One touch before a conversion (None: there was none) and its share under each model of MODELS."""

    credit: AttributionCredit
    shares: tuple[Decimal, ...]


def shares_of(conversion: Conversion) -> list[TouchShares]:
    """How the latest runs share it out, oldest touch first; nothing before they saw it."""
    runs = runs_of(conversion.brand)
    if runs is None:
        return []
    given = AttributionCredit.objects.filter(run__in=runs.of.values(), conversion=conversion).select_related(
        "run", "campaign", "touchpoint__link"
    )
    of_touch: dict[uuid.UUID | None, list[AttributionCredit]] = defaultdict(list)
    for credit in given:
        of_touch[credit.touchpoint_id].append(credit)
    rows = [_touch_shares(found) for found in of_touch.values()]
    return sorted(rows, key=_when)


def _touch_shares(given: Sequence[AttributionCredit]) -> TouchShares:
    of = {credit.run.model: credit.share for credit in given}
    return TouchShares(given[0], tuple(of.get(model, _NOTHING) for model in MODELS))


def _when(row: TouchShares) -> tuple[bool, dt.datetime]:
    touch = row.credit.touchpoint
    return (touch is None, touch.at if touch else dt.datetime.min.replace(tzinfo=dt.UTC))
