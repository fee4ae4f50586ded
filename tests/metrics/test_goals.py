from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import goals
from metrics.goals import GoalKind, Plan, Reason, Status, plan, standing
from metrics.registry import Kind, metric

D = Decimal


def rounded(value: Decimal | None, places: str = "0.01") -> Decimal:
    assert value is not None
    return value.quantize(D(places))


def followers(actual: int, day: int) -> goals.Standing:
    way = plan(GoalKind.DELTA, Kind.STOCK, baseline=D(4200), target=D(5200), days=30)
    return standing(way, actual=D(actual), elapsed_days=D(day))


def leads(actual: int, day: int) -> goals.Standing:
    way = plan(GoalKind.CUMULATIVE, Kind.FLOW, baseline=None, target=D(1000), days=90)
    return standing(way, actual=D(actual), elapsed_days=D(day))


# --- the worked numbers -----------------------------------------------------------------------


def test_followers_from_4200_to_5200_in_30_days_on_day_10_at_4500() -> None:
    now = followers(4500, 10)
    assert now.progress == D("0.3")
    assert rounded(now.pace) == D("0.90")
    assert rounded(now.forecast, "1") == 4200 + 900
    assert now.required_per_day == 35
    assert now.status is Status.AT_RISK


def test_1000_leads_in_90_days_on_day_45_at_430() -> None:
    now = leads(430, 45)
    assert now.pace == D("0.86")
    assert now.forecast == 860
    assert rounded(now.required_per_day, "0.1") == D("12.7")
    assert now.progress == D("0.43")
    assert now.expected == 500


def test_fifteen_per_cent_on_400_is_460_exactly() -> None:
    assert goals.target_of_percent(D(400), D(15)) == (D(460), None)


# --- kinds ------------------------------------------------------------------------------------


def test_a_change_of_a_count_starts_at_nothing_and_one_of_a_rate_at_its_baseline() -> None:
    count = plan(GoalKind.PERCENT_CHANGE, Kind.FLOW, baseline=D(400), target=D(460), days=90)
    assert (count.start, count.grows) == (0, True)
    rate = plan(GoalKind.PERCENT_CHANGE, Kind.RATIO, baseline=D("0.02"), target=D("0.023"), days=90)
    assert (rate.start, rate.grows) == (D("0.02"), False)
    level = plan(GoalKind.PERCENT_CHANGE, Kind.STOCK, baseline=D(4200), target=D(4830), days=90)
    assert (level.start, level.grows) == (4200, True)


def test_a_rate_is_expected_to_be_at_its_target_all_the_time() -> None:
    way = plan(GoalKind.RATIO, Kind.RATIO, baseline=None, target=D("0.10"), days=90)
    now = standing(way, actual=D("0.09"), elapsed_days=D(1))
    assert now.expected == D("0.10")
    assert now.pace == D("0.9")
    assert now.forecast == D("0.09")
    assert now.required_per_day is None
    assert now.status is Status.AT_RISK


def test_a_rate_that_stays_at_its_baseline_has_not_moved() -> None:
    way = plan(GoalKind.PERCENT_CHANGE, Kind.RATIO, baseline=D("0.02"), target=D("0.023"), days=90)
    now = standing(way, actual=D("0.02"), elapsed_days=D(40))
    assert now.progress == 0
    assert now.status is Status.OFF_TRACK


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(3600, Status.ON_TRACK), (14400, Status.ON_TRACK), (15000, Status.AT_RISK), (16000, Status.OFF_TRACK)],
)
def test_a_limit_is_kept_from_below(seconds: int, status: Status) -> None:
    way = plan(GoalKind.AT_MOST, Kind.DURATION, baseline=None, target=D(14400), days=30)
    assert standing(way, actual=D(seconds), elapsed_days=D(3)).status is status


def test_a_limit_on_a_sum_is_used_up_evenly() -> None:
    way = plan(GoalKind.AT_MOST, Kind.FLOW, baseline=None, target=D(3_000_000), days=30)
    now = standing(way, actual=D(1_500_000), elapsed_days=D(10))
    assert now.pace == D("1.5")
    assert now.status is Status.OFF_TRACK
    assert now.forecast == 4_500_000
    assert now.required_per_day == 75_000
    assert standing(way, actual=D(900_000), elapsed_days=D(10)).status is Status.ON_TRACK


def test_a_way_may_lead_down() -> None:
    way = plan(GoalKind.DELTA, Kind.STOCK, baseline=D(100), target=D(50), days=10)
    now = standing(way, actual=D(75), elapsed_days=D(5))
    assert (now.progress, now.pace, now.required_per_day) == (D("0.5"), 1, -5)
    assert now.status is Status.ON_TRACK
    assert standing(way, actual=D(50), elapsed_days=D(10)).status is Status.REACHED
    assert standing(way, actual=D(51), elapsed_days=D(10)).status is Status.MISSED


def test_a_sum_that_is_to_become_smaller_is_a_limit() -> None:
    way = plan(GoalKind.PERCENT_CHANGE, Kind.FLOW, baseline=D(400), target=D(360), days=90)
    assert way.is_limit
    assert standing(way, actual=D(100), elapsed_days=D(45)).status is Status.ON_TRACK
    assert standing(way, actual=D(361), elapsed_days=D(90)).status is Status.MISSED


@pytest.mark.parametrize(
    ("kind", "fitting", "not_fitting"),
    [
        (GoalKind.DELTA, {"followers", "response_rate"}, {"leads"}),
        (GoalKind.CUMULATIVE, {"leads", "revenue"}, {"followers", "cpl", "response_time_median"}),
        (GoalKind.PERCENT_CHANGE, {"followers", "conversions", "conversion_rate"}, set()),
        (GoalKind.RATIO, {"response_rate", "roas"}, {"cpl", "leads", "followers"}),
        (GoalKind.AT_MOST, {"cpl", "spend", "response_time_p90"}, set()),
    ],
)
def test_a_kind_fits_some_metrics_only(kind: GoalKind, fitting: set[str], not_fitting: set[str]) -> None:
    assert {key for key in fitting | not_fitting if goals.fits(kind, metric(key))} == fitting


# --- status -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actual", "status"),
    [
        (475, Status.ON_TRACK),  # pace 0.95
        (474, Status.AT_RISK),
        (400, Status.AT_RISK),  # pace 0.80
        (399, Status.OFF_TRACK),
        (0, Status.OFF_TRACK),
        (1000, Status.REACHED),
    ],
)
def test_the_pace_decides_the_status(actual: int, status: Status) -> None:
    assert leads(actual, 45).status is status


def test_a_goal_that_has_just_begun_is_not_judged() -> None:
    assert leads(0, 8).status is Status.TOO_EARLY
    assert leads(0, 9).status is Status.OFF_TRACK


def test_a_level_that_is_there_early_may_still_fall() -> None:
    assert followers(5300, 20).status is Status.ON_TRACK
    assert followers(5300, 30).status is Status.REACHED


def test_when_the_time_is_over_it_was_reached_or_missed() -> None:
    assert leads(999, 90).status is Status.MISSED
    assert leads(1000, 90).status is Status.REACHED
    assert leads(999, 90).required_per_day is None
    assert leads(999, 400) == leads(999, 90)


# --- what has no value ------------------------------------------------------------------------


def test_without_a_value_there_is_no_pace_and_a_reason() -> None:
    way = plan(GoalKind.RATIO, Kind.RATIO, baseline=None, target=D("0.1"), days=90)
    now = standing(way, actual=None, elapsed_days=D(3))
    assert (now.progress, now.pace, now.forecast) == (None, None, None)
    assert (now.status, now.reason) == (Status.NO_VALUE, Reason.NOTHING_COUNTED)


def test_before_the_first_day_there_is_no_pace_and_a_reason() -> None:
    now = leads(0, 0)
    assert (now.pace, now.forecast) == (None, None)
    assert (now.status, now.reason) == (Status.NOT_STARTED, Reason.NOT_STARTED)
    assert rounded(now.required_per_day) == D("11.11")
    assert leads(0, -5) == now


def test_a_target_of_zero_has_no_pace_and_a_reason() -> None:
    way = plan(GoalKind.AT_MOST, Kind.RATIO, baseline=None, target=D(0), days=30)
    now = standing(way, actual=D("0.1"), elapsed_days=D(3))
    assert (now.pace, now.progress, now.reason) == (None, None, Reason.NO_WAY)
    assert now.status is Status.OFF_TRACK
    assert standing(way, actual=D(0), elapsed_days=D(3)).status is Status.ON_TRACK


def test_no_percentage_of_nothing() -> None:
    assert goals.target_of_percent(D(0), D(15)) == (None, Reason.ZERO_BASELINE)
    assert goals.target_of_percent(None, D(15)) == (None, Reason.NO_BASELINE)
    assert goals.target_of_percent(D(400), D(0)) == (None, Reason.NO_WAY)


def test_a_delta_needs_a_baseline_and_a_way() -> None:
    assert goals.target_of_delta(D(4200), D(1000)) == (D(5200), None)
    assert goals.target_of_delta(None, D(1000)) == (None, Reason.NO_BASELINE)
    assert goals.target_of_delta(D(4200), D(0)) == (None, Reason.NO_WAY)


def test_an_observed_rate_is_effect_by_cause_and_none_without_a_cause() -> None:
    assert goals.observed_rate(cause=D(430), effect=D(43)).value == D("0.1")
    assert goals.observed_rate(cause=D(0), effect=D(43)).value is None
    assert goals.observed_rate(cause=None, effect=D(43)).value is None


# --- properties -------------------------------------------------------------------------------

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=4)
plans = st.builds(
    Plan,
    start=amounts,
    target=amounts,
    days=st.integers(1, 400),
    grows=st.booleans(),
    is_limit=st.booleans(),
)
anything = st.none() | amounts
times = st.decimals(min_value=-10, max_value=500, places=3)


@given(plans, anything, times)
def test_whatever_the_numbers_nothing_raises_and_what_is_missing_has_a_reason(
    way: Plan, actual: Decimal | None, elapsed: Decimal
) -> None:
    now = standing(way, actual=actual, elapsed_days=elapsed)
    assert (now.pace is None) == (now.reason is not None)
    assert now.expected is not None


@given(st.integers(1, 10**6), st.integers(1, 400), st.data())
def test_who_stays_on_the_line_has_a_pace_of_one_and_arrives(
    target: int, days: int, data: st.DataObject
) -> None:
    day = data.draw(st.integers(1, days))
    way = Plan(D(0), D(target), days, grows=True)
    on_the_line = D(target) * day / days
    now = standing(way, actual=on_the_line, elapsed_days=D(day))
    assert now.pace is not None
    assert now.forecast is not None
    assert abs(now.pace - 1) < D("1e-20")
    assert abs(now.forecast - target) < D("1e-15")


@given(plans, amounts, st.integers(1, 400))
def test_the_required_rate_leads_to_the_target(way: Plan, actual: Decimal, day: int) -> None:
    now = standing(way, actual=actual, elapsed_days=D(min(day, way.days)))
    if now.required_per_day is not None:
        left = way.days - min(day, way.days)
        assert abs(actual + now.required_per_day * left - way.target) < D("1e-12")


@given(amounts, st.decimals(min_value=-100, max_value=1000, places=2))
def test_a_percentage_is_exact(baseline: Decimal, percent: Decimal) -> None:
    target, reason = goals.target_of_percent(baseline, percent)
    if reason is None:
        assert target is not None
        assert (target - baseline) * 100 == baseline * percent


@given(plans, amounts, amounts, st.integers(1, 399))
def test_more_is_never_a_slower_pace_on_a_way_up(way: Plan, one: Decimal, other: Decimal, day: int) -> None:
    if way.target <= way.start:
        return
    low, high = sorted((one, other))
    slower = standing(way, actual=low, elapsed_days=D(day)).pace
    faster = standing(way, actual=high, elapsed_days=D(day)).pace
    if slower is not None and faster is not None:
        assert slower <= faster
