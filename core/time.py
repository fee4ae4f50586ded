"""Wall-clock times in a named zone, with the two hours a year that do not exist or exist twice."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

UTC = dt.UTC


class LocalTimeMissing(ValueError):
    """The clock was put forward over this wall-clock time: it never happens in the zone."""

    def __init__(self, wall: dt.datetime, zone: str, next_valid: dt.datetime) -> None:
        super().__init__(f"{wall} does not exist in {zone}")
        self.next_valid = next_valid  # naive wall-clock time, the first one after the gap


@dataclass(frozen=True, slots=True)
class DayRange:
    """``start`` inclusive, ``end`` exclusive, aware UTC."""

    start: dt.datetime
    end: dt.datetime


def to_utc(wall: dt.datetime, zone: str) -> dt.datetime:
    """The UTC instant of a naive wall-clock time in ``zone`` (IANA name).

    A time that exists twice (clock put back) means its first occurrence. Raises LocalTimeMissing in
    the gap of a clock put forward.
    """
    tz = zoneinfo.ZoneInfo(zone)
    instant = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    if instant.astimezone(tz).replace(tzinfo=None) == wall:
        return instant
    raise LocalTimeMissing(wall, zone, _gap_end(wall, tz))


def _gap_end(wall: dt.datetime, tz: zoneinfo.ZoneInfo) -> dt.datetime:
    """First wall-clock time after the gap around ``wall``, to the minute."""
    low = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)  # an instant before the transition
    high = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)  # an instant after it
    offset = low.astimezone(tz).utcoffset()
    while high - low > dt.timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(tz).utcoffset() == offset:
            low = middle
        else:
            high = middle
    rounded = high.astimezone(tz).replace(tzinfo=None) + dt.timedelta(seconds=30)
    return rounded.replace(second=0, microsecond=0)


def instant_of(wall: dt.datetime, zone: str) -> dt.datetime:
    """As ``to_utc``, for clocks that nobody asks back: a time in a gap means the end of the gap."""
    try:
        return to_utc(wall, zone)
    except LocalTimeMissing as gap:
        return to_utc(gap.next_valid, zone)


def to_local(instant: dt.datetime, zone: str) -> dt.datetime:
    """An aware instant shown in ``zone``."""
    return instant.astimezone(zoneinfo.ZoneInfo(zone))


def day_range(day: dt.date, zone: str, days: int = 1) -> DayRange:
    """From midnight of ``day`` in ``zone`` over ``days`` calendar days; 23 to 25 hours each."""
    return DayRange(_midnight(day, zone), _midnight(day + dt.timedelta(days=days), zone))


def _midnight(day: dt.date, zone: str) -> dt.datetime:
    # Some zones change at midnight: the day then starts when the gap ends.
    return instant_of(dt.datetime.combine(day, dt.time()), zone)


def is_zone(name: str) -> bool:
    """Whether ``name`` is an IANA zone that this machine knows."""
    return name in zoneinfo.available_timezones()
