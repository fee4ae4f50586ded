"""Which evergreen entry goes out next."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_calendar.rotation import Empty, Entry, Neighbours, Season, Use, Way, choose

START = dt.datetime(2027, 1, 1, 9, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
NOBODY: Neighbours[str] = Neighbours({}, {})


def entry(key: str, *texts: str) -> Entry[str, str]:
    return Entry(key, tuple(Way(text, {"here": text}) for text in texts or (key,)))


def use(key: str, day: int, text: str = "") -> Use[str]:
    at = START + day * DAY
    return Use(key, text or key, at, at.date())


def chosen(
    entries: list[Entry[str, str]], uses: list[Use[str]], day: int, cool_down: int = 0, **around: str
) -> tuple[str, int] | Empty:
    at = START + day * DAY
    sides = Neighbours({"here": around.get("before", "")}, {"here": around.get("after", "")})
    return choose(entries, uses, at=at, date=at.date(), cool_down=cool_down, neighbours=sides)


def test_never_used_first_in_their_order_then_the_longest_unused() -> None:
    entries = [entry("a"), entry("b"), entry("c")]
    assert chosen(entries, [], 0) == ("a", 0)
    assert chosen(entries, [use("a", 0)], 1) == ("b", 0)
    assert chosen(entries, [use("b", 0), use("a", 1), use("c", 2)], 3) == ("b", 0)


def test_a_single_entry_does_not_go_twice_in_a_row() -> None:
    assert chosen([entry("a")], [use("a", 0)], 90) is Empty.TWICE_IN_A_ROW


def test_a_hole_is_not_filled_with_what_comes_after_it() -> None:
    assert chosen([entry("a"), entry("b")], [use("b", 0), use("a", 4)], 2) is Empty.TWICE_IN_A_ROW


def test_cooling_counts_days_on_both_sides() -> None:
    entries = [entry("a"), entry("b")]
    uses = [use("a", 0), use("b", 1)]
    assert chosen(entries, uses, 6, cool_down=7) is Empty.COOLING
    assert chosen(entries, uses, 7, cool_down=7) == ("a", 0)
    assert chosen(entries, [use("a", 9), use("b", 10)], 4, cool_down=7) is Empty.COOLING


def test_the_way_unused_the_longest_is_taken() -> None:
    entries = [entry("a", "one", "two"), entry("b")]
    assert chosen(entries, [use("a", 0, "one"), use("b", 1)], 2) == ("a", 1)
    assert chosen(entries, [use("a", 0, "one"), use("b", 1), use("a", 2, "two"), use("b", 3)], 4) == ("a", 0)


def test_no_words_twice_in_a_row_on_an_account_whoever_said_them() -> None:
    entries = [entry("a", "one", "two"), entry("b", "three")]
    assert chosen(entries, [], 0, before="one") == ("a", 1)
    assert chosen(entries, [], 0, before="one", after="two") == ("b", 0)
    assert chosen([entry("a", "one")], [], 0, after="one") is Empty.SAME_TEXT


def test_without_entries_nothing_goes() -> None:
    assert chosen([], [], 0) is Empty.NO_ENTRIES


@pytest.mark.parametrize(
    ("first", "last", "inside", "outside"),
    [
        ((12, 1), (2, 28), ["2027-12-01", "2028-01-01", "2028-02-28"], ["2028-02-29", "2027-11-30"]),
        ((3, 1), (3, 1), ["2027-03-01"], ["2027-02-28", "2027-03-02"]),
        ((2, 29), (6, 1), ["2028-02-29", "2027-03-01"], ["2027-02-28", "2027-06-02"]),
    ],
)
def test_a_season_may_span_new_year(
    first: tuple[int, int], last: tuple[int, int], inside: list[str], outside: list[str]
) -> None:
    season = Season(first, last)
    assert all(season.has(dt.date.fromisoformat(day)) for day in inside)
    assert not any(season.has(dt.date.fromisoformat(day)) for day in outside)


@given(
    texts=st.lists(st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=3, unique=True), max_size=6),
    order=st.permutations(range(25)),
    cool_down=st.integers(0, 9),
)
def test_in_whatever_order_times_are_filled_the_rules_hold(
    texts: list[list[str]], order: list[int], cool_down: int
) -> None:
    """A machine that fills the days of a month in any order, as holes are filled late."""
    entries = [Entry(n, tuple(Way(text, {"here": text}) for text in own)) for n, own in enumerate(texts)]
    uses: list[Use[int]] = []
    for day in order:
        at = START + day * DAY
        before = next((use.text for use in reversed(uses) if use.at < at), "")
        after = next((use.text for use in uses if use.at > at), "")
        sides = Neighbours({"here": before}, {"here": after})
        found = choose(entries, uses, at=at, date=at.date(), cool_down=cool_down, neighbours=sides)
        if isinstance(found, Empty):
            # Nothing that may go was overlooked.
            last = {
                use.key for use in (*[u for u in uses if u.at < at][-1:], *[u for u in uses if u.at > at][:1])
            }
            for one in entries:
                near = any(use.key == one.key and abs((at - use.at).days) < cool_down for use in uses)
                fresh = [way for way in one.ways if way.text not in (before, after)]
                assert near or one.key in last or not fresh
            continue
        key, number = found
        uses.append(Use(key, entries[key].ways[number].text, at, at.date()))
        uses.sort(key=lambda use: use.at)
    for early, late in itertools.pairwise(uses):
        assert early.key != late.key
        assert early.text != late.text
    for early, late in itertools.combinations(uses, 2):
        if early.key == late.key:
            assert abs((early.date - late.date).days) >= cool_down


@given(count=st.integers(2, 8), days=st.integers(1, 60))
def test_with_room_everybody_takes_turns(count: int, days: int) -> None:
    entries = [entry(str(n)) for n in range(count)]
    uses: list[Use[str]] = []
    for day in range(days):
        found = chosen(entries, uses, day, cool_down=count - 1)
        assert not isinstance(found, Empty)
        uses.append(use(found[0], day))
    assert [one.key for one in uses] == [str(day % count) for day in range(days)]
