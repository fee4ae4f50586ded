"""Goals as they stand, and what drives them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.metric_wording import metric_label
from accounts.models import Brand, Membership
from analytics.models import OFF_PACE, Checkin, DriverLink, Goal, GoalStatus
from analytics.selectors.measures import Measured, measure
from analytics.selectors.subjects import Period, Subject
from core.time import day_range, to_local
from metrics import goals as mathematics
from metrics.goals import GoalKind, Plan, Standing, observed_rate
from metrics.registry import Kind, Metric, Scope, comparable, latest, metric

# An observed rate needs at least so many days that both goals have in common.
OBSERVED_FROM_DAYS = 7
LARGEST_SCALE = 100_000


def subject_of(goal: Goal) -> Subject:
    return Subject((goal.brand,), goal.account, goal.platform, goal.campaign)


def plan_of(goal: Goal) -> Plan:
    return mathematics.plan(
        GoalKind(goal.kind),
        goal.definition.kind,
        baseline=goal.baseline,
        target=goal.target,
        days=goal.days,
    )


def period_of(goal: Goal, until: dt.date) -> Period:
    return Period(goal.starts_on, max(until, goal.starts_on))


def counted_since(goal: Goal) -> dt.date | None:
    """A level is that of the accounts that were there when the baseline was taken."""
    return goal.baseline_to if goal.definition.kind is Kind.STOCK else None


def elapsed_days(goal: Goal, now: dt.datetime) -> Decimal:
    """How many days of the goal are over, today by its share; negative before its start."""
    zone = goal.brand.timezone
    today = to_local(now, zone).date()
    day = day_range(today, zone)
    gone, whole = ((instant - day.start) // dt.timedelta(seconds=1) for instant in (now, day.end))
    return (today - goal.starts_on).days + Decimal(gone) / whole


def measure_goal(goal: Goal, *, until: dt.date, now: dt.datetime) -> Measured:
    """The goal's metric from its first day to ``until``.

    Raises DifferentDefinitions when the metric has got another definition since the goal was made: what is
    measured today says nothing about a target of then.
    """
    comparable(goal.definition, metric(goal.metric))
    found = measure(
        [goal.metric], subject_of(goal), period_of(goal, until), now=now, counted_since=counted_since(goal)
    )
    return found[goal.metric]


@dataclass(frozen=True, slots=True)
class GoalNow:
    """A goal and how it stands. ``taken_at``: when it was looked at, None while it never was; ``today`` is
    the date in the zone of its brand."""

    goal: Goal
    plan: Plan
    standing: Standing
    taken_at: dt.datetime | None
    today: dt.date

    @property
    def definition(self) -> Metric:
        return self.goal.definition

    @property
    def label(self) -> str:
        return metric_label(self.definition)

    @property
    def value(self) -> Measured:
        return Measured(self.definition, self.standing.actual)

    @property
    def subject(self) -> Subject:
        return subject_of(self.goal)

    @property
    def period(self) -> Period:
        """What its value is measured over."""
        return period_of(self.goal, min(self.today, self.goal.ends_on))

    @property
    def since(self) -> dt.date | None:
        return counted_since(self.goal)

    @property
    def status(self) -> GoalStatus:
        return GoalStatus(self.standing.status)

    @property
    def days_left(self) -> int:
        """Whole days after today; 0 on the last one and later."""
        return max((self.goal.ends_on - self.today).days, 0)

    @property
    def days_until(self) -> int:
        return max((self.goal.starts_on - self.today).days, 0)

    @property
    def is_over(self) -> bool:
        return self.today > self.goal.ends_on

    @property
    def gain(self) -> Decimal | None:
        """The way made so far."""
        actual = self.standing.actual
        return None if actual is None else actual - self.plan.start

    @property
    def forecast_gain(self) -> Decimal | None:
        forecast = self.standing.forecast
        return None if forecast is None else forecast - self.plan.start

    @property
    def bar(self) -> int:
        """How much of the bar is filled, in per mille."""
        return _per_mille(self.standing.progress)

    @property
    def bar_expected(self) -> int:
        """Where it should be by now, in per mille of the way."""
        way = self.plan.target - self.plan.start
        if self.standing.expected is None or not way:
            return 0
        return _per_mille((self.standing.expected - self.plan.start) / way)


def _per_mille(share: Decimal | None) -> int:
    return int(min(max(share or Decimal(0), Decimal(0)), Decimal(1)) * 1000)


def live(goal: Goal, *, now: dt.datetime) -> GoalNow:
    """Measured now; after its last day as it ended. Raises DifferentDefinitions."""
    today = to_local(now, goal.brand.timezone).date()
    plan, elapsed = plan_of(goal), elapsed_days(goal, now)
    actual = None
    if elapsed > 0:
        actual = measure_goal(goal, until=min(today, goal.ends_on), now=now).value
    standing = mathematics.standing(plan, actual=actual, elapsed_days=elapsed)
    return GoalNow(goal, plan, standing, now, today)


def by_checkin(goal: Goal, checkin: Checkin | None, *, now: dt.datetime) -> GoalNow:
    """From the newest check-in: no measuring, for lists."""
    today = to_local(now, goal.brand.timezone).date()
    plan, elapsed, actual = plan_of(goal), Decimal(0), None
    if checkin is not None:
        elapsed = Decimal((checkin.date - goal.starts_on).days + 1)
        if not checkin.is_final:
            elapsed = min(elapsed, max(elapsed_days(goal, checkin.taken_at), Decimal(0)))
        actual = checkin.value
    standing = mathematics.standing(plan, actual=actual, elapsed_days=elapsed)
    return GoalNow(goal, plan, standing, checkin.taken_at if checkin else None, today)


def goals_of(membership: Membership, brand: Brand | None) -> QuerySet[Goal]:
    rows = Goal.objects.for_member(membership).select_related("brand", "account", "campaign", "owner")
    return rows.for_brand(brand) if brand else rows


def newest_checkins(goals: Iterable[Goal]) -> dict[uuid.UUID, Checkin]:
    """The last check-in of each goal until its last day, which may have been put forward; by the goal's id.
    One query."""
    rows = Checkin.objects.filter(goal=OuterRef("goal"), date__lte=OuterRef("goal__ends_on"))
    newest = rows.order_by("-date").values("pk")[:1]
    rows = Checkin.objects.filter(goal__in=list(goals), pk=Subquery(newest))
    return {row.goal_id: row for row in rows}


def off_pace(membership: Membership, brand: Brand | None, *, today: dt.date) -> list[tuple[Goal, Checkin]]:
    """Current goals whose last check-in says that they are at risk or off track, the worst first."""
    goals = {
        goal.pk: goal
        for goal in goals_of(membership, brand).filter(archived_at__isnull=True, ends_on__gte=today)
    }
    found = [
        (goals[pk], checkin)
        for pk, checkin in newest_checkins(goals.values()).items()
        if checkin.status in OFF_PACE
    ]
    return sorted(
        found, key=lambda pair: (pair[1].status != GoalStatus.OFF_TRACK, pair[1].pace or Decimal(0))
    )


# --- what a goal can be made of ---------------------------------------------------------------


def metrics_for_goals(*, sees_money: bool) -> list[Metric]:
    """The metrics that a goal can be set on. A pace has a target of its own."""
    return [
        m
        for m in latest()
        if Scope.BRAND in m.scopes and (sees_money or not m.shows_money) and m.key != "pacing"
    ]


# --- what drives what -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Observed:
    """What one of the cause brought of the effect, over the dates that both goals have check-ins of."""

    rate: Decimal | None
    cause: Decimal | None
    effect: Decimal | None
    first: dt.date | None
    last: dt.date | None

    @property
    def days(self) -> int:
        return (self.last - self.first).days if self.first and self.last else 0


NOT_OBSERVED = Observed(None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Driver:
    """A link with what was observed. Rates are shown for so many of the cause (``scale``: 1, 10, 100 ...)
    that they are numbers one can read: 3 customers of 1,000 clicks, not 0.003 of one."""

    link: DriverLink
    observed: Observed

    @property
    def cause_metric(self) -> Metric:
        return counted_metric(self.link.cause.definition)

    @property
    def effect_metric(self) -> Metric:
        return counted_metric(self.link.effect.definition)

    @property
    def cause_label(self) -> str:
        return metric_label(self.cause_metric)

    @property
    def effect_label(self) -> str:
        return metric_label(self.effect_metric)

    @property
    def scale(self) -> int:
        known = [abs(rate) for rate in (self.link.assumed_rate, self.observed.rate) if rate]
        scale = 1
        while known and min(known) * scale < 1 and scale < LARGEST_SCALE:
            scale *= 10
        return scale

    @property
    def assumed(self) -> Decimal | None:
        rate = self.link.assumed_rate
        return None if rate is None else rate * self.scale

    @property
    def seen(self) -> Decimal | None:
        rate = self.observed.rate
        return None if rate is None else rate * self.scale


def counted_metric(definition: Metric) -> Metric:
    """What is counted of a goal's metric: of a ratio its numerator, where that is a metric itself."""
    if definition.kind is not Kind.RATIO:
        return definition
    known = {m.key for m in latest()}
    return metric(definition.numerator) if definition.numerator in known else definition


def is_countable(definition: Metric) -> bool:
    """Whether one can say "one of it brings so many of that"."""
    return counted_metric(definition).kind in (Kind.STOCK, Kind.FLOW)


def drivers(links: Sequence[DriverLink]) -> list[Driver]:
    """The links with what was observed; one query for all of them."""
    goals = {goal.pk: goal for link in links for goal in (link.cause, link.effect)}
    counted: dict[uuid.UUID, dict[dt.date, Decimal]] = defaultdict(dict)
    rows = Checkin.objects.filter(goal__in=goals, is_final=True).order_by("date")
    for pk, date, value, numerator in rows.values_list("goal_id", "date", "value", "numerator"):
        amount = numerator if goals[pk].definition.kind is Kind.RATIO else value
        if amount is not None:
            counted[pk][date] = amount
    return [Driver(link, _observed(link, counted)) for link in links]


def _observed(link: DriverLink, counted: dict[uuid.UUID, dict[dt.date, Decimal]]) -> Observed:
    if not (is_countable(link.cause.definition) and is_countable(link.effect.definition)):
        return NOT_OBSERVED
    causes, effects = counted[link.cause_id], counted[link.effect_id]
    common = sorted(causes.keys() & effects.keys())
    if not common or (common[-1] - common[0]).days < OBSERVED_FROM_DAYS:
        return NOT_OBSERVED
    first, last = common[0], common[-1]
    cause, effect = causes[last] - causes[first], effects[last] - effects[first]
    return Observed(observed_rate(cause=cause, effect=effect).value, cause, effect, first, last)


def links_of(membership: Membership, brand: Brand | None) -> QuerySet[DriverLink]:
    """Links between current goals, of which one may see both ends."""
    rows = (
        DriverLink.objects.for_member(membership)
        .filter(cause__archived_at__isnull=True, effect__archived_at__isnull=True)
        .select_related("cause", "effect")
        .order_by("created_at", "pk")
    )
    return rows.filter(cause__brand=brand) if brand else rows


def depths(goals: Sequence[Goal], links: Sequence[DriverLink]) -> dict[uuid.UUID, int]:
    """How many links lead to each goal that is in any, along the longest way; links make no circle."""
    causes: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    connected: set[uuid.UUID] = set()
    for link in links:
        causes[link.effect_id].append(link.cause_id)
        connected |= {link.cause_id, link.effect_id}
    found: dict[uuid.UUID, int] = {}

    def depth(pk: uuid.UUID) -> int:
        if pk not in found:
            found[pk] = 1 + max((depth(cause) for cause in causes[pk]), default=-1)
        return found[pk]

    return {goal.pk: depth(goal.pk) for goal in goals if goal.pk in connected}


def leads_to(start: uuid.UUID, end: uuid.UUID) -> bool:
    """Whether ``end`` is moved by ``start``, over any number of links."""
    following, seen = {start}, {start}
    while following:
        if end in following:
            return True
        rows = DriverLink.objects.filter(cause__in=following).values_list("effect_id", flat=True)
        following = set(rows) - seen
        seen |= following
    return False
