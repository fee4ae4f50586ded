from __future__ import annotations

import statistics
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from metrics import formulas
from metrics.formulas import Ratio, ratio


@dataclass(frozen=True)
class Counts:
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    quotes: int | None = None
    bookmarks: int | None = None


counts = st.none() | st.integers(0, 10**9)


def test_engagements_add_what_the_network_tells() -> None:
    assert formulas.engagements(Counts(likes=10, comments=2, shares=3)) == 15
    assert formulas.engagements(Counts(likes=10, comments=2, shares=3, quotes=1, bookmarks=4)) == 20


def test_engagements_are_unknown_when_the_network_tells_nothing_and_zero_when_it_tells_zero() -> None:
    assert formulas.engagements(Counts()) is None
    assert formulas.engagements(Counts(likes=0)) == 0


def test_engagement_rate_by_followers_divides_by_the_followers_at_post_time() -> None:
    rate = formulas.engagement_rate_by_followers(Counts(likes=30, comments=12), followers_at_post=1200)
    assert rate == Ratio(Decimal(42), Decimal(1200))
    assert rate.value == Decimal("0.035")


def test_engagement_rate_by_impressions_is_null_without_impressions() -> None:
    post = Counts(likes=30)
    assert formulas.engagement_rate_by_impressions(post, impressions=None).value is None
    assert formulas.engagement_rate_by_impressions(post, impressions=0).value is None
    assert formulas.engagement_rate_by_impressions(post, impressions=600).value == Decimal("0.05")


def test_engagement_rate_by_reach_is_engagements_by_people_and_null_without_reach() -> None:
    post = Counts(likes=30, comments=8, shares=4)
    assert formulas.engagement_rate_by_reach(post, reach=1050) == Ratio(Decimal(42), Decimal(1050))
    assert formulas.engagement_rate_by_reach(post, reach=1050).value == Decimal("0.04")
    assert formulas.engagement_rate_by_reach(post, reach=None).value is None
    assert formulas.engagement_rate_by_reach(post, reach=0).value is None


def test_follower_growth_rate_is_net_new_by_the_followers_at_the_start() -> None:
    assert formulas.follower_growth_rate(start=4000, end=4300).value == Decimal("0.075")
    assert formulas.follower_growth_rate(start=4000, end=3900).value == Decimal("-0.025")
    assert formulas.follower_growth_rate(start=0, end=10).value is None
    assert formulas.follower_growth_rate(start=None, end=10).value is None


def test_posting_frequency_counts_posts_per_week() -> None:
    assert formulas.posting_frequency(published=14, days=28).value == Decimal("3.5")
    assert formulas.posting_frequency(published=0, days=28).value == 0
    assert formulas.posting_frequency(published=3, days=0).value is None


def test_a_pooled_rate_is_a_ratio_of_sums_and_not_a_mean_of_rates() -> None:
    small, large = ratio(10, 100), ratio(10, 900)
    assert formulas.pooled([small, large]).value == Decimal("0.02")


def test_a_pooled_rate_leaves_out_what_is_known_on_one_side_only() -> None:
    assert formulas.pooled([ratio(10, 100), ratio(50, None), ratio(None, 900)]) == ratio(10, 100)
    assert formulas.pooled([]).value is None


def test_the_median_stands_apart_from_the_pooled_rate() -> None:
    rates = [ratio(1, 100), ratio(2, 100), ratio(60, 100)]
    assert formulas.median(rates) == Decimal("0.02")
    assert formulas.pooled(rates).value == Decimal("0.21")
    assert formulas.median([ratio(1, 0)]) is None


def test_virality_and_response_rate_have_no_value_without_a_denominator() -> None:
    assert formulas.virality_rate(shares=3, impressions=600).value == Decimal("0.005")
    assert formulas.virality_rate(shares=3, impressions=None).value is None
    assert formulas.response_rate(answered=9, actionable=10).value == Decimal("0.9")
    assert formulas.response_rate(answered=0, actionable=0).value is None


def test_a_percentile_lies_between_its_neighbours() -> None:
    assert formulas.percentile([], 50) is None
    assert formulas.percentile([7], 90) == 7
    assert formulas.percentile([4, 1, 3, 2], 50) == Decimal("2.5")
    assert formulas.percentile([10, 20, 30, 40, 50], 90) == 46
    assert formulas.percentile(range(101), 90) == 90


@given(st.lists(st.integers(0, 10**7), min_size=1), st.integers(0, 100))
def test_a_percentile_is_never_outside_and_the_50th_is_the_median(values: list[int], percent: int) -> None:
    found = formulas.percentile(values, percent)
    assert found is not None
    assert min(values) <= found <= max(values)
    assert formulas.percentile(values, 50) == statistics.median(map(Decimal, values))


@given(st.lists(st.tuples(counts, counts), max_size=8))
def test_a_pooled_rate_lies_between_the_lowest_and_the_highest(
    sides: list[tuple[int | None, int | None]],
) -> None:
    rates = [ratio(n, d) for n, d in sides]
    values = [r.value for r in rates if r.value is not None]
    pooled = formulas.pooled([r for r in rates if r.value is not None]).value
    if values:
        assert pooled is not None
        slack = Decimal("1e-15") * max(values)
        assert min(values) - slack <= pooled <= max(values) + slack
    else:
        assert pooled is None
