"""The rows that a number is made of: how many, how fresh, and each of them for whoever wants to check."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.metric_wording import metric_label
from analytics.models import AccountDay, PostMetrics, PostSnapshot
from analytics.selectors.measures import GAINED, TOLERANCE
from analytics.selectors.subjects import Period, Subject
from audience.models import Stage
from campaigns.models import (
    Click,
    Conversion,
    ConversionKind,
    CostKind,
    LeadStageEvent,
    SpendEntry,
    TrackedLink,
)
from core.time import to_local
from engagement.models import EpisodeEnd, InboxPull, WaitEpisode
from metrics.registry import Kind, Metric


class Source(enum.StrEnum):
    """What numbers are made of."""

    ACCOUNT_DAYS = "account_days"
    POSTS = "posts"
    LINKED_POSTS = "linked_posts"
    SNAPSHOTS = "snapshots"
    WAITS = "waits"
    CLICKS = "clicks"
    SPEND = "spend"
    MEDIA_SPEND = "media_spend"
    LEADS = "leads"
    SALES = "sales"
    CONVERSIONS = "conversions"
    CUSTOMERS = "customers"


S = Source

LABELS: Mapping[Source, Promise] = {
    S.ACCOUNT_DAYS: _("Days of accounts"),
    S.POSTS: _("Posts that went out in the period"),
    S.LINKED_POSTS: _("Posts of the period with a tracked link"),
    S.SNAPSHOTS: _("Counts of the post over time"),
    S.WAITS: _("People who began to wait in the period"),
    S.CLICKS: _("Clicks"),
    S.SPEND: _("Entries of spend"),
    S.MEDIA_SPEND: _("Entries of media spend"),
    S.LEADS: _("Leads"),
    S.SALES: _("Sales"),
    S.CONVERSIONS: _("Conversions"),
    S.CUSTOMERS: _("People who became customers"),
}

_OF_METRIC: Mapping[str, tuple[Source, ...]] = {
    **dict.fromkeys(
        (
            "followers",
            "net_new_followers",
            "follower_growth_rate",
            "following",
            "posts",
            "published_posts",
            "posting_frequency",
            "engagements",
            "inbound_messages",
            *GAINED,
        ),
        (S.ACCOUNT_DAYS,),
    ),
    **dict.fromkeys(
        (
            "engagement_rate_by_followers",
            "engagement_rate_by_reach",
            "engagement_rate_by_impressions",
            "virality_rate",
        ),
        (S.POSTS,),
    ),
    **dict.fromkeys(
        (
            "actionable_waits",
            "answered_waits",
            "response_rate",
            "response_time_median",
            "response_time_p90",
            "response_time_median_calendar",
        ),
        (S.WAITS,),
    ),
    "clicks": (S.CLICKS,),
    "ctr": (S.LINKED_POSTS,),
    "spend": (S.SPEND,),
    "media_spend": (S.MEDIA_SPEND,),
    "pacing": (S.SPEND,),
    "leads": (S.LEADS,),
    "customers": (S.CUSTOMERS,),
    "sales": (S.SALES,),
    "conversions": (S.CONVERSIONS,),
    "conversion_rate": (S.CONVERSIONS, S.CLICKS),
    "lead_to_customer_rate": (S.CUSTOMERS, S.LEADS),
    "revenue": (S.SALES,),
    "gross_margin": (S.SALES,),
    "cpc": (S.SPEND, S.CLICKS),
    "cpm": (S.SPEND, S.LINKED_POSTS),
    "cpl": (S.SPEND, S.LEADS),
    "cpa": (S.SPEND, S.CONVERSIONS),
    "cac": (S.SPEND, S.CUSTOMERS),
    "roas": (S.SALES, S.MEDIA_SPEND),
    "roi_revenue": (S.SALES, S.SPEND),
    "roi_margin": (S.SALES, S.SPEND),
}


def sources_of(definition: Metric, subject: Subject) -> tuple[Source, ...]:
    """What a metric is made of: of a ratio that of its numerator first."""
    return (S.SNAPSHOTS,) if subject.delivery is not None else _OF_METRIC[definition.key]


@dataclass(frozen=True, slots=True)
class Question:
    """One number that somebody asks about."""

    definition: Metric
    subject: Subject
    period: Period


@dataclass(frozen=True, slots=True)
class Provenance:
    """``newest_at``: when the newest of the rows was taken, entered or reported; None: there is none."""

    source: Source
    rows: int
    newest_at: dt.datetime | None

    @property
    def label(self) -> str:
        return str(LABELS[self.source])


def provenance(source: Source, asked: Question) -> Provenance:
    table = _TABLES[source]
    rows = table.rows(asked)
    found = rows.order_by().aggregate(
        rows=Count(table.counted), newest=Max(_freshness(table, asked.definition))
    )
    newest = found["newest"]
    if source is S.WAITS:  # an episode says nothing of when we last looked; the reading of the inbox does
        newest = InboxPull.objects.filter(account__in=asked.subject.accounts()).aggregate(at=Max("taken_at"))[
            "at"
        ]
    return Provenance(source, found["rows"], newest)


def _freshness(table: Table, definition: Metric) -> str:
    if table.freshness:
        return table.freshness
    if definition.kind is Kind.STOCK or definition.key in ("net_new_followers", "follower_growth_rate"):
        return "taken_at"
    is_own = definition.key in ("published_posts", "posting_frequency", "inbound_messages")
    return "rolled_at" if is_own else "counted_at"


def export(source: Source, asked: Question) -> tuple[list[str], Iterator[list[Any]]]:
    """Header and rows of a table to download, the oldest first. Instants are in the subject's zone."""
    table = _TABLES[source]
    rows = table.rows(asked).order_by(*table.order)
    values = rows.values_list(*(field for field, _label in table.columns)).iterator(chunk_size=2000)
    header = [
        str(label) if isinstance(label, Promise) else metric_label(label) for _field, label in table.columns
    ]
    return header, ([_local(cell, asked.subject.zone) for cell in row] for row in values)


def _local(cell: Any, zone: str) -> Any:
    return to_local(cell, zone) if isinstance(cell, dt.datetime) else cell


# --- tables -----------------------------------------------------------------------------------

Rows = Callable[[Question], QuerySet[Any]]
Columns = tuple[tuple[str, "Promise | str"], ...]  # (field, its name, or the key of the metric that it is)


@dataclass(frozen=True, slots=True)
class Table:
    """``freshness``: the field that says how new a row is; "" where it depends on the metric."""

    rows: Rows
    columns: Columns
    order: tuple[str, ...]
    freshness: str
    counted: str = "pk"


def _account_days(asked: Question) -> QuerySet[Any]:
    first = asked.period.first
    if asked.definition.kind is Kind.STOCK or asked.definition.key in (
        "net_new_followers",
        "follower_growth_rate",
    ):
        first = asked.period.eve - TOLERANCE  # the level that it began at is there, too
    return AccountDay.objects.filter(
        account__in=asked.subject.accounts(), date__gte=first, date__lte=asked.period.last
    )


def _posts(asked: Question) -> QuerySet[Any]:
    instants = asked.period.instants(asked.subject.zone)
    return PostMetrics.objects.filter(
        account__in=asked.subject.accounts(), sent_at__gte=instants.start, sent_at__lt=instants.end
    )


def _linked_posts(asked: Question) -> QuerySet[Any]:
    links = TrackedLink.objects.filter(delivery=OuterRef("delivery"))
    if asked.subject.campaign is not None:
        links = links.filter(campaign=asked.subject.campaign)
    return _posts(asked).filter(Exists(links), impressions__isnull=False)


def _snapshots(asked: Question) -> QuerySet[Any]:
    return PostSnapshot.objects.filter(delivery=asked.subject.delivery)


def _waits(asked: Question) -> QuerySet[Any]:
    instants = asked.period.instants(asked.subject.zone)
    rows = WaitEpisode.objects.filter(
        brand__in=asked.subject.brands,
        account__in=asked.subject.accounts(),
        started_at__gte=instants.start,
        started_at__lt=instants.end,
    )
    return rows.filter(Q(ended_at__isnull=True) | Q(ended_how=EpisodeEnd.ANSWERED))


def _clicks(asked: Question) -> QuerySet[Any]:
    instants = asked.period.instants(asked.subject.zone)
    rows = Click.objects.filter(
        link__brand__in=asked.subject.brands, at__gte=instants.start, at__lt=instants.end, is_bot=False
    )
    if asked.subject.campaign is not None:
        rows = rows.filter(link__campaign=asked.subject.campaign)
    return rows.filter(link__platform=asked.subject.platform) if asked.subject.platform else rows


def _spend(asked: Question) -> QuerySet[Any]:
    rows = SpendEntry.objects.filter(
        campaign__brand__in=asked.subject.brands, date__gte=asked.period.first, date__lte=asked.period.last
    )
    if asked.definition.key == "pacing":  # of the whole flight, up to the last date
        rows = SpendEntry.objects.filter(
            campaign__brand__in=asked.subject.brands, date__lte=asked.period.last
        )
    if asked.subject.campaign is not None:
        rows = rows.filter(campaign=asked.subject.campaign)
    return rows.filter(platform=asked.subject.platform) if asked.subject.platform else rows


def _media_spend(asked: Question) -> QuerySet[Any]:
    return _spend(asked).filter(kind=CostKind.MEDIA)


def _conversions(asked: Question) -> QuerySet[Any]:
    instants = asked.period.instants(asked.subject.zone)
    rows = Conversion.objects.filter(
        brand__in=asked.subject.brands, happened_at__gte=instants.start, happened_at__lt=instants.end
    )
    if asked.subject.campaign is not None:
        rows = rows.filter(campaign=asked.subject.campaign)
    return rows.filter(click__link__platform=asked.subject.platform) if asked.subject.platform else rows


def _leads(asked: Question) -> QuerySet[Any]:
    return _conversions(asked).filter(kind=ConversionKind.LEAD)


def _sales(asked: Question) -> QuerySet[Any]:
    return _conversions(asked).filter(kind=ConversionKind.SALE)


def _customers(asked: Question) -> QuerySet[Any]:
    instants = asked.period.instants(asked.subject.zone)
    rows = LeadStageEvent.objects.filter(
        brand__in=asked.subject.brands, stage=Stage.CUSTOMER, at__gte=instants.start, at__lt=instants.end
    )
    if asked.subject.campaign is not None:
        rows = rows.filter(campaign=asked.subject.campaign)
    return (
        rows.filter(conversion__click__link__platform=asked.subject.platform)
        if asked.subject.platform
        else rows
    )


_ACCOUNT: Columns = (("account__platform", _("Network")), ("account__handle", _("Account")))
_IN_SECONDS = {"watch_time": _("Watch time in seconds")}
_GAINED: Columns = tuple((name, _IN_SECONDS.get(name, name)) for name in GAINED)
_COUNTS: Columns = (*_GAINED, ("reach", "reach"))  # of one post
_MONEY_COLUMNS: Columns = (
    ("date", _("Date")),
    ("campaign__name", _("Campaign")),
    ("kind", _("Kind")),
    ("amount", _("Amount")),
    ("campaign__currency", _("Currency")),
    ("platform", _("Network")),
    ("note", _("Note")),
    ("source", _("Source")),
)
_CONVERSION_COLUMNS: Columns = (
    ("happened_at", _("Time")),
    ("kind", _("Kind")),
    ("external_id", _("Identifier")),
    ("campaign__name", _("Campaign")),
    ("value", _("Value")),
    ("refunded", _("Refunded")),
    ("currency", _("Currency")),
    ("click__link__platform", _("Network")),
    ("source", _("Source")),
)
_POST_COLUMNS: Columns = (
    ("sent_at", _("Time")),
    *_ACCOUNT,
    ("delivery__permalink", _("Address")),
    *_COUNTS,
    ("followers_at_post", _("Followers at post time")),
    ("taken_at", _("Counted at")),
)

_TABLES: Mapping[Source, Table] = {
    S.ACCOUNT_DAYS: Table(
        _account_days,
        (
            ("date", _("Date")),
            *_ACCOUNT,
            ("followers", "followers"),
            ("following", "following"),
            ("posts", "posts"),
            ("published", "published_posts"),
            *_GAINED,
            ("inbound", "inbound_messages"),
            ("taken_at", _("Counted at")),
        ),
        ("date", "account__platform", "account__handle"),
        "",
    ),
    S.POSTS: Table(_posts, _POST_COLUMNS, ("sent_at", "pk"), "taken_at"),
    S.LINKED_POSTS: Table(_linked_posts, _POST_COLUMNS, ("sent_at", "pk"), "taken_at"),
    S.SNAPSHOTS: Table(
        _snapshots, (("taken_at", _("Counted at")), *_COUNTS), ("taken_at",), "taken_at", counted="taken_at"
    ),
    S.WAITS: Table(
        _waits,
        (
            ("started_at", _("Began to wait")),
            *_ACCOUNT,
            ("due_at", _("Answer due")),
            ("ended_at", _("Answered at")),
            ("business_s", _("Seconds of business hours")),
            ("calendar_s", _("Seconds by the clock")),
        ),
        ("started_at", "pk"),
        "started_at",
    ),
    S.CLICKS: Table(
        _clicks,
        (
            ("at", _("Time")),
            ("link__code", _("Link")),
            ("link__original_url", _("Address")),
            ("link__platform", _("Network")),
            ("link__campaign__name", _("Campaign")),
            ("referrer_host", _("Came from")),
        ),
        ("at", "pk"),
        "at",
    ),
    S.SPEND: Table(_spend, _MONEY_COLUMNS, ("date", "pk"), "created_at"),
    S.MEDIA_SPEND: Table(_media_spend, _MONEY_COLUMNS, ("date", "pk"), "created_at"),
    S.LEADS: Table(_leads, _CONVERSION_COLUMNS, ("happened_at", "pk"), "received_at"),
    S.SALES: Table(_sales, _CONVERSION_COLUMNS, ("happened_at", "pk"), "received_at"),
    S.CONVERSIONS: Table(_conversions, _CONVERSION_COLUMNS, ("happened_at", "pk"), "received_at"),
    S.CUSTOMERS: Table(
        _customers,
        (
            ("at", _("Time")),
            ("campaign__name", _("Campaign")),
            ("conversion__external_id", _("Identifier")),
            ("conversion__click__link__platform", _("Network")),
        ),
        ("at", "pk"),
        "at",
    ),
}
