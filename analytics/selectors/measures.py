"""The value of any metric of the registry, for any subject and period, with the sides it was made of.

Pages, goals, check-ins and passports all ask here, so a number is the same wherever it stands. Metrics
that are made from the same rows are read together (a *family*); a caller names all it needs at once.

- Accounts: sums over AccountDay. A level (followers) is the last count up to the last date.
- Posts: rates of the posts that went out in the period, with what they have gained so far.
- Answers: engagement.selectors.numbers. Campaigns: campaigns.selectors.numbers.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum

from accounts.metric_wording import metric_label, metric_short
from analytics.models import AccountDay, PostMetrics
from analytics.selectors.carried import Carried, carried
from analytics.selectors.cohorts import Rates, cohorts
from analytics.selectors.subjects import Period, Subject
from campaigns.selectors import numbers as campaign_numbers
from campaigns.selectors.numbers import Totals
from campaigns.selectors.spend import paces_of
from engagement.selectors import numbers as answer_numbers
from engagement.selectors.numbers import AnswerNumbers
from metrics import formulas, money
from metrics.formulas import Ratio, ratio
from metrics.registry import Metric, metric

# A date without a count is bridged by one at most this much older.
TOLERANCE = dt.timedelta(days=3)
GAINED = ("likes", "comments", "shares", "quotes", "bookmarks", "impressions", "network_clicks", "watch_time")
NO_SIDES = Ratio(None, None)


@dataclass(frozen=True, slots=True)
class Measured:
    """One number; of a ratio also its sides. ``median``: that of the single posts, where there is one."""

    metric: Metric
    value: Decimal | None
    sides: Ratio = NO_SIDES
    median: Decimal | None = None

    @property
    def label(self) -> str:
        return metric_label(self.metric)

    @property
    def short(self) -> str:
        """Its name above a column."""
        return metric_short(self.metric)


@dataclass(frozen=True, slots=True)
class Asked:
    """What ``measure`` was asked for."""

    subject: Subject
    period: Period
    now: dt.datetime
    counted_since: dt.date | None


Values = dict[str, Measured]


def _ratio(key: str, sides: Ratio, median: Decimal | None = None) -> Measured:
    return Measured(metric(key), sides.value, sides, median)


def _amount(key: str, amount: Decimal | int | None) -> Measured:
    return Measured(metric(key), None if amount is None else Decimal(amount))


def _by_key(values: Iterable[Measured]) -> Values:
    return {value.metric.key: value for value in values}


def measure(
    keys: Iterable[str],
    subject: Subject,
    period: Period,
    *,
    now: dt.datetime,
    counted_since: dt.date | None = None,
) -> Values:
    """The metrics ``keys`` over ``period``; the families that they belong to are read once each.

    With ``counted_since`` a level is that of the accounts that had a count then: an account that was
    connected later brings its followers along, and they were not won. What cannot be asked of the
    subject has no value. Raises UnknownMetric.
    """
    asked = Asked(subject, period, now, counted_since)
    wanted = {metric(key).key for key in keys}
    possible = {key for key in wanted if subject.scope in metric(key).scopes}
    found: Values = {}
    for members, family in families(subject):
        if possible & members:
            found |= family(asked)
    return {key: found[key] if key in possible else Measured(metric(key), None) for key in wanted}


# --- accounts ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Levels:
    """Followers of several accounts on the eve of a period and on its last date."""

    start: int | None  # of the accounts that were counted on both
    end: int | None  # as above
    total: int | None  # on the last date, of all accounts that were counted then
    accounts: int  # how many are in ``total``


def levels(
    account_ids: Sequence[uuid.UUID], period: Period, *, counted_since: dt.date | None = None
) -> Levels:
    return levels_of(
        _counts_around(account_ids, (counted_since or period.eve, period.last)), period, counted_since
    )


def _counts_around(
    account_ids: Sequence[uuid.UUID], dates: Iterable[dt.date]
) -> list[tuple[uuid.UUID, dt.date, int]]:
    """(account, date, followers) by date, in the days up to each of ``dates``."""
    near = Q(pk__in=[])
    for date in dates:
        near |= Q(date__gte=date - TOLERANCE, date__lte=date)
    rows = AccountDay.objects.filter(near, account__in=account_ids).order_by("date")
    found = rows.values_list("account_id", "date", "followers")
    return [(pk, date, followers) for pk, date, followers in found if followers is not None]


def levels_of(
    counts: Iterable[tuple[uuid.UUID, dt.date, int]], period: Period, counted_since: dt.date | None = None
) -> Levels:
    """From rows of (account, date, followers) in the order of their dates."""
    start_date = counted_since or period.eve
    start: dict[uuid.UUID, int] = {}
    end: dict[uuid.UUID, int] = {}
    for account_id, date, followers in counts:
        if start_date - TOLERANCE <= date <= start_date:
            start[account_id] = followers
        if period.last - TOLERANCE <= date <= period.last:
            end[account_id] = followers
    both = start.keys() & end.keys()
    return Levels(
        start=sum(start[pk] for pk in both) if both else None,
        end=sum(end[pk] for pk in both) if both else None,
        total=sum(end.values()) if end else None,
        accounts=len(end),
    )


def _of_accounts(asked: Asked) -> Values:
    ids, period = asked.subject.account_ids(), asked.period
    days = AccountDay.objects.filter(account__in=ids, date__gte=period.first, date__lte=period.last)
    reached = levels(ids, period, counted_since=asked.counted_since)
    is_narrowed = asked.counted_since is not None
    return account_values(days.aggregate(**flow_sums()), reached, period, is_narrowed=is_narrowed)


def flow_sums(condition: Q | None = None) -> dict[str, Sum]:
    """The annotations that sum up days."""
    return {name: Sum(name, filter=condition) for name in ("published", *GAINED, "inbound")}


def account_values(
    sums: Mapping[str, int | None], reached: Levels, period: Period, *, is_narrowed: bool = False
) -> Values:
    """All metrics of accounts, from what ``flow_sums`` gave and from followers."""
    net = None if reached.start is None or reached.end is None else reached.end - reached.start
    published = sums["published"] or 0
    gained = PostMetrics(**{name: sums[name] for name in GAINED})
    return _by_key(
        [
            _amount("followers", reached.end if is_narrowed else reached.total),
            _amount("net_new_followers", net),
            _ratio(
                "follower_growth_rate", formulas.follower_growth_rate(start=reached.start, end=reached.end)
            ),
            _amount("published_posts", published),
            _ratio("posting_frequency", formulas.posting_frequency(published=published, days=period.days)),
            _amount("engagements", formulas.engagements(gained)),
            _amount("inbound_messages", sums["inbound"] or 0),
            *(_amount(name, sums[name]) for name in GAINED),
        ]
    )


def _of_profile(asked: Asked) -> Values:
    """What the network states of one account, on the last date."""
    last = asked.period.last
    counted = AccountDay.objects.filter(
        account=asked.subject.account, taken_at__isnull=False, date__gte=last - TOLERANCE, date__lte=last
    )
    day = counted.order_by("-date").first() or AccountDay()
    return _by_key([_amount("following", day.following), _amount("posts", day.posts)])


# --- posts ------------------------------------------------------------------------------------


def _of_posts(asked: Asked) -> Values:
    (cohort,) = cohorts(asked.subject.account_ids(), [asked.period.instants(asked.subject.zone)])
    return rate_values(cohort.total)


def rate_values(rates: Rates) -> Values:
    return _by_key(
        [
            _ratio("engagement_rate_by_followers", rates.by_followers, rates.by_followers_median),
            _ratio("engagement_rate_by_reach", rates.by_reach, rates.by_reach_median),
            _ratio("engagement_rate_by_impressions", rates.by_impressions, rates.by_impressions_median),
            _ratio("virality_rate", rates.virality, rates.virality_median),
        ]
    )


def _of_delivery(asked: Asked) -> Values:
    """One post so far, whatever the period."""
    counts = PostMetrics.objects.filter(delivery=asked.subject.delivery).first() or PostMetrics()
    return delivery_values(counts)


def delivery_values(counts: PostMetrics) -> Values:
    by_followers = formulas.engagement_rate_by_followers(counts, followers_at_post=counts.followers_at_post)
    by_reach = formulas.engagement_rate_by_reach(counts, reach=counts.reach)
    by_impressions = formulas.engagement_rate_by_impressions(counts, impressions=counts.impressions)
    return _by_key(
        [
            *(_amount(name, getattr(counts, name)) for name in ("reach", *GAINED)),
            _amount("engagements", formulas.engagements(counts)),
            _ratio("engagement_rate_by_followers", by_followers),
            _ratio("engagement_rate_by_reach", by_reach),
            _ratio("engagement_rate_by_impressions", by_impressions),
            _ratio(
                "virality_rate",
                formulas.virality_rate(shares=counts.shares, impressions=counts.impressions),
            ),
        ]
    )


# --- answers ----------------------------------------------------------------------------------


def _of_answers(asked: Asked) -> Values:
    return answer_values(answers(asked.subject, asked.period, now=asked.now))


def answers(subject: Subject, period: Period, *, now: dt.datetime) -> AnswerNumbers:
    return sum(answers_by_account(subject, period, now=now).values(), AnswerNumbers())


def answers_by_account(
    subject: Subject, period: Period, *, now: dt.datetime
) -> dict[uuid.UUID, AnswerNumbers]:
    """Accounts to which nobody wrote are absent."""
    instants = period.instants(subject.zone)
    found = answer_numbers.answers_by_account(
        brands=subject.brands, start=instants.start, end=instants.end, now=now, account=subject.account
    )
    if not subject.platform:
        return found
    of_network = set(subject.account_ids())
    return {pk: numbers for pk, numbers in found.items() if pk in of_network}


def answer_values(found: AnswerNumbers) -> Values:
    return _by_key(
        [
            _amount("actionable_waits", found.actionable),
            _amount("answered_waits", found.answered),
            _ratio("response_rate", found.rate),
            _amount("response_time_median", found.median_s),
            _amount("response_time_p90", found.p90_s),
            _amount("response_time_median_calendar", found.median_calendar_s),
        ]
    )


# --- campaigns --------------------------------------------------------------------------------


def _of_campaigns(asked: Asked) -> Values:
    subject = asked.subject
    instants = asked.period.instants(subject.zone)
    if subject.platform:
        apart = campaign_numbers.by_campaign_and_network(
            brands=subject.brands, start=instants.start, end=instants.end
        )
        of_network = [found for (_campaign, platform), found in apart.items() if platform == subject.platform]
        totals = campaign_numbers.together(of_network, subject.currency)
    else:
        totals = campaign_numbers.totals(
            brands=subject.brands, start=instants.start, end=instants.end, campaign=subject.campaign
        )
    (seen,) = carried(subject.account_ids(), [instants], subject.campaign)
    return campaign_values(totals, seen)


def campaign_values(totals: Totals, seen: Carried | None) -> Values:
    """All metrics of campaigns. Without ``seen`` those that need impressions have no value."""
    spend = totals.spend
    impressions = seen.impressions if seen else None
    return _by_key(
        [
            _amount("clicks", totals.clicks),
            _ratio("ctr", ratio(seen.clicks if seen else None, impressions)),
            _amount("spend", spend),
            _amount("media_spend", totals.media_spend),
            _amount("leads", totals.leads),
            _amount("customers", totals.customers),
            _amount("sales", totals.sales),
            _amount("conversions", totals.conversions),
            _ratio("conversion_rate", ratio(totals.conversions, totals.clicks)),
            _ratio("lead_to_customer_rate", ratio(totals.customers, totals.leads)),
            _amount("revenue", totals.revenue),
            _amount("gross_margin", totals.margin),
            _ratio("cpc", money.cost_per(spend, totals.clicks)),
            _ratio("cpm", money.cpm(spend, impressions)),
            _ratio("cpl", money.cost_per(spend, totals.leads)),
            _ratio("cpa", money.cost_per(spend, totals.conversions)),
            _ratio("cac", money.cost_per(spend, totals.customers)),
            _ratio("roas", money.roas(totals.revenue, totals.media_spend)),
            _ratio("roi_revenue", money.roi(totals.revenue, spend)),
            _ratio("roi_margin", money.roi(totals.margin, spend)),
        ]
    )


def _of_budget(asked: Asked) -> Values:
    """Of one campaign, up to the end of the period."""
    campaign = asked.subject.campaign
    if campaign is None:
        return _by_key([_ratio("pacing", NO_SIDES)])
    pace = paces_of([(campaign, asked.period.last)])[campaign.pk]
    return _by_key([_ratio("pacing", pace.ratio)])


# --- which family a metric belongs to -----------------------------------------------------------

Family = Callable[[Asked], Values]

_OF_POSTS = frozenset(
    {
        "engagement_rate_by_followers",
        "engagement_rate_by_reach",
        "engagement_rate_by_impressions",
        "virality_rate",
    }
)
_FAMILIES: tuple[tuple[frozenset[str], Family], ...] = (
    (
        frozenset(
            {
                "followers",
                "net_new_followers",
                "follower_growth_rate",
                "published_posts",
                "posting_frequency",
                "engagements",
                "inbound_messages",
                *GAINED,
            }
        ),
        _of_accounts,
    ),
    (frozenset({"following", "posts"}), _of_profile),
    (_OF_POSTS, _of_posts),
    (
        frozenset(
            {
                "actionable_waits",
                "answered_waits",
                "response_rate",
                "response_time_median",
                "response_time_p90",
                "response_time_median_calendar",
            }
        ),
        _of_answers,
    ),
    (
        frozenset(
            {
                "clicks",
                "ctr",
                "spend",
                "media_spend",
                "leads",
                "customers",
                "sales",
                "conversions",
                "conversion_rate",
                "lead_to_customer_rate",
                "revenue",
                "gross_margin",
                "cpc",
                "cpm",
                "cpl",
                "cpa",
                "cac",
                "roas",
                "roi_revenue",
                "roi_margin",
            }
        ),
        _of_campaigns,
    ),
    (frozenset({"pacing"}), _of_budget),
)
_OF_DELIVERY = ((_OF_POSTS | {"engagements", "reach", *GAINED}, _of_delivery),)


def families(subject: Subject) -> tuple[tuple[frozenset[str], Family], ...]:
    """Which metrics are read together for ``subject``; each metric is in one family."""
    return _OF_DELIVERY if subject.delivery is not None else _FAMILIES
