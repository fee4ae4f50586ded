"""Shares of a conversion: the worked numbers, and what holds for every model."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.attribution import DECIMALS, Model, shares

D = Decimal
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
AGES = (38, 33, 26, 8, 0)

ages_in_minutes = st.lists(st.integers(min_value=0, max_value=60 * 24 * 400), min_size=1, max_size=30)
models = st.sampled_from(list(Model))


def touches(*days: float) -> list[dt.datetime]:
    return [NOW - dt.timedelta(days=age) for age in days]


def touches_of(minutes: list[int]) -> list[dt.datetime]:
    return [NOW - dt.timedelta(minutes=age) for age in sorted(minutes, reverse=True)]


def shared_out(model: Model, value: int) -> list[Decimal]:
    """The value of a conversion by touch, to a tenth."""
    return [
        (share * value).quantize(D("0.1"), rounding=ROUND_HALF_UP)
        for share in shares(model, touches(*AGES), NOW)
    ]


# --- the worked numbers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Model.TIME_DECAY, ["175.2", "287.4", "574.9", "3417.0", "7545.4"]),
        (Model.LINEAR, ["2400"] * 5),
        (Model.POSITION, ["4800", "800", "800", "800", "4800"]),
        (Model.FIRST, ["12000", "0", "0", "0", "0"]),
        (Model.LAST, ["0", "0", "0", "0", "12000"]),
    ],
)
def test_twelve_thousand_dollars_over_five_touches(model: Model, expected: list[str]) -> None:
    assert shared_out(model, 12_000) == [D(one) for one in expected]


def test_two_touches_of_position_are_alike() -> None:
    assert shares(Model.POSITION, touches(3, 1), NOW) == (D("0.5"), D("0.5"))


def test_a_half_life_halves() -> None:
    older, newer = shares(Model.TIME_DECAY, touches(10, 0), NOW, half_life_days=D(10))
    assert abs(older * 2 - newer) <= D("1e-11")


def test_thirds_sum_to_exactly_one() -> None:
    found = shares(Model.LINEAR, touches(3, 2, 1), NOW)
    assert found == (D("0.333333333334"), D("0.333333333333"), D("0.333333333333"))


# --- what is refused --------------------------------------------------------------------------


def test_no_touch_a_later_touch_and_another_order_are_refused() -> None:
    for wrong in ([], touches(-1), touches(1, 2)):
        with pytest.raises(ValueError, match=r"touch"):
            shares(Model.LINEAR, wrong, NOW)


def test_an_unknown_model_and_a_half_life_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="magic"):
        shares("magic", touches(1), NOW)
    with pytest.raises(ValueError, match="half-life"):
        shares(Model.TIME_DECAY, touches(1), NOW, half_life_days=D(0))


# --- properties -------------------------------------------------------------------------------


@given(model=models, minutes=ages_in_minutes, half_life=st.decimals("0.01", "400", places=2))
def test_shares_sum_to_exactly_one_and_are_never_negative(
    model: Model, minutes: list[int], half_life: Decimal
) -> None:
    found = shares(model, touches_of(minutes), NOW, half_life_days=half_life)
    assert sum(found) == 1
    assert len(found) == len(minutes)
    assert all(share >= 0 for share in found)
    assert all(-share.as_tuple().exponent <= DECIMALS for share in found)  # type: ignore[operator]


@given(minutes=st.integers(min_value=0, max_value=60 * 24 * 400))
def test_a_single_touch_gets_the_same_under_every_model(minutes: int) -> None:
    assert {shares(model, touches_of([minutes]), NOW) for model in Model} == {(D(1),)}


@given(
    model=st.sampled_from([Model.LINEAR, Model.TIME_DECAY]),
    minutes=ages_in_minutes,
    twin=st.integers(0, 60 * 24 * 400),
)
def test_touches_that_are_alike_get_alike(model: Model, minutes: list[int], twin: int) -> None:
    """Two touches at one moment differ by no more than the unit that is left over by rounding."""
    ordered = sorted([*minutes, twin, twin], reverse=True)
    found = shares(model, touches_of(ordered), NOW)
    at = ordered.index(twin)
    assert abs(found[at] - found[at + 1]) <= D("1e-12")


@given(minutes=ages_in_minutes)
def test_position_reads_the_same_from_both_ends(minutes: list[int]) -> None:
    found = shares(Model.POSITION, touches_of(minutes), NOW)
    assert all(abs(a - b) <= D("1e-12") for a, b in zip(found, reversed(found), strict=True))


@given(minutes=ages_in_minutes)
def test_a_later_touch_never_decays_more(minutes: list[int]) -> None:
    found = shares(Model.TIME_DECAY, touches_of(minutes), NOW)
    assert all(later + D("1e-12") >= earlier for earlier, later in itertools.pairwise(found))


@given(
    model=models,
    channels=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 60 * 24 * 90)), min_size=1, max_size=8
    ),
)
def test_a_channel_that_never_appears_gets_nothing(model: Model, channels: list[tuple[str, int]]) -> None:
    ordered = sorted(channels, key=lambda one: -one[1])
    found = shares(model, touches_of([minutes for _channel, minutes in ordered]), NOW)
    gets = dict.fromkeys("abcd", D(0))
    for (channel, _minutes), share in zip(ordered, found, strict=True):
        gets[channel] += share
    assert sum(gets.values()) == 1
    assert all(gets[channel] == 0 for channel in "abcd" if channel not in {name for name, _m in channels})
