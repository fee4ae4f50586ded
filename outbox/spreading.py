"""A backlog spread over coming time: every so many minutes, between two hours of the brand's day."""

from __future__ import annotations

import datetime as dt
import itertools
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.time import LocalTimeMissing, to_local, to_utc

# Longer than that nobody plans a backlog: then another distance is wanted, or fewer posts.
MOST_DAYS = 366


class TooLongToSpread(Exception):
    """The last ones would go out in more than a year."""


@dataclass(frozen=True, slots=True)
class Spread:
    """``every_min`` minutes apart on one account, from ``first`` up to but not at ``last`` of each day."""

    every_min: int
    first: dt.time
    last: dt.time

    @property
    def step(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.every_min)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What spreading must know of a delivery."""

    id: UUID
    account_id: UUID
    brand_id: UUID
    zone: str


def slots(spread: Spread, *, zone: str, start: dt.datetime) -> Iterator[dt.datetime]:
    """The instants from ``start`` (aware) on, for at most MOST_DAYS days.

    They are counted in real minutes from the day's first hour, so that they stay apart on days on which the
    clocks change, too; an hour that does not exist on such a day is the first one after the gap.
    """
    today = to_local(start, zone).date()
    for offset in range(MOST_DAYS):
        day = today + dt.timedelta(days=offset)
        at, end = _instant(day, spread.first, zone), _instant(day, spread.last, zone)
        while at < end:
            if at >= start:
                yield at
            at += spread.step


def _instant(day: dt.date, time: dt.time, zone: str) -> dt.datetime:
    wall = dt.datetime.combine(day, time)
    try:
        return to_utc(wall, zone)
    except LocalTimeMissing as gap:
        return to_utc(gap.next_valid, zone)


def spread_times(
    backlog: Sequence[Waiting],
    spread: Spread,
    *,
    start: dt.datetime,
    taken: Mapping[UUID, Sequence[dt.datetime]],
    quiet: Mapping[UUID, Sequence[tuple[dt.datetime, dt.datetime]]],
) -> dict[UUID, dt.datetime]:
    """A time for each of the backlog, in its order. ``taken`` has, by account and in their order, the times
    of what is planned there already: no slot comes closer to one of them than the distance. ``quiet`` has the
    quiet periods of each brand, in which no slot lies.

    Raises TooLongToSpread.
    """
    free: dict[UUID, Iterator[dt.datetime]] = {}
    last: dict[UUID, dt.datetime] = {}
    times: dict[UUID, dt.datetime] = {}
    for one in backlog:
        if one.account_id not in free:
            planned = taken.get(one.account_id, ())
            every = _outside(slots(spread, zone=one.zone, start=start), quiet.get(one.brand_id, ()))
            free[one.account_id] = _apart(every, planned, spread.step)
        # A night between two days may be shorter than the distance.
        before = last.get(one.account_id)
        far = (at for at in free[one.account_id] if before is None or at - before >= spread.step)
        at = next(far, None)
        if at is None:
            raise TooLongToSpread
        times[one.id] = last[one.account_id] = at
    return times


def _outside(
    every: Iterator[dt.datetime], periods: Sequence[tuple[dt.datetime, dt.datetime]]
) -> Iterator[dt.datetime]:
    return (at for at in every if not any(start <= at < end for start, end in periods))


def _apart(
    every: Iterator[dt.datetime], planned: Sequence[dt.datetime], step: dt.timedelta
) -> Iterator[dt.datetime]:
    for at in every:
        index = bisect_left(planned, at)
        near = itertools.chain(planned[max(index - 1, 0) : index], planned[index : index + 1])
        if all(abs(at - other) >= step for other in near):
            yield at
