"""Which evergreen entry goes out next: a choice of values, without a clock and without the database."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key")
Account = TypeVar("Account")


class Empty(enum.StrEnum):
    """Why a time of a pool stays empty."""

    NO_ENTRIES = "no_entries"
    COOLING = "cooling"  # every entry went out too short a time ago, or goes out too soon after
    TWICE_IN_A_ROW = "twice_in_a_row"  # only the entry before or after it could go
    SAME_TEXT = "same_text"  # every text left stands just before or after it on an account
    TAKEN = "taken"  # another post stands there
    OUT_OF_SEASON = "out_of_season"
    ENDED = "ended"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class Way(Generic[Account]):
    """One way of saying something; ``words`` are those of each account, mostly the text itself."""

    text: str
    words: Mapping[Account, str]


@dataclass(frozen=True, slots=True)
class Entry(Generic[Key, Account]):
    """Something to say, in one or several ways."""

    key: Key
    ways: tuple[Way[Account], ...]


@dataclass(frozen=True, slots=True)
class Use(Generic[Key]):
    """An entry at a moment, whose ``date`` is one of the brand's zone, in the way of this text."""

    key: Key
    text: str
    at: dt.datetime
    date: dt.date


@dataclass(frozen=True, slots=True)
class Neighbours(Generic[Account]):
    """What each account says just before and just after a moment, "" for nothing."""

    before: Mapping[Account, str]
    after: Mapping[Account, str]


@dataclass(frozen=True, slots=True)
class Season:
    """From one day of the year to another (month, day), both included; it may span New Year."""

    first: tuple[int, int]
    last: tuple[int, int]

    def has(self, date: dt.date) -> bool:
        day = (date.month, date.day)
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


def choose(
    entries: Sequence[Entry[Key, Account]],
    uses: Sequence[Use[Key]],
    *,
    at: dt.datetime,
    date: dt.date,
    cool_down: int,
    neighbours: Neighbours[Account],
) -> tuple[Key, int] | Empty:
    """The entry and the way of saying it for ``at`` (``date`` in the brand's zone), or why there is none.

    Among those that may go: the entry unused the longest (never used first, then in the order given), and
    of its ways the one unused the longest. An entry may go when ``cool_down`` days lie between it and each of
    its uses, before and after, when the use next to it on either side is another one's, and when no account
    says the same words just before or just after. ``uses`` come in the order of their moments.
    """
    if not entries:
        return Empty.NO_ENTRIES
    last_used = {use.key: use.at for use in uses}
    before = next((use.key for use in reversed(uses) if use.at <= at), None)
    after = next((use.key for use in uses if use.at > at), None)
    cool = [
        entry
        for entry in entries
        if all(abs((date - use.date).days) >= cool_down for use in uses if use.key == entry.key)
    ]
    if not cool:
        return Empty.COOLING
    others = [entry for entry in cool if entry.key not in (before, after)]
    if not others:
        return Empty.TWICE_IN_A_ROW
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    for entry in sorted(others, key=lambda one: last_used.get(one.key, never)):
        ways = [n for n, way in enumerate(entry.ways) if not _is_alike(way.words, neighbours)]
        if ways:
            said = {n: _last_said(entry, entry.ways[n].text, uses) for n in ways}
            return entry.key, min(ways, key=said.__getitem__)
    return Empty.SAME_TEXT


def _is_alike(words: Mapping[Account, str], neighbours: Neighbours[Account]) -> bool:
    return any(
        text in (neighbours.before.get(account), neighbours.after.get(account))
        for account, text in words.items()
    )


def _last_said(entry: Entry[Key, Account], text: str, uses: Iterable[Use[Key]]) -> dt.datetime:
    """When an entry was last said in this way; a way that was never used is the oldest."""
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return max((use.at for use in uses if use.key == entry.key and use.text == text), default=never)
