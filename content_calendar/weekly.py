"""Times of the week on a wall clock, as moments: posting slots and the times of evergreen pools."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from core.time import instant_of, to_local

# A slot is taken by what stands at its time or up to so much later, but not at the next slot.
EXTENT = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True, order=True)
class WeekTime:
    """A wall time of one weekday (0 is Monday)."""

    weekday: int
    time: dt.time


@dataclass(frozen=True, slots=True)
class Shift:
    """A day on which the clocks are changed over a time of the week: ``at`` is when it is then."""

    date: dt.date
    time: dt.time
    at: dt.datetime
    is_missing: bool  # the wall time does not exist that day; else it exists twice, and the first is meant


def moment(date: dt.date, time: dt.time, zone: str) -> dt.datetime:
    """The instant (UTC) of a wall time on a date. One that does not exist on that day means the first minute
    after the gap, one that exists twice its first occurrence."""
    return instant_of(dt.datetime.combine(date, time), zone)


def moments(
    times: Iterable[WeekTime], zone: str, start: dt.datetime, end: dt.datetime
) -> Iterator[dt.datetime]:
    """The instants in [start, end) (aware) at which these times of the week come in ``zone``, in order and
    each once: two times that fall into one gap of the clock are one moment."""
    by_day: dict[int, list[dt.time]] = {}
    for one in sorted(set(times)):
        by_day.setdefault(one.weekday, []).append(one.time)
    if not by_day or start >= end:
        return
    # The day before, too: in the gap of a zone that changes at midnight a time slips to the next day.
    date, last = to_local(start, zone).date() - dt.timedelta(days=1), to_local(end, zone).date()
    told: dt.datetime | None = None
    while date <= last:
        for at in sorted({moment(date, time, zone) for time in by_day.get(date.weekday(), ())}):
            if start <= at < end and (told is None or at > told):
                told = at
                yield at
        date += dt.timedelta(days=1)


def shifts(times: Iterable[WeekTime], zone: str, first: dt.date, days: int) -> list[Shift]:
    """The days from ``first`` on, within ``days``, on which one of the times does not exist or exists
    twice."""
    wanted = sorted(set(times))
    tz = ZoneInfo(zone)
    found = []
    for date in (first + dt.timedelta(days=n) for n in range(days)):
        for one in wanted:
            if one.weekday != date.weekday():
                continue
            wall = dt.datetime.combine(date, one.time)
            early, late = (wall.replace(tzinfo=tz, fold=fold).utcoffset() for fold in (0, 1))
            if early != late and early is not None and late is not None:
                found.append(Shift(date, one.time, moment(date, one.time, zone), is_missing=early < late))
    return found
