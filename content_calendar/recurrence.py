"""Rules by which posts repeat: the RRULE of RFC 5545 (section 3.3.10, read 2026-11-29), in days.

A rule here names dates; the time of day stands beside it, on the wall clock of the brand. So a rule is
counted without a zone and no change of the clocks moves a date.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from itertools import islice

from dateutil.rrule import rrule, rrulestr

from core.time import to_local

# How far a series reaches, from its first day.
MOST_DAYS = 2 * 366
MOST_TIMES = 500
LONGEST_TEXT = 300

# Dates and weekdays come again exactly after 400 years.
_CYCLE_YEARS = 400

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAILY_AT_MOST = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_TIME_OF_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_NUMBERS = r"[+-]?[0-9]{1,3}(?:,[+-]?[0-9]{1,3}){0,60}"
_DAY = r"(?:[+-]?[0-9]{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)"
_VALUES = {
    "FREQ": r"[A-Z]{5,8}",
    "INTERVAL": r"[0-9]{1,3}",
    "COUNT": r"[0-9]{1,6}",
    "UNTIL": r"[0-9]{8}(?:T[0-9]{6}Z?)?",
    "BYDAY": rf"{_DAY}(?:,{_DAY}){{0,60}}",
    "BYMONTHDAY": _NUMBERS,
    "BYYEARDAY": _NUMBERS,
    "BYWEEKNO": _NUMBERS,
    "BYMONTH": _NUMBERS,
    "BYSETPOS": _NUMBERS,
    "WKST": r"MO|TU|WE|TH|FR|SA|SU",
}


class RuleUnreadable(ValueError):
    """It is no RRULE, or one part of it says nothing that can be meant."""


class RuleTooOften(ValueError):
    """It repeats within a day, or names times of day."""


class RuleEndless(ValueError):
    """It has no end."""


class RuleTooLong(ValueError):
    """It goes on for more than two years, or more than 500 times."""


class RuleEmpty(ValueError):
    """There is not a single day that it names."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read: its parts in their order, UNTIL as a date (YYYYMMDD)."""

    parts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self.parts)

    def get(self, name: str) -> str:
        return dict(self.parts).get(name, "")

    @property
    def until(self) -> dt.date | None:
        return _date(self.get("UNTIL")) if self.get("UNTIL") else None

    @property
    def count(self) -> int | None:
        return int(self.get("COUNT")) if self.get("COUNT") else None


def read_rule(text: str, zone: str) -> Rule:
    """The rule that ``text`` says (``RRULE:`` before it or not). An UNTIL in UTC means its day in ``zone``.

    Raises RuleUnreadable, RuleTooOften, RuleEndless.
    """
    line = text.strip().upper().removeprefix("RRULE:").strip().rstrip(";")
    if not line or len(line) > LONGEST_TEXT:
        raise RuleUnreadable
    parts: dict[str, str] = {}
    for piece in line.split(";"):
        name, _equals, value = piece.strip().partition("=")
        if name in _TIME_OF_DAY:
            raise RuleTooOften
        if name in parts or name not in _VALUES or not re.fullmatch(_VALUES[name], value):
            raise RuleUnreadable
        parts[name] = value
    if parts.get("FREQ") in ("SECONDLY", "MINUTELY", "HOURLY"):
        raise RuleTooOften
    if parts.get("FREQ") not in _DAILY_AT_MOST or int(parts.get("INTERVAL", "1")) < 1:
        raise RuleUnreadable
    if "UNTIL" in parts and "COUNT" in parts:  # the RFC allows one of them
        raise RuleUnreadable
    if "UNTIL" not in parts and "COUNT" not in parts:
        raise RuleEndless
    if "UNTIL" in parts:
        parts["UNTIL"] = f"{_last_day(parts['UNTIL'], zone):%Y%m%d}"
    return Rule(tuple(parts.items()))


def _last_day(value: str, zone: str) -> dt.date:
    if not value.endswith("Z"):
        return _date(value[:8])
    try:
        at = dt.datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        return to_local(at, zone).date()
    except (ValueError, OverflowError) as error:
        raise RuleUnreadable from error


def _date(value: str) -> dt.date:
    try:
        return dt.datetime.strptime(value, "%Y%m%d").replace(tzinfo=dt.UTC).date()
    except ValueError as error:
        raise RuleUnreadable from error


def dates_of(rule: Rule, first: dt.date) -> list[dt.date]:
    """The days that the rule names from ``first`` on, in order; at most MOST_TIMES of them.

    Raises RuleUnreadable, RuleEmpty, and RuleTooLong for a rule whose end lies too far away.
    """
    count, until = rule.count, rule.until
    if until is not None and (until - first).days > MOST_DAYS:
        raise RuleTooLong
    if count is not None and not 0 < count <= MOST_TIMES:
        raise RuleUnreadable if count == 0 else RuleTooLong
    horizon = until or first + dt.timedelta(days=MOST_DAYS)
    text = ";".join(f"{name}={value}" for name, value in rule.parts if name not in ("UNTIL", "COUNT"))
    # A rule that names no day is searched for up to the year 9999, whatever its end: begin as late as can be.
    later = (dt.MAXYEAR - max(first, horizon).year) // _CYCLE_YEARS * _CYCLE_YEARS
    text += f";UNTIL={horizon.year + later:04}{horizon:%m%d}T000000"
    try:
        begin = first.replace(year=first.year + later)
        read = rrulestr(text, dtstart=dt.datetime.combine(begin, dt.time()))
        # It notices only on its way that a month has no 99th Monday.
        times = islice(iter(read), (count or MOST_TIMES) + (count is None))
        found = [at.date().replace(year=at.year - later) for at in times]
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise RuleUnreadable from error
    if not isinstance(read, rrule):
        raise RuleUnreadable
    if not found:
        raise RuleEmpty
    if len(found) > MOST_TIMES or (count is not None and len(found) < count):
        raise RuleTooLong
    return found
