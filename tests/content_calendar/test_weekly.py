"""Times of the week as moments, over the changes of the clocks."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_calendar.weekly import WeekTime, moment, moments, shifts

ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
MONDAY, SUNDAY = 0, 6
DAY = dt.timedelta(days=1)


def walls(zone: str, time: WeekTime, first: str, days: int) -> list[str]:
    start = dt.datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(zone))
    found = moments([time], zone, start, start + days * DAY)
    return [at.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M") for at in found]


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Asia/Tokyo", "2027-03-22"),
        ("Europe/Berlin", "2027-03-22"),
        ("Europe/Berlin", "2027-10-25"),
        ("America/New_York", "2027-03-08"),
        ("America/New_York", "2027-11-01"),
        ("Australia/Lord_Howe", "2027-03-29"),
        ("Australia/Lord_Howe", "2027-09-27"),
    ],
)
def test_nine_in_the_morning_stays_nine_over_the_change(zone: str, first: str) -> None:
    found = walls(zone, WeekTime(MONDAY, dt.time(9)), first, 15)
    assert len(found) >= 2
    assert {wall[-5:] for wall in found} == {"09:00"}


@pytest.mark.parametrize(
    ("zone", "date", "time", "wall"),
    [
        ("Europe/Berlin", "2027-03-28", "02:30", "03:00"),  # an hour is missing
        ("America/New_York", "2027-03-14", "02:00", "03:00"),
        ("America/New_York", "2027-03-14", "02:59", "03:00"),
        ("Australia/Lord_Howe", "2027-10-03", "02:15", "02:30"),  # half an hour is
        ("Asia/Tokyo", "2027-03-28", "02:30", "02:30"),  # none ever is
    ],
)
def test_a_time_in_the_gap_is_the_first_minute_after_it(zone: str, date: str, time: str, wall: str) -> None:
    at = moment(dt.date.fromisoformat(date), dt.time.fromisoformat(time), zone)
    assert at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") == f"{date} {wall}"


@pytest.mark.parametrize(
    ("zone", "date", "time", "utc"),
    [
        ("Europe/Berlin", "2027-10-31", "02:30", "2027-10-31T00:30"),
        ("America/New_York", "2027-11-07", "01:15", "2027-11-07T05:15"),
        ("Australia/Lord_Howe", "2027-04-04", "01:45", "2027-04-03T14:45"),
    ],
)
def test_a_time_that_comes_twice_is_the_first_of_both(zone: str, date: str, time: str, utc: str) -> None:
    at = moment(dt.date.fromisoformat(date), dt.time.fromisoformat(time), zone)
    assert at.strftime("%Y-%m-%dT%H:%M") == utc


def test_two_times_in_one_gap_are_one_moment() -> None:
    times = [WeekTime(SUNDAY, dt.time(2, minute)) for minute in (0, 30, 45)] + [WeekTime(SUNDAY, dt.time(3))]
    start = dt.datetime(2027, 3, 28, tzinfo=ZoneInfo("Europe/Berlin"))
    assert [f"{at:%H:%M}" for at in moments(times, "Europe/Berlin", start, start + DAY)] == ["01:00"]


def test_a_day_that_does_not_exist_has_its_times_at_the_next_one() -> None:
    # Samoa went from Thursday to Saturday.
    start = dt.datetime(2011, 12, 29, tzinfo=ZoneInfo("Pacific/Apia"))
    found = list(moments([WeekTime(4, dt.time(9))], "Pacific/Apia", start, start + 3 * DAY))
    assert [f"{at.astimezone(ZoneInfo('Pacific/Apia')):%m-%d %H:%M}" for at in found] == ["12-31 00:00"]


def test_the_days_on_which_the_clocks_touch_a_time_are_told() -> None:
    found = shifts([WeekTime(SUNDAY, dt.time(2, 30))], "Europe/Berlin", dt.date(2027, 1, 1), 366)
    assert [(one.date.isoformat(), one.is_missing, f"{one.at:%H:%M}") for one in found] == [
        ("2027-03-28", True, "01:00"),
        ("2027-10-31", False, "00:30"),
    ]
    assert shifts([WeekTime(SUNDAY, dt.time(2, 30))], "Asia/Tokyo", dt.date(2027, 1, 1), 366) == []


week_times = st.builds(
    WeekTime, st.integers(0, 6), st.times().map(lambda time: dt.time(time.hour, time.minute))
)
instants = st.integers(0, 5 * 366 * 24 * 60).map(
    lambda minutes: dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
)


@given(
    times=st.lists(week_times, max_size=6),
    zone=st.sampled_from(ZONES),
    start=instants,
    days=st.integers(0, 40),
)
def test_moments_come_in_order_once_inside_the_window_and_on_their_wall_time(
    times: list[WeekTime], zone: str, start: dt.datetime, days: int
) -> None:
    end = start + days * DAY
    found = list(moments(times, zone, start, end))
    assert found == sorted(set(found))
    assert all(start <= at < end for at in found)
    for at in found:
        local = at.astimezone(ZoneInfo(zone))
        meant = {moment(local.date(), one.time, zone) for one in times if one.weekday == local.weekday()}
        assert at in meant


@given(times=st.lists(week_times, min_size=1, max_size=5), zone=st.sampled_from(ZONES), start=instants)
def test_no_time_is_left_out_whatever_window_is_asked_for(
    times: list[WeekTime], zone: str, start: dt.datetime
) -> None:
    whole = list(moments(times, zone, start, start + 21 * DAY))
    parts = [at for n in range(21) for at in moments(times, zone, start + n * DAY, start + (n + 1) * DAY)]
    assert parts == whole
    # Every date whose weekday is asked for has its moment.
    for n in range(1, 20):
        date = (start.astimezone(ZoneInfo(zone)) + n * DAY).date()
        for one in times:
            at = moment(date, one.time, zone)
            if one.weekday == date.weekday() and start <= at < start + 21 * DAY:
                assert at in whole
