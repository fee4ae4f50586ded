"""Counts and sums of campaigns over a period, for pages here and in analytics.

Money of a conversion stands at the moment when it happened, less what was refunded since, whenever that
was: so the revenue of a period and the sales it counts are the same sales. Conversions count with and
without a campaign; ``campaign`` narrows everything to one.
"""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import (
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, TruncDate

from accounts.models import Brand
from audience.models import Stage
from campaigns.models import (
    Campaign,
    Click,
    Conversion,
    ConversionKind,
    CostKind,
    LeadStageEvent,
    SpendEntry,
)
from core.time import day_range

M = TypeVar("M", bound=Model)
Row = Mapping[str, Any]
_AMOUNT: DecimalField[Any, Any] = DecimalField(max_digits=24, decimal_places=8)


@dataclass(frozen=True, slots=True)
class Totals:
    """Amounts are in ``currency``. Where rows of several currencies meet, it is "" and all amounts are None,
    because no sum of them means anything."""

    spend: Decimal | None  # costs of every kind
    media_spend: Decimal | None
    clicks: int  # of people
    bot_clicks: int
    leads: int  # conversions of the kind lead
    customers: int  # people who became customers; a sale without a known person makes none
    conversions: int  # leads and sales
    sales: int
    revenue: Decimal | None  # of sales, net of refunds; the value of a lead is no revenue
    refunded: Decimal | None
    margin: Decimal | None  # of the part of revenue whose campaign says its margin; None: none does
    revenue_without_margin: Decimal | None  # the other part
    currency: str


def totals(
    *, brands: Sequence[Brand], start: dt.datetime, end: dt.datetime, campaign: Campaign | None = None
) -> Totals:
    """Over all ``brands``, from ``start`` until before ``end``. A date's spend counts where its midnight, in
    the zone of its brand, lies in the period."""
    found = _Found(
        spend=_grouped(_spend(brands, start, end, campaign), {}),
        clicks=_counted(_clicks(brands, start, end, campaign), {}),
        conversions=_converted(_conversions(brands, start, end, campaign), {}),
        customers=_customers(_stages(brands, start, end, campaign), {}),
    )
    return found.totals({brand.currency for brand in brands})


def by_day(
    *, brand: Brand, start: dt.datetime, end: dt.datetime, campaign: Campaign | None = None
) -> dict[dt.date, Totals]:
    """Every date of the brand's zone that the period touches, in order, also those without anything."""
    if start >= end:
        return {}
    zone = zoneinfo.ZoneInfo(brand.timezone)
    brands = [brand]
    found = _Found(
        spend=_grouped(_spend(brands, start, end, campaign), {"day": F("date")}),
        clicks=_counted(_clicks(brands, start, end, campaign), {"day": TruncDate("at", tzinfo=zone)}),
        conversions=_converted(
            _conversions(brands, start, end, campaign), {"day": TruncDate("happened_at", tzinfo=zone)}
        ),
        customers=_customers(_stages(brands, start, end, campaign), {"day": TruncDate("at", tzinfo=zone)}),
    )
    first = start.astimezone(zone).date()
    last = (end - dt.timedelta(microseconds=1)).astimezone(zone).date()
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    of_day = found.apart("day")
    return {day: of_day[(day,)].totals({brand.currency}) for day in days}


def by_campaign_and_network(
    *, brands: Sequence[Brand], start: dt.datetime, end: dt.datetime
) -> dict[tuple[uuid.UUID | None, str], Totals]:
    """Every campaign and network (its key) that anything happened in, as ``totals`` counts it. None is no
    campaign, "" no network. A conversion, and the customer whom it made, belong to the network of the click
    that they name."""
    clicked = Coalesce(F("click__link__platform"), Value(""))
    led = Coalesce(F("conversion__click__link__platform"), Value(""))
    own = F("campaign_id")
    found = _Found(
        spend=_grouped(_spend(brands, start, end, None), {"one": own, "other": F("platform")}),
        clicks=_counted(
            _clicks(brands, start, end, None),
            {"one": F("link__campaign_id"), "other": F("link__platform")},
        ),
        conversions=_converted(_conversions(brands, start, end, None), {"one": own, "other": clicked}),
        customers=_customers(_stages(brands, start, end, None), {"one": own, "other": led}),
    )
    currencies = {brand.currency for brand in brands}
    return {(one, other): of.totals(currencies) for (one, other), of in found.apart("one", "other").items()}


def together(parts: Iterable[Totals], currency: str) -> Totals:
    """The sum of several, of ``currency`` if there is no money in them. Parts in several currencies have no
    amounts."""
    given = list(parts)
    has_money = [part for part in given if part.spend is None or part.spend or part.revenue or part.refunded]
    currencies = {part.currency for part in has_money} or {currency}
    is_one = len(currencies) == 1 and "" not in currencies

    def amount(values: list[Decimal | None]) -> Decimal | None:
        known = [value for value in values if value is not None]
        return sum(known, Decimal(0)) if is_one else None

    margins = [part.margin for part in given]
    return Totals(
        spend=amount([part.spend for part in given]),
        media_spend=amount([part.media_spend for part in given]),
        clicks=sum(part.clicks for part in given),
        bot_clicks=sum(part.bot_clicks for part in given),
        leads=sum(part.leads for part in given),
        customers=sum(part.customers for part in given),
        conversions=sum(part.conversions for part in given),
        sales=sum(part.sales for part in given),
        revenue=amount([part.revenue for part in given]),
        refunded=amount([part.refunded for part in given]),
        margin=amount(margins) if any(margin is not None for margin in margins) else None,
        revenue_without_margin=amount([part.revenue_without_margin for part in given]),
        currency=currencies.pop() if is_one else "",
    )


def new_customers(events: QuerySet[LeadStageEvent]) -> QuerySet[LeadStageEvent]:
    """Those by which somebody became a customer. Two people who turned out to be one (merged) are one
    customer, the earlier."""
    same = LeadStageEvent.objects.filter(
        stage=Stage.CUSTOMER, identity__contact_id=OuterRef("identity__contact_id")
    )
    earlier = same.filter(Q(at__lt=OuterRef("at")) | Q(at=OuterRef("at"), pk__lt=OuterRef("pk")))
    return events.filter(~Exists(earlier), stage=Stage.CUSTOMER).order_by()


# --- rows -------------------------------------------------------------------------------------


def _of_campaign(rows: QuerySet[M], campaign: Campaign | None, field: str = "campaign") -> QuerySet[M]:
    return rows if campaign is None else rows.filter(**{field: campaign})


def _spend(
    brands: Sequence[Brand], start: dt.datetime, end: dt.datetime, campaign: Campaign | None
) -> QuerySet[SpendEntry]:
    """Dates belong to zones, so each zone has its own first and last one."""
    of_zone: dict[str, list[Brand]] = defaultdict(list)
    for brand in brands:
        of_zone[brand.timezone].append(brand)
    wanted = Q(pk__in=[])
    for zone, members in of_zone.items():
        wanted |= Q(
            campaign__brand__in=members,
            date__gte=_first_day_from(start, zone),
            date__lt=_first_day_from(end, zone),
        )
    return _of_campaign(SpendEntry.objects.filter(wanted), campaign)


def _first_day_from(instant: dt.datetime, zone: str) -> dt.date:
    """The first date of ``zone`` that begins at ``instant`` or later."""
    day = instant.astimezone(zoneinfo.ZoneInfo(zone)).date()
    return day if day_range(day, zone).start >= instant else day + dt.timedelta(days=1)


def _clicks(
    brands: Sequence[Brand], start: dt.datetime, end: dt.datetime, campaign: Campaign | None
) -> QuerySet[Click]:
    rows = Click.objects.filter(link__brand__in=brands, at__gte=start, at__lt=end)
    return _of_campaign(rows, campaign, "link__campaign")


def _conversions(
    brands: Sequence[Brand], start: dt.datetime, end: dt.datetime, campaign: Campaign | None
) -> QuerySet[Conversion]:
    rows = Conversion.objects.filter(brand__in=brands, happened_at__gte=start, happened_at__lt=end)
    return _of_campaign(rows, campaign)


def _stages(
    brands: Sequence[Brand], start: dt.datetime, end: dt.datetime, campaign: Campaign | None
) -> QuerySet[LeadStageEvent]:
    rows = LeadStageEvent.objects.filter(brand__in=brands, at__gte=start, at__lt=end)
    return _of_campaign(rows, campaign)


# --- one query each, grouped by what ``group`` says and by currency ----------------------------


def _grouped(rows: QuerySet[SpendEntry], group: Mapping[str, Any]) -> list[Row]:
    return list(
        rows.order_by()
        .values(currency=F("campaign__currency"), **group)
        .annotate(spend=Sum("amount"), media=Sum("amount", filter=Q(kind=CostKind.MEDIA), default=Decimal(0)))
    )


def _counted(rows: QuerySet[Click], group: Mapping[str, Any]) -> list[Row]:
    # Of rows, not of keys: the index has all that is asked for, and not the key.
    return list(rows.order_by().values("is_bot", **group).annotate(clicks=Count("*")))


def _converted(rows: QuerySet[Conversion], group: Mapping[str, Any]) -> list[Row]:
    net = ExpressionWrapper(F("value") - F("refunded"), output_field=_AMOUNT)
    margin = ExpressionWrapper(
        (F("value") - F("refunded")) * F("campaign__margin_rate"), output_field=_AMOUNT
    )
    is_sale = Q(kind=ConversionKind.SALE)
    has_margin = is_sale & Q(campaign__margin_rate__isnull=False)
    return list(
        rows.order_by()
        .values("currency", **group)
        .annotate(
            leads=Count("pk", filter=Q(kind=ConversionKind.LEAD)),
            sales=Count("pk", filter=is_sale),
            revenue=Sum(net, filter=is_sale, default=Decimal(0)),
            given_back=Sum("refunded", filter=is_sale, default=Decimal(0)),
            margin=Sum(margin, filter=has_margin),
            without_margin=Sum(net, filter=is_sale & ~has_margin, default=Decimal(0)),
        )
    )


def _customers(rows: QuerySet[LeadStageEvent], group: Mapping[str, Any]) -> list[Row]:
    became = new_customers(rows)
    if not group:
        return [{"customers": became.count()}]
    return list(became.values(**group).annotate(customers=Count("pk")))


@dataclass(frozen=True, slots=True)
class _Found:
    """Grouped rows; each has the values that it was grouped by, under names of the caller's."""

    spend: list[Row]
    clicks: list[Row]
    conversions: list[Row]
    customers: list[Row]

    def apart(self, *keys: str) -> dict[tuple[Any, ...], _Found]:
        """The rows of each set of values of ``keys``."""
        of: dict[tuple[Any, ...], _Found] = defaultdict(lambda: _Found([], [], [], []))
        for name in ("spend", "clicks", "conversions", "customers"):
            for row in getattr(self, name):
                getattr(of[tuple(row[key] for key in keys)], name).append(row)
        return of

    def totals(self, currencies: set[str]) -> Totals:
        """``currencies``: those of the brands, for when no row has money."""
        met = {str(row["currency"]) for row in [*self.spend, *self.conversions]} or currencies
        is_one = len(met) == 1

        def amount(rows: list[Row], key: str) -> Decimal | None:
            if not is_one:
                return None
            return sum((row[key] for row in rows if row[key] is not None), Decimal(0))

        leads, sales = (sum(row[key] for row in self.conversions) for key in ("leads", "sales"))
        has_margin = any(row["margin"] is not None for row in self.conversions)
        return Totals(
            spend=amount(self.spend, "spend"),
            media_spend=amount(self.spend, "media"),
            clicks=sum(row["clicks"] for row in self.clicks if not row["is_bot"]),
            bot_clicks=sum(row["clicks"] for row in self.clicks if row["is_bot"]),
            leads=leads,
            customers=sum(row["customers"] for row in self.customers),
            conversions=leads + sales,
            sales=sales,
            revenue=amount(self.conversions, "revenue"),
            refunded=amount(self.conversions, "given_back"),
            margin=amount(self.conversions, "margin") if has_margin else None,
            revenue_without_margin=amount(self.conversions, "without_margin"),
            currency=next(iter(met)) if is_one else "",
        )
