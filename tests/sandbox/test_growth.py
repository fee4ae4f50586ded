"""Counts as functions of time: deterministic, growing, levelling off, with a night."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox import growth
from sandbox.growth import DAY_MS, HOUR_MS, Audience

START = 1_760_000_000_000
seeds = st.integers(min_value=0, max_value=2**48)
ages = st.integers(min_value=0, max_value=400 * DAY_MS)


def audience(seed: int = 7, followers: int = 4000) -> Audience:
    return Audience(seed, START, followers, followers * 0.001)


def reaction(seed: int, post_key: bytes, age_ms: int, **changes: object) -> growth.Reaction:
    settings: dict = {"has_media": False, "quality": 1.0} | changes
    return growth.reaction(
        audience(seed), post_key=post_key, created_ms=START, at_ms=START + age_ms, **settings
    )


@given(seeds, st.binary(min_size=16, max_size=16), ages, ages)
def test_reactions_never_shrink(seed: int, post_key: bytes, one: int, two: int) -> None:
    early, late = (reaction(seed, post_key, age) for age in sorted((one, two)))
    assert early.impressions <= late.impressions
    assert early.likes <= late.likes <= late.impressions
    assert early.reach <= late.reach <= late.impressions
    assert early.clicks <= late.clicks <= late.reach
    assert early.shares <= late.shares


@given(seeds, st.binary(min_size=16, max_size=16))
def test_reactions_begin_at_nothing_and_level_off(seed: int, post_key: bytes) -> None:
    assert reaction(seed, post_key, 0) == growth.Reaction(0, 0, 0, 0, 0)
    ten_days = reaction(seed, post_key, 10 * DAY_MS).impressions
    year = reaction(seed, post_key, 365 * DAY_MS).impressions
    assert 0 < year <= ten_days * 1.05 + 1


@given(seeds, ages)
def test_the_same_seed_gives_the_same_numbers(seed: int, age_ms: int) -> None:
    assert reaction(seed, b"x", age_ms) == reaction(seed, b"x", age_ms)


def test_images_and_quality_reach_more() -> None:
    plain = reaction(7, b"x", 3 * DAY_MS).impressions
    assert reaction(7, b"x", 3 * DAY_MS, has_media=True).impressions > plain
    assert reaction(7, b"x", 3 * DAY_MS, quality=2.0).impressions > 1.9 * plain


@given(seeds, ages, ages)
def test_active_time_never_runs_backwards_and_keeps_pace_with_the_clock(
    seed: int, one: int, two: int
) -> None:
    early, late = sorted((one, two))
    elapsed = growth.active_ms(seed, START, START + late) - growth.active_ms(seed, START, START + early)
    assert elapsed >= -1
    assert abs(elapsed - (late - early)) < 0.3 * DAY_MS


def test_an_audience_sleeps() -> None:
    by_hour = [growth.activity(7, START + hour * HOUR_MS) for hour in range(24)]
    assert min(by_hour) < 0.4
    assert max(by_hour) > 1.6
    assert abs(sum(by_hour) / 24 - 1) < 0.01


def test_followers_drift_and_every_post_brings_some() -> None:
    month = START + 30 * DAY_MS
    without = growth.followers(audience(), month, settled=0, recent=[])
    assert 4000 < without < 4400
    posts = growth.followers(audience(), month, settled=20, recent=[month - HOUR_MS])
    assert posts > without + 20


def test_recorded_history_is_followed_exactly_and_joins_the_model() -> None:
    history = [(START - 2 * DAY_MS, 1000), (START - DAY_MS, 1100), (START, 1150)]
    known = Audience(7, START, 1150, 1.0, history)
    assert growth.base_followers(known, START - 9 * DAY_MS) == 1000
    assert growth.base_followers(known, START - DAY_MS - DAY_MS // 2) == 1050
    assert growth.base_followers(known, START) == 1150
    assert abs(growth.base_followers(known, START + HOUR_MS) - 1150) < 5


@given(seeds)
def test_followers_are_never_negative(seed: int) -> None:
    shrinking = Audience(seed, START, 10, -5.0)
    assert growth.followers(shrinking, START + 100 * DAY_MS, settled=0, recent=[]) >= 0
