"""Rules by which posts repeat."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_calendar.recurrence import (
    MOST_DAYS,
    MOST_TIMES,
    RuleEmpty,
    RuleEndless,
    RuleTooLong,
    RuleTooOften,
    RuleUnreadable,
    dates_of,
    read_rule,
)

FIRST = dt.date(2027, 1, 4)  # a Monday
ZONE = "Europe/Berlin"


def named(text: str, first: dt.date = FIRST) -> list[str]:
    return [date.isoformat() for date in dates_of(read_rule(text, ZONE), first)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", ["2027-01-04", "2027-01-05", "2027-01-06"]),
        ("rrule:freq=weekly;interval=2;byday=mo,th;count=3", ["2027-01-04", "2027-01-07", "2027-01-18"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20270301", ["2027-01-29", "2027-02-26"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", ["2027-01-31", "2027-03-31", "2027-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", ["2027-01-31", "2027-02-28"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;UNTIL=20281231", ["2028-02-29"]),
        ("FREQ=DAILY;UNTIL=20270105T230000Z", ["2027-01-04", "2027-01-05", "2027-01-06"]),  # 00:00 in Berlin
        ("FREQ=DAILY;UNTIL=20270105T220000Z;", ["2027-01-04", "2027-01-05"]),
    ],
)
def test_a_rule_names_dates(text: str, expected: list[str]) -> None:
    assert named(text) == expected


@pytest.mark.parametrize("text", ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1"])
def test_a_rule_without_an_end_is_refused(text: str) -> None:
    with pytest.raises(RuleEndless):
        read_rule(text, ZONE)


@pytest.mark.parametrize(
    "text", ["FREQ=HOURLY;COUNT=3", "FREQ=DAILY;BYHOUR=9,17;COUNT=3", "FREQ=SECONDLY;COUNT=1"]
)
def test_a_rule_within_a_day_is_refused(text: str) -> None:
    with pytest.raises(RuleTooOften):
        read_rule(text, ZONE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every Monday",
        "FREQ=NEVER;COUNT=1",
        "FREQ=DAILY;COUNT=2;UNTIL=20270105",
        "FREQ=DAILY;FREQ=WEEKLY;COUNT=1",
        "FREQ=DAILY;INTERVAL=0;COUNT=1",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;UNTIL=20271345",
        "FREQ=DAILY;UNTIL=20270105T996000Z",
        "DTSTART:20270101T090000Z\nRRULE:FREQ=DAILY;COUNT=1",
        "FREQ=DAILY;COUNT=1;X-EVIL=1",
        "FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 200) + ";COUNT=1",
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(RuleUnreadable):
        read_rule(text, ZONE)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;COUNT=501",
        "FREQ=DAILY;UNTIL=20281231",  # more than 500 days
        "FREQ=YEARLY;UNTIL=20400101",
        "FREQ=YEARLY;COUNT=5",  # five years
    ],
)
def test_a_rule_that_goes_on_for_too_long_is_refused(text: str) -> None:
    with pytest.raises(RuleTooLong):
        dates_of(read_rule(text, ZONE), FIRST)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31;COUNT=2",  # searched for no longer than a series may last
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=2",
        "FREQ=DAILY;UNTIL=20261231",  # over before it begins
        "FREQ=DAILY;UNTIL=19991231",  # in another cycle of the calendar
    ],
)
def test_a_rule_that_names_no_day_is_refused_soon(text: str) -> None:
    with pytest.raises(RuleEmpty):
        dates_of(read_rule(text, ZONE), FIRST)


def test_a_weekday_that_no_month_has_is_refused() -> None:
    with pytest.raises(RuleUnreadable):
        dates_of(read_rule("FREQ=MONTHLY;BYDAY=99MO;COUNT=5", ZONE), FIRST)


_PART = st.sampled_from(
    [
        *("BYDAY=MO", "BYDAY=2TU,-1FR", "BYDAY=99MO", "BYMONTHDAY=31", "BYMONTHDAY=0", "BYMONTH=13"),
        *("BYMONTH=+1,-2", "BYSETPOS=-1", "BYYEARDAY=400", "BYWEEKNO=53", "WKST=SU", "INTERVAL=7"),
        *("INTERVAL=999", "COUNT=5", "COUNT=0", "UNTIL=20270601", "UNTIL=20270601T000000Z"),
        "UNTIL=99991231T235959Z",
    ]
)


@given(freq=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), parts=st.lists(_PART, max_size=5))
def test_any_rule_is_read_within_its_bounds_or_refused(freq: str, parts: list[str]) -> None:
    try:
        rule = read_rule(";".join([f"FREQ={freq}", *parts]), ZONE)
        found = dates_of(rule, FIRST)
    except (RuleUnreadable, RuleEndless, RuleTooLong, RuleEmpty):
        return
    assert found == sorted(set(found))
    assert 0 < len(found) <= MOST_TIMES
    assert found[0] >= FIRST
    assert (found[-1] - FIRST).days <= MOST_DAYS
    # What is kept says the same when it is read again.
    assert dates_of(read_rule(str(rule), ZONE), FIRST) == found


@given(st.text(max_size=80))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    with contextlib.suppress(RuleUnreadable, RuleTooOften, RuleEndless):
        read_rule(text, ZONE)
