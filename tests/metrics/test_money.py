"""The worked numbers of money, as docs and marketers know them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import money

D = Decimal
amounts = st.decimals(min_value=0, max_value=10**12, places=2)


def test_the_budget_of_three_million_yen() -> None:
    budget, leads, customers = D(3_000_000), 1000, 100
    revenue = D(48_000) * customers
    assert money.cost_per(budget, leads).value == D(3_000)  # CPL
    assert money.cost_per(budget, customers).value == D(30_000)  # CAC
    assert money.roas(revenue, budget).value == D("1.60")
    assert money.roi(revenue, budget).value == D("0.60")
    assert money.roi(revenue * D("0.5"), budget).value == D("-0.20")


@pytest.mark.parametrize(
    ("revenue", "cost", "roi", "roas"), [(7_000, 2_000, "2.5", "3.5"), (20_000, 5_000, "3", "4")]
)
def test_return_on_investment_and_on_ad_spend(revenue: int, cost: int, roi: str, roas: str) -> None:
    assert money.roi(D(revenue), D(cost)).value == D(roi)
    assert money.roas(D(revenue), D(cost)).value == D(roas)


def test_a_thousand_impressions() -> None:
    assert money.cpm(D("12.50"), 5_000).value == D("2.5")


def test_a_ratio_keeps_both_of_its_sides() -> None:
    cpl = money.cost_per(D(100), 8)
    assert (cpl.numerator, cpl.denominator, cpl.value) == (D(100), D(8), D("12.5"))
    roi = money.roi(D(7_000), D(2_000))
    assert (roi.numerator, roi.denominator) == (D(5_000), D(2_000))


def test_nothing_divided_by_nothing_has_no_value() -> None:
    for found in (
        money.cost_per(D(100), 0),
        money.cpm(D(100), 0),
        money.roas(D(100), D(0)),
        money.roi(D(100), D(0)),
        money.pacing(D(100), D(0)),
    ):
        assert found.value is None
        assert found.is_known


def test_an_unknown_side_is_not_nought() -> None:
    for found in (
        money.cost_per(None, 3),
        money.cost_per(D(3), None),
        money.cpm(None, 3),
        money.roas(None, D(3)),
        money.roi(None, D(3)),
        money.roi(D(3), None),
    ):
        assert found.value is None
        assert not found.is_known


def test_pacing_is_one_on_pace() -> None:
    assert money.pacing(D(450), D(500)).value == D("0.9")
    assert money.pacing(D(500), D(500)).value == 1


@given(revenue=amounts, cost=amounts.filter(bool))
def test_return_on_investment_is_return_on_spend_less_one(revenue: Decimal, cost: Decimal) -> None:
    roi, roas = money.roi(revenue, cost).value, money.roas(revenue, cost).value
    assert roi is not None
    assert roas is not None
    assert abs(roi - (roas - 1)) <= abs(roas) * D("1e-25") + D("1e-25")


@given(cost=amounts, count=st.integers(min_value=1, max_value=10**9))
def test_what_one_cost_times_all_of_them_is_the_cost(cost: Decimal, count: int) -> None:
    one = money.cost_per(cost, count).value
    assert one is not None
    assert abs(one * count - cost) <= D("1e-9")
