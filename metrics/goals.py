"""How a goal stands: progress, pace, forecast and what it needs from now on.

A goal goes from a *start* to a *target*. Where a number grows with time (followers, leads, spend) the
*expected* value lies on the straight line between the two; a rate is expected to be at its target all the
time. Everything follows from the way made so far:

    gain     = actual - start                  progress = gain ÷ (target - start)
    expected = start + (target - start) × share of the time     (rates: the target)
    pace     = gain ÷ (expected - start)       forecast = start + gain ÷ share of the time
    required = (target - actual) ÷ days that are left

Amounts are Decimal, times are days. What has no value is None, and ``reason`` says why: nothing here
raises for a zero.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal

from metrics.definition import Kind, Metric
from metrics.formulas import Ratio, ratio

# A goal that is to be reached: on track from this pace on, at risk from that one on, off track below.
ON_TRACK_FROM = Decimal("0.95")
AT_RISK_FROM = Decimal("0.80")
# A limit to be kept: on track up to this pace, at risk up to that one, off track above.
ON_TRACK_UP_TO = Decimal("1.00")
AT_RISK_UP_TO = Decimal("1.10")
# Before this share of the time the pace of something that grows is shown and not judged yet.
JUDGED_FROM = Decimal("0.1")


class GoalKind(enum.StrEnum):
    DELTA = "delta"  # so much more (or less) than the baseline
    CUMULATIVE = "cumulative"  # so much in sum since the first day
    PERCENT_CHANGE = "percent_change"  # so many per cent more (or less) than the baseline
    RATIO = "ratio"  # a rate to be reached
    AT_MOST = "at_most"  # a limit to be kept


class Status(enum.StrEnum):
    NO_VALUE = "no_value"
    NOT_STARTED = "not_started"
    TOO_EARLY = "too_early"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    REACHED = "reached"
    MISSED = "missed"


class Reason(enum.StrEnum):
    """Why something has no value."""

    NOTHING_COUNTED = "nothing_counted"  # there is no actual value yet, or its denominator is 0
    NOT_STARTED = "not_started"  # no time has passed
    NO_BASELINE = "no_baseline"
    ZERO_BASELINE = "zero_baseline"  # no percentage of nothing
    NO_WAY = "no_way"  # the target is where the goal starts


@dataclass(frozen=True, slots=True)
class Plan:
    """``start``: where the way begins, the baseline or 0. ``grows``: the actual value accrues with time."""

    start: Decimal
    target: Decimal
    days: int
    grows: bool
    is_limit: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How a goal stands at one moment."""

    actual: Decimal | None
    progress: Decimal | None
    expected: Decimal | None
    pace: Decimal | None
    forecast: Decimal | None  # the value on the last day if it goes on like this
    required_per_day: Decimal | None  # of a limit: what may still be used a day
    status: Status
    reason: Reason | None = None


def fits(kind: GoalKind, metric: Metric) -> bool:
    """Whether a goal of this kind says something of the metric.

    What happened is summed up, a level is not; a rate to be reached is one that should be high; "so much
    more than now" needs something that stands somewhere now.
    """
    if kind is GoalKind.CUMULATIVE:
        return metric.kind is Kind.FLOW
    if kind is GoalKind.RATIO:
        return metric.kind is Kind.RATIO and metric.is_higher_better is not False
    if kind is GoalKind.DELTA:
        return metric.kind is not Kind.FLOW
    return True


def needs_baseline(kind: GoalKind) -> bool:
    return kind in (GoalKind.DELTA, GoalKind.PERCENT_CHANGE)


def plan(kind: GoalKind, metric_kind: Kind, *, baseline: Decimal | None, target: Decimal, days: int) -> Plan:
    """The way of a goal. A delta, and a change of a level or a rate, starts at its baseline (0 if unknown);
    a sum, a rate to be reached and a limit start at 0. A sum that is to become smaller is a limit."""
    from_baseline = kind is GoalKind.DELTA or (
        kind is GoalKind.PERCENT_CHANGE and metric_kind is not Kind.FLOW
    )
    is_rate = metric_kind in (Kind.RATIO, Kind.DURATION) or (
        kind is GoalKind.AT_MOST and metric_kind is Kind.STOCK
    )
    becomes_smaller = kind is GoalKind.PERCENT_CHANGE and baseline is not None and target < baseline
    return Plan(
        start=(baseline or Decimal(0)) if from_baseline else Decimal(0),
        target=target,
        days=days,
        grows=not is_rate,
        is_limit=kind is GoalKind.AT_MOST or (becomes_smaller and not from_baseline),
    )


def target_of_delta(baseline: Decimal | None, delta: Decimal) -> tuple[Decimal | None, Reason | None]:
    """The value to reach: baseline + delta."""
    if baseline is None:
        return None, Reason.NO_BASELINE
    if not delta:
        return None, Reason.NO_WAY
    return baseline + delta, None


def target_of_percent(baseline: Decimal | None, percent: Decimal) -> tuple[Decimal | None, Reason | None]:
    """The value to reach: +15 on 400 is exactly 460. A percentage of nothing is nothing to aim at."""
    if baseline is None:
        return None, Reason.NO_BASELINE
    if not baseline:
        return None, Reason.ZERO_BASELINE
    if not percent:
        return None, Reason.NO_WAY
    return baseline * (100 + percent) / 100, None


def standing(plan: Plan, *, actual: Decimal | None, elapsed_days: Decimal) -> Standing:
    """How the goal stands after ``elapsed_days`` (0 to ``plan.days``; what lies outside is cut off)."""
    elapsed = min(max(elapsed_days, Decimal(0)), Decimal(plan.days))
    share = elapsed / plan.days if plan.days else Decimal(1)
    way = plan.target - plan.start
    expected = plan.start + way * share if plan.grows else plan.target
    if not elapsed and plan.days:
        return _without(plan, actual, plan.start if plan.grows else plan.target, Reason.NOT_STARTED)
    if actual is None:
        return _without(plan, None, expected, Reason.NOTHING_COUNTED)
    gain = actual - plan.start
    left = plan.days - elapsed
    pace = _over(gain, expected - plan.start)
    return Standing(
        actual=actual,
        progress=_over(gain, way),
        expected=expected,
        pace=pace,
        forecast=plan.start + gain / share if plan.grows else actual,
        required_per_day=(plan.target - actual) / left if plan.grows and left else None,
        status=_status(plan, actual, pace, share),
        reason=Reason.NO_WAY if pace is None else None,
    )


def _without(plan: Plan, actual: Decimal | None, expected: Decimal, reason: Reason) -> Standing:
    status = Status.NOT_STARTED if reason is Reason.NOT_STARTED else Status.NO_VALUE
    required = None
    if plan.grows and plan.days and reason is Reason.NOT_STARTED:
        required = (plan.target - plan.start) / plan.days
    return Standing(actual, None, expected, None, None, required, status, reason)


def _over(part: Decimal, whole: Decimal) -> Decimal | None:
    return part / whole if whole else None


def _status(plan: Plan, actual: Decimal, pace: Decimal | None, share: Decimal) -> Status:
    if share >= 1:
        return Status.REACHED if _is_met(plan, actual) else Status.MISSED
    # What was summed up to the target stays reached; a level or a rate may still turn.
    if plan.grows and not plan.is_limit and not plan.start and _is_met(plan, actual):
        return Status.REACHED
    if pace is None:
        return Status.ON_TRACK if _is_met(plan, actual) else Status.OFF_TRACK
    if plan.grows and share < JUDGED_FROM:
        return Status.TOO_EARLY
    if plan.is_limit:
        return _judged(pace <= ON_TRACK_UP_TO, pace <= AT_RISK_UP_TO)
    return _judged(pace >= ON_TRACK_FROM, pace >= AT_RISK_FROM)


def _judged(is_good: bool, is_near: bool) -> Status:
    if is_good:
        return Status.ON_TRACK
    return Status.AT_RISK if is_near else Status.OFF_TRACK


def _is_met(plan: Plan, actual: Decimal) -> bool:
    """At least the target; at most it where the way leads down, or for a limit."""
    goes_down = plan.is_limit or plan.target < plan.start
    return actual <= plan.target if goes_down else actual >= plan.target


def observed_rate(*, cause: Decimal | None, effect: Decimal | None) -> Ratio:
    """What one of the cause brought of the effect, both counted over the same days. It says that the two
    went together, not that one made the other."""
    return ratio(effect, cause)
