"""The numbers of campaigns: of a brand or of all, campaign by campaign and network by network."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from analytics.selectors.carried import carried
from analytics.selectors.figures import Chart, Figure, compared, daily_chart
from analytics.selectors.measures import Measured, campaign_values
from analytics.selectors.subjects import Period, Subject, label_of_network
from campaigns.models import Campaign
from campaigns.selectors import numbers as campaign_numbers
from campaigns.selectors.numbers import Totals
from campaigns.selectors.spend import Pace, Verdict, paces_of
from core.time import to_local

# In the order of the page.
KEYS = (
    "spend",
    "clicks",
    "ctr",
    "leads",
    "customers",
    "conversion_rate",
    "revenue",
    "cpl",
    "cac",
    "roas",
    "roi_revenue",
    "roi_margin",
)
CAMPAIGN_COLUMNS = (
    "spend",
    "clicks",
    "leads",
    "customers",
    "revenue",
    "cpl",
    "cac",
    "roas",
    "roi_revenue",
    "roi_margin",
)
NETWORK_COLUMNS = ("spend", "clicks", "cpc", "leads", "customers", "revenue", "roas")
ALARMING = (Verdict.UNDER, Verdict.OVER, Verdict.OVER_BUDGET)


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """``campaign`` None: what belongs to none."""

    campaign: Campaign | None
    subject: Subject | None
    currency: str
    values: tuple[Measured, ...]  # of CAMPAIGN_COLUMNS
    pace: Pace | None


@dataclass(frozen=True, slots=True)
class NetworkLine:
    label: str
    platform: str
    subject: Subject | None
    currency: str
    values: tuple[Measured, ...]  # of NETWORK_COLUMNS


@dataclass(frozen=True, slots=True)
class Marketing:
    subject: Subject
    period: Period
    currency: str  # "" where amounts of several currencies meet and are not added up
    figures: tuple[Figure, ...]  # of KEYS; without a common currency those that show no money
    campaigns: tuple[CampaignLine, ...]
    networks: tuple[NetworkLine, ...]
    alarms: tuple[CampaignLine, ...]  # running campaigns that spend too slowly, too fast or too much
    money: Chart | None
    people: Chart | None
    is_empty: bool


def marketing(subject: Subject, period: Period, *, now: dt.datetime) -> Marketing:
    """The whole subject over ``period`` beside the period before it. Charts only of one brand: days of
    several do not begin at the same moment."""
    brands, before, zone = subject.brands, period.before(), subject.zone
    instants, instants_before = period.instants(zone), before.instants(zone)
    apart = campaign_numbers.by_campaign_and_network(brands=brands, start=instants.start, end=instants.end)
    now_totals = campaign_numbers.together(apart.values(), subject.currency)
    days: dict[dt.date, Totals] = {}
    if len(brands) == 1:
        days = campaign_numbers.by_day(brand=brands[0], start=instants_before.start, end=instants.end)
        earlier = [totals for date, totals in days.items() if date <= before.last]
        before_totals = campaign_numbers.together(earlier, subject.currency)
    else:
        before_totals = campaign_numbers.totals(
            brands=brands, start=instants_before.start, end=instants_before.end
        )
    ids = subject.account_ids()
    seen, seen_before = carried(ids, [instants, instants_before], None)
    values, earlier_values = campaign_values(now_totals, seen), campaign_values(before_totals, seen_before)
    has_one_currency = now_totals.currency == before_totals.currency != ""
    lines = _campaigns(subject, apart, now)
    return Marketing(
        subject=subject,
        period=period,
        currency=now_totals.currency,
        figures=tuple(
            compared(
                values[key],
                earlier_values[key] if has_one_currency or not values[key].metric.shows_money else None,
                currency=now_totals.currency,
                why=_why(values[key], now_totals),
            )
            for key in KEYS
            if now_totals.currency or not values[key].metric.shows_money
        ),
        campaigns=lines,
        networks=_networks(subject, apart),
        alarms=tuple(
            line for line in lines if line.pace and line.pace.verdict in ALARMING and _is_running(line, now)
        ),
        money=_chart(days, period, ("spend", "revenue")),
        people=_chart(days, period, ("clicks", "leads", "customers")),
        is_empty=not lines,
    )


def _why(value: Measured, totals: Totals) -> str:
    if value.metric.key in ("ctr", "cpm"):
        return _("No post of this period has both impressions and a tracked link.")
    if value.metric.key == "roi_margin" and totals.margin is None:
        return _("No campaign with revenue states its margin.")
    if value.metric.key == "roas":
        return _("Nothing was spent on media in this period.")
    return _("There is nothing to divide by in this period.")


def _campaigns(
    subject: Subject, apart: dict[tuple[uuid.UUID | None, str], Totals], now: dt.datetime
) -> tuple[CampaignLine, ...]:
    """Campaigns that something happened in, or that run now; the highest spend first, none at the end."""
    brands = {brand.pk: brand for brand in subject.brands}
    met = {campaign for campaign, _platform in apart if campaign is not None}
    runs = Q(pk__in=[])
    for zone in {brand.timezone for brand in subject.brands}:
        today = to_local(now, zone).date()
        runs |= Q(brand__timezone=zone, starts_on__lte=today, ends_on__gte=today, archived_at__isnull=True)
    campaigns = list(Campaign.objects.filter(Q(pk__in=met) | runs, brand__in=subject.brands))
    for campaign in campaigns:
        campaign.brand = brands[campaign.brand_id]
    paces = paces_of([(one, to_local(now, one.brand.timezone).date()) for one in campaigns])
    lines = [_campaign_line(one, apart, paces[one.pk]) for one in campaigns]
    lines.sort(key=lambda line: (-(line.values[0].value or Decimal(0)), str(line.campaign)))
    if any(campaign is None for campaign, _platform in apart):
        lines.append(_campaign_line(None, apart, None, subject.currency))
    return tuple(lines)


def _campaign_line(
    campaign: Campaign | None,
    apart: dict[tuple[uuid.UUID | None, str], Totals],
    pace: Pace | None,
    currency: str = "",
) -> CampaignLine:
    pk = campaign.pk if campaign else None
    own = [totals for (of, _platform), totals in apart.items() if of == pk]
    totals = campaign_numbers.together(own, campaign.currency if campaign else currency)
    values = campaign_values(totals, None)
    return CampaignLine(
        campaign=campaign,
        subject=Subject((campaign.brand,), campaign=campaign) if campaign else None,
        currency=totals.currency,
        values=tuple(values[key] for key in CAMPAIGN_COLUMNS),
        pace=pace,
    )


def _is_running(line: CampaignLine, now: dt.datetime) -> bool:
    campaign = line.campaign
    if campaign is None or campaign.archived_at is not None:
        return False
    return campaign.starts_on <= to_local(now, campaign.brand.timezone).date() <= campaign.ends_on


def _networks(subject: Subject, apart: dict[tuple[uuid.UUID | None, str], Totals]) -> tuple[NetworkLine, ...]:
    """The most clicks first, no network at the end."""
    lines = []
    for platform in {platform for _campaign, platform in apart}:
        own = [totals for (_campaign, of), totals in apart.items() if of == platform]
        totals = campaign_numbers.together(own, subject.currency)
        values = campaign_values(totals, None)
        lines.append(
            NetworkLine(
                label=label_of_network(platform),
                platform=platform,
                subject=Subject(subject.brands, platform=platform) if platform else None,
                currency=totals.currency,
                values=tuple(values[key] for key in NETWORK_COLUMNS),
            )
        )
    return tuple(
        sorted(lines, key=lambda line: (not line.platform, -(line.values[1].value or 0), line.label))
    )


def _chart(days: dict[dt.date, Totals], period: Period, keys: Iterable[str]) -> Chart | None:
    if not days:
        return None
    dates = period.dates()
    lines = {key: [_value(days.get(date), key) for date in dates] for key in keys}
    return daily_chart(dates, lines) if any(value for line in lines.values() for value in line) else None


def _value(totals: Totals | None, key: str) -> Decimal | None:
    found = getattr(totals, key) if totals else 0
    return None if found is None else Decimal(found)
