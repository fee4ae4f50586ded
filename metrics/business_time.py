"""Time that counts only while a brand is open: when an answer is due, and how long somebody has waited.

Hours are wall times of a zone, by weekday. On the nights when clocks change, an hour that does not exist
begins when the clock has been put forward, and one that exists twice means its first occurrence.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

MINUTES_OF_DAY = 24 * 60
# Nobody is promised an answer later than this; it also ends the search through a calendar with few hours.
FARTHEST = dt.timedelta(days=10 * 366)
_DAY = dt.timedelta(days=1)

Stretch = tuple[int, int]  # minutes after midnight, the second exclusive


class HoursInvalid(ValueError):
    """These are no opening hours; ``day`` is the weekday's key ("0" is Monday), "" for the whole."""

    def __init__(self, day: str, text: str) -> None:
        super().__init__(text)
        self.day = day


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """The hours of one brand. ``days``: of each weekday, Monday first, its stretches in order, apart from one
    another. Without a single stretch the brand is taken to be open around the clock: somebody who waits
    has to be answered at some time."""

    zone: zoneinfo.ZoneInfo
    days: tuple[tuple[Stretch, ...], ...]

    @classmethod
    def parse(cls, hours: Mapping[str, Sequence[Sequence[str]]], zone: str) -> BusinessHours:
        """From {"0": [["09:00", "17:00"]], ...}: "0" is Monday, a day without an entry is off, "24:00" is the
        end of the day. ``zone`` is an IANA name. Raises HoursInvalid."""
        if unknown := sorted(set(hours) - {str(day) for day in range(7)}):
            raise HoursInvalid("", f"no weekday: {', '.join(unknown)}")
        days = (_merged(str(day), hours.get(str(day), ())) for day in range(7))
        return cls(zoneinfo.ZoneInfo(zone), tuple(days))

    @property
    def is_always(self) -> bool:
        """Whether no time of the week is off."""
        return not any(self.days) or all(day == ((0, MINUTES_OF_DAY),) for day in self.days)

    def due(self, start: dt.datetime, minutes: int) -> dt.datetime:
        """The instant at which ``minutes`` (0 or more) of business time have passed since ``start`` (aware),
        in UTC. Without minutes it is the next moment at which the brand is open."""
        start = start.astimezone(dt.UTC)
        left = dt.timedelta(minutes=minutes)
        if self.is_always:
            return start + min(left, FARTHEST)
        for opens, closes in self._stretches(start):
            if opens - start > FARTHEST:
                break
            begins = max(opens, start)
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        return start + FARTHEST

    def seconds_between(self, start: dt.datetime, end: dt.datetime) -> int:
        """Whole seconds of business time from ``start`` to ``end`` (aware); 0 if ``end`` comes first."""
        start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
        if end <= start:
            return 0
        if self.is_always:
            return int((end - start).total_seconds())
        total = dt.timedelta()
        for opens, closes in self._stretches(start):
            if opens >= end:
                break
            total += min(closes, end) - max(opens, start)
        return int(total.total_seconds())

    def _stretches(self, start: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open stretches that end after ``start``, in order, for ever; UTC."""
        date = start.astimezone(self.zone).date() - _DAY
        while True:
            for opens, closes in self.days[date.weekday()]:
                first, last = self._instant(date, opens), self._instant(date, closes)
                # A stretch within the hour that a clock skips is empty.
                if last > max(first, start):
                    yield first, last
            date += _DAY

    def _instant(self, date: dt.date, minute: int) -> dt.datetime:
        """UTC instant of a wall time; ``minute`` 1440 is the next midnight."""
        wall = dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=minute)
        instant = wall.replace(tzinfo=self.zone, fold=0).astimezone(dt.UTC)
        if instant.astimezone(self.zone).replace(tzinfo=None) == wall:
            return instant
        return _change_after(wall.replace(tzinfo=self.zone, fold=1).astimezone(dt.UTC), instant, self.zone)


def _change_after(before: dt.datetime, after: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The instant between two at which the clock of ``zone`` was changed, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > dt.timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _merged(day: str, pairs: Sequence[Sequence[str]]) -> tuple[Stretch, ...]:
    """Stretches in order; those that touch or overlap are one."""
    merged: list[Stretch] = []
    for pair in sorted(_stretch(day, pair) for pair in pairs):
        if merged and pair[0] <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], pair[1]))
        else:
            merged.append(pair)
    return tuple(merged)


def _stretch(day: str, pair: Sequence[str]) -> Stretch:
    if isinstance(pair, str) or len(pair) != 2:
        raise HoursInvalid(day, f"not a pair of times: {pair!r}")
    opens, closes = _minute(day, pair[0]), _minute(day, pair[1])
    if closes <= opens:
        raise HoursInvalid(day, f"{pair[1]} is not after {pair[0]}")
    return opens, closes


def _minute(day: str, text: str) -> int:
    hour, colon, minute = text.partition(":")
    if colon and len(hour) == len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdigit():
        value = int(hour) * 60 + int(minute)
        if int(minute) < 60 and value <= MINUTES_OF_DAY:
            return value
    raise HoursInvalid(day, f"not a time of day: {text!r}")
