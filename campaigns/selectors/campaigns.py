"""Campaigns as people look for them: the list with its filter, and how one stands."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.metric_wording import metric_label
from accounts.models import Brand, Membership
from campaigns.models import Campaign
from campaigns.selectors.numbers import Totals, totals
from campaigns.selectors.spend import Pace, paces_of
from core.time import to_local
from metrics.money import cost_per, roas, roi
from metrics.registry import Metric, metric

# What a campaign can be given as a target, in the order of its form.
TARGETS = (
    "clicks",
    "leads",
    "customers",
    "sales",
    "conversions",
    "revenue",
    "cpl",
    "cpa",
    "cac",
    "roas",
    "roi_revenue",
    "roi_margin",
)
_ALWAYS = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class CampaignState(models.TextChoices):
    PLANNED = "planned", _("Planned")
    RUNNING = "running", _("Running")
    ENDED = "ended", _("Ended")
    ARCHIVED = "archived", _("Archived")


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """What the address asks for. Without a state everything is shown that is not archived."""

    state: CampaignState | None = None
    text: str = ""

    @property
    def is_empty(self) -> bool:
        return self.state is None and not self.text


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """One campaign as it stands today. ``days_left``: whole days after today, None outside its flight;
    ``days_until``: before its first day."""

    campaign: Campaign
    state: CampaignState
    pace: Pace
    days_left: int | None
    days_until: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """What was reached of one target. ``value`` is None while it cannot be computed."""

    metric: Metric
    label: str
    target: Decimal
    value: Decimal | None

    @property
    def share(self) -> Decimal | None:
        """Value ÷ target."""
        return self.value / self.target if self.value is not None and self.target else None

    @property
    def is_limit(self) -> bool:
        """A cost is to stay below its target; anything else is to reach it."""
        return self.metric.is_higher_better is False

    @property
    def is_met(self) -> bool:
        if self.value is None:
            return False
        return self.value <= self.target if self.is_limit else self.value >= self.target


def today_of(brand: Brand, now: dt.datetime) -> dt.date:
    """The date that it is for the brand."""
    return to_local(now, brand.timezone).date()


def state_of(campaign: Campaign, now: dt.datetime) -> CampaignState:
    today = today_of(campaign.brand, now)
    if campaign.archived_at is not None:
        return CampaignState.ARCHIVED
    if today < campaign.starts_on:
        return CampaignState.PLANNED
    return CampaignState.RUNNING if today <= campaign.ends_on else CampaignState.ENDED


def campaigns_of(
    membership: Membership, brand: Brand | None, wanted: CampaignFilter, now: dt.datetime
) -> QuerySet[Campaign]:
    """The campaigns that the filter leaves: the latest start first."""
    rows = Campaign.objects.for_member(membership).select_related("brand")
    if brand is not None:
        rows = rows.filter(brand=brand)
    if wanted.text:
        rows = rows.filter(Q(name__icontains=wanted.text) | Q(code__icontains=wanted.text))
    if wanted.state is CampaignState.ARCHIVED:
        rows = rows.filter(archived_at__isnull=False)
    else:
        rows = rows.filter(archived_at__isnull=True)
        if wanted.state is not None:
            brands = [brand] if brand is not None else list(Brand.objects.for_member(membership))
            rows = rows.filter(_in_state(wanted.state, brands, now))
    return rows.order_by("-starts_on", "-pk")


def _in_state(state: CampaignState, brands: Sequence[Brand], now: dt.datetime) -> Q:
    """Each zone has its own today."""
    found = Q(pk__in=[])
    for zone in {brand.timezone for brand in brands}:
        today = to_local(now, zone).date()
        of_zone = Q(brand__timezone=zone)
        if state is CampaignState.PLANNED:
            found |= of_zone & Q(starts_on__gt=today)
        elif state is CampaignState.RUNNING:
            found |= of_zone & Q(starts_on__lte=today, ends_on__gte=today)
        else:
            found |= of_zone & Q(ends_on__lt=today)
    return found


def rows_of(campaigns: Sequence[Campaign], now: dt.datetime) -> list[CampaignRow]:
    """How each of them stands. Two queries, whatever the number."""
    paces = paces_of([(campaign, today_of(campaign.brand, now)) for campaign in campaigns])
    return [_row(campaign, paces[campaign.pk], now) for campaign in campaigns]


def row_of(campaign: Campaign, now: dt.datetime) -> CampaignRow:
    return rows_of([campaign], now)[0]


def _row(campaign: Campaign, pace: Pace, now: dt.datetime) -> CampaignRow:
    today = today_of(campaign.brand, now)
    is_in_flight = campaign.starts_on <= today <= campaign.ends_on
    return CampaignRow(
        campaign=campaign,
        state=state_of(campaign, now),
        pace=pace,
        days_left=(campaign.ends_on - today).days if is_in_flight else None,
        days_until=(campaign.starts_on - today).days if today < campaign.starts_on else None,
    )


def choosable(brand: Brand, also: uuid.UUID | None = None) -> QuerySet[Campaign]:
    """The campaigns that a post can be put into, and (``also``) the one that it is in already."""
    return Campaign.objects.filter(Q(archived_at__isnull=True) | Q(pk=also), brand=brand).order_by(
        "-starts_on", "name"
    )


# --- results against targets ------------------------------------------------------------------


def results_of(campaign: Campaign, now: dt.datetime) -> list[Result]:
    """Each target with what was reached of it so far, whenever that was; no query without targets but one."""
    targets = {target.metric: target.value for target in campaign.targets.all()}
    if not targets:
        return []
    values = _values(totals(brands=[campaign.brand], start=_ALWAYS, end=now, campaign=campaign))
    return [
        Result(metric(key), metric_label(key), targets[key], values[key]) for key in TARGETS if key in targets
    ]


def _values(found: Totals) -> dict[str, Decimal | None]:
    return {
        "clicks": Decimal(found.clicks),
        "leads": Decimal(found.leads),
        "customers": Decimal(found.customers),
        "sales": Decimal(found.sales),
        "conversions": Decimal(found.conversions),
        "revenue": found.revenue,
        "cpl": cost_per(found.spend, found.leads).value,
        "cpa": cost_per(found.spend, found.conversions).value,
        "cac": cost_per(found.spend, found.customers).value,
        "roas": roas(found.revenue, found.media_spend).value,
        "roi_revenue": roi(found.revenue, found.spend).value,
        "roi_margin": roi(found.margin, found.spend).value,
    }
