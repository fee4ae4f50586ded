from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.business_time import FARTHEST, BusinessHours, HoursInvalid

OFFICE = {str(day): [["09:00", "17:00"]] for day in range(5)}
ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
MINUTE = dt.timedelta(minutes=1)


def at(zone: str, text: str, fold: int = 0) -> dt.datetime:
    """A wall time of a zone."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=fold)


def office(zone: str = "Europe/Berlin") -> BusinessHours:
    return BusinessHours.parse(OFFICE, zone)


def wall(instant: dt.datetime, zone: str = "Europe/Berlin") -> str:
    return instant.astimezone(zoneinfo.ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M")


# --- worked numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES)
def test_half_an_hour_from_friday_quarter_to_five_ends_on_monday_quarter_past_nine(zone: str) -> None:
    due = office(zone).due(at(zone, "2026-03-13T16:45"), 30)
    assert wall(due, zone) == "Mon 2026-03-16 09:15"
    assert office(zone).seconds_between(at(zone, "2026-03-13T16:45"), due) == 30 * 60


def test_what_arrives_at_night_counts_from_the_morning() -> None:
    assert wall(office().due(at("Europe/Berlin", "2026-03-10T03:00"), 60)) == "Tue 2026-03-10 10:00"
    assert office().seconds_between(
        at("Europe/Berlin", "2026-03-10T03:00"), at("Europe/Berlin", "2026-03-10T09:30")
    ) == (30 * 60)


def test_exactly_the_rest_of_the_day_ends_with_the_day_and_not_the_next_morning() -> None:
    assert wall(office().due(at("Europe/Berlin", "2026-03-13T16:30"), 30)) == "Fri 2026-03-13 17:00"


def test_a_lunch_break_is_off() -> None:
    hours = BusinessHours.parse({"1": [["13:00", "17:00"], ["09:00", "12:00"]]}, "Europe/Berlin")
    assert wall(hours.due(at("Europe/Berlin", "2026-03-10T11:45"), 30)) == "Tue 2026-03-10 13:15"


def test_no_minutes_at_all_is_the_next_open_moment() -> None:
    assert wall(office().due(at("Europe/Berlin", "2026-03-14T12:00"), 0)) == "Mon 2026-03-16 09:00"
    assert wall(office().due(at("Europe/Berlin", "2026-03-10T12:00"), 0)) == "Tue 2026-03-10 12:00"


def test_a_day_ends_at_24_00() -> None:
    hours = BusinessHours.parse({"5": [["20:00", "24:00"]], "6": [["00:00", "02:00"]]}, "Asia/Tokyo")
    assert wall(hours.due(at("Asia/Tokyo", "2026-03-14T23:30"), 60), "Asia/Tokyo") == "Sun 2026-03-15 00:30"


def test_nothing_passes_backwards() -> None:
    start = at("Europe/Berlin", "2026-03-10T10:00")
    assert office().seconds_between(start, start - dt.timedelta(hours=1)) == 0


# --- clocks that change ---------------------------------------------------------------------------


def test_an_hour_that_the_clock_skips_is_no_business_time() -> None:
    # Berlin, 29 March 2026: after 02:00 comes 03:00.
    hours = BusinessHours.parse({"6": [["01:00", "04:00"]]}, "Europe/Berlin")
    start, end = at("Europe/Berlin", "2026-03-29T00:00"), at("Europe/Berlin", "2026-03-29T12:00")
    assert hours.seconds_between(start, end) == 2 * 3600
    assert wall(hours.due(start, 90)) == "Sun 2026-03-29 03:30"


@pytest.mark.parametrize(
    ("opens", "closes", "minutes"),
    [("02:15", "02:45", 0), ("02:30", "03:30", 30), ("01:30", "02:30", 30), ("02:00", "03:00", 0)],
)
def test_a_stretch_that_touches_the_skipped_hour_keeps_what_exists_of_it(
    opens: str, closes: str, minutes: int
) -> None:
    hours = BusinessHours.parse({"6": [[opens, closes]]}, "Europe/Berlin")
    start, end = at("Europe/Berlin", "2026-03-29T00:00"), at("Europe/Berlin", "2026-03-29T12:00")
    assert hours.seconds_between(start, end) == minutes * 60


def test_an_hour_that_the_clock_repeats_counts_while_the_brand_is_open() -> None:
    # Berlin, 25 October 2026: 02:00 to 03:00 happens twice.
    hours = BusinessHours.parse({"6": [["01:00", "04:00"]]}, "Europe/Berlin")
    start, end = at("Europe/Berlin", "2026-10-25T00:00"), at("Europe/Berlin", "2026-10-25T12:00")
    assert hours.seconds_between(start, end) == 4 * 3600


def test_a_stretch_within_the_repeated_hour_is_open_once() -> None:
    hours = BusinessHours.parse({"6": [["02:00", "02:30"]]}, "Europe/Berlin")
    start, end = at("Europe/Berlin", "2026-10-25T00:00"), at("Europe/Berlin", "2026-10-25T12:00")
    assert hours.seconds_between(start, end) == 30 * 60
    assert wall(hours.due(start, 30)) == "Sun 2026-10-25 02:30"


def test_lord_howe_moves_its_clock_by_half_an_hour() -> None:
    # 4 October 2026: after 02:00 comes 02:30.
    hours = BusinessHours.parse({"6": [["01:00", "03:00"]]}, "Australia/Lord_Howe")
    start = at("Australia/Lord_Howe", "2026-10-04T00:00")
    assert hours.seconds_between(start, start + dt.timedelta(hours=12)) == 90 * 60


def test_a_zone_that_skips_midnight_begins_its_day_after_the_gap() -> None:
    # Cairo, 24 April 2026: after 23:59 comes 01:00.
    hours = BusinessHours.parse({"4": [["00:00", "02:00"]]}, "Africa/Cairo")
    start = at("Africa/Cairo", "2026-04-23T12:00")
    assert wall(hours.due(start, 30), "Africa/Cairo") == "Fri 2026-04-24 01:30"


# --- brands that are never, or hardly, open -------------------------------------------------------


@pytest.mark.parametrize("none", [{}, {"0": []}])
def test_a_brand_without_hours_is_taken_to_be_open_always(none: dict[str, list[list[str]]]) -> None:
    hours = BusinessHours.parse(none, "Europe/Berlin")
    start = at("Europe/Berlin", "2026-03-14T12:00")
    assert hours.is_always
    assert hours.due(start, 90) == start + dt.timedelta(minutes=90)
    assert hours.seconds_between(start, start + dt.timedelta(days=1)) == 24 * 3600


def test_a_minute_a_week_does_not_count_for_ever() -> None:
    hours = BusinessHours.parse({"0": [["09:00", "09:01"]]}, "Europe/Berlin")
    start = at("Europe/Berlin", "2026-03-14T12:00")
    assert hours.due(start, 10_000_000) == start + FARTHEST


@pytest.mark.parametrize(
    ("hours", "day"),
    [
        ({"7": [["09:00", "17:00"]]}, ""),
        ({"monday": []}, ""),
        ({"0": [["17:00", "09:00"]]}, "0"),
        ({"0": [["09:00", "09:00"]]}, "0"),
        ({"0": [["9:00", "17:00"]]}, "0"),
        ({"0": [["09:00", "24:01"]]}, "0"),
        ({"0": [["09:60", "17:00"]]}, "0"),
        ({"0": [["09:00"]]}, "0"),
        ({"0": ["0917"]}, "0"),
        ({"0": [["０9:00", "17:00"]]}, "0"),
    ],
)
def test_what_are_no_hours_is_refused(hours: dict[str, list[list[str]]], day: str) -> None:
    with pytest.raises(HoursInvalid) as refusal:
        BusinessHours.parse(hours, "Europe/Berlin")
    assert refusal.value.day == day


def test_stretches_that_touch_or_overlap_are_one() -> None:
    hours = BusinessHours.parse({"0": [["12:00", "17:00"], ["09:00", "12:00"], ["10:00", "11:00"]]}, "UTC")
    assert hours.days[0] == ((9 * 60, 17 * 60),)


# --- properties -----------------------------------------------------------------------------------

minutes_of_day = st.integers(0, 24 * 60)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


stretches = st.lists(
    st.tuples(minutes_of_day, minutes_of_day)
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: [clock(pair[0]), clock(pair[1])]),
    max_size=3,
)
hours_of_week = st.builds(
    BusinessHours.parse,
    st.dictionaries(st.sampled_from([str(day) for day in range(7)]), stretches, max_size=7),
    st.sampled_from(ZONES),
)
# Around the clock changes of all four zones, to the second.
MARCH = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
instants = st.integers(0, 260 * 86_400).map(lambda seconds: MARCH + dt.timedelta(seconds=seconds))


@given(hours_of_week, instants, instants, instants)
def test_parts_add_up_to_the_whole(
    hours: BusinessHours, one: dt.datetime, two: dt.datetime, three: dt.datetime
) -> None:
    first, second, third = sorted((one, two, three))
    assert hours.seconds_between(first, second) + hours.seconds_between(second, third) == (
        hours.seconds_between(first, third)
    )


@given(hours_of_week, instants, instants)
def test_business_time_is_never_longer_than_the_clocks(
    hours: BusinessHours, one: dt.datetime, two: dt.datetime
) -> None:
    first, second = sorted((one, two))
    assert 0 <= hours.seconds_between(first, second) <= (second - first).total_seconds()


@given(hours_of_week, instants, st.integers(0, 3000))
def test_until_it_is_due_exactly_the_promised_time_passes(
    hours: BusinessHours, start: dt.datetime, minutes: int
) -> None:
    due = hours.due(start, minutes)
    assert due >= start
    if due - start < FARTHEST:
        assert hours.seconds_between(start, due) == minutes * 60


@given(hours_of_week, instants, st.integers(1, 3000))
def test_a_moment_before_it_is_due_the_promised_time_has_not_passed(
    hours: BusinessHours, start: dt.datetime, minutes: int
) -> None:
    due = hours.due(start, minutes)
    if due - start < FARTHEST:
        assert hours.seconds_between(start, due - dt.timedelta(seconds=1)) < minutes * 60


@given(hours_of_week, instants, instants, st.integers(0, 3000), st.integers(0, 3000))
def test_who_comes_later_or_is_promised_more_time_is_due_no_earlier(
    hours: BusinessHours, one: dt.datetime, two: dt.datetime, less: int, more: int
) -> None:
    first, second = sorted((one, two))
    less, more = sorted((less, more))
    assert hours.due(first, less) <= hours.due(second, less)
    assert hours.due(first, less) <= hours.due(first, more)


@given(st.sampled_from(ZONES), instants)
def test_a_stretch_lasts_as_long_as_its_wall_times_say_on_days_without_a_change(
    zone: str, instant: dt.datetime
) -> None:
    midnight = instant.astimezone(zoneinfo.ZoneInfo(zone)).replace(hour=0, minute=0, second=0, fold=0)
    end = midnight + dt.timedelta(days=1)  # a wall time again
    if midnight.utcoffset() == end.utcoffset():
        hours = BusinessHours.parse({str(midnight.weekday()): [["09:00", "17:00"]]}, zone)
        assert hours.seconds_between(midnight, end) == 8 * 3600


def test_every_minute_of_a_week_agrees_with_the_wall_clock() -> None:
    """The definition itself, minute by minute, over the night in which Lord Howe puts its clock back."""
    zone = "Australia/Lord_Howe"
    hours = BusinessHours.parse(
        {str(day): [["00:15", "01:20"], ["22:00", "24:00"]] for day in range(7)}, zone
    )
    start = at(zone, "2026-04-02T00:00").astimezone(dt.UTC)
    open_minutes = 0
    for step in range(7 * 24 * 60):
        local = (start + step * MINUTE).astimezone(zoneinfo.ZoneInfo(zone))
        of_day = local.hour * 60 + local.minute
        open_minutes += 15 <= of_day < 80 or of_day >= 22 * 60
    # The half hour that comes twice (01:30 to 02:00) lies outside both stretches.
    assert hours.seconds_between(start, start + 7 * 24 * 60 * MINUTE) == open_minutes * 60
