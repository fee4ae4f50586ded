"""Who waited, from when until when: a conversation's messages played in order. Pure.

An episode begins with the first message that needs an answer and ends with the next public answer of a
person. What we send answers only what its author had seen: a message that came in unseen meanwhile goes on
waiting. An answer that was written elsewhere answers everything before it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from engagement.models import EpisodeEnd


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that needs an answer, written ``at``; its author waits ``waits_from`` then or later, until it
    was ``withdrawn_at``."""

    id: UUID
    number: int
    at: dt.datetime
    waits_from: dt.datetime
    withdrawn_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A public answer of a person, at the network since ``at``. ``covers``: the newest number that its author
    had seen, None where they saw the network itself."""

    id: UUID
    at: dt.datetime
    covers: int | None = None


@dataclass(frozen=True, slots=True)
class Dismissed:
    """Somebody said that what is there, up to number ``covers``, needs no answer."""

    at: dt.datetime
    covers: int


@dataclass(frozen=True, slots=True)
class Episode:
    """``ended_at`` None: somebody still waits. ``ended_by`` is the answer, None for other ends."""

    opened_by: UUID
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    ended_how: EpisodeEnd | None = None
    ended_by: UUID | None = None
    covers: int | None = None  # of Dismissed


@dataclass(frozen=True, slots=True)
class _Withdrawn:
    id: UUID
    at: dt.datetime


Event = Asked | Answered | Dismissed | _Withdrawn
# What happens at the same instant: first the question, then what becomes of it.
_ORDER: dict[type, int] = {Asked: 0, Answered: 1, Dismissed: 2, _Withdrawn: 3}


def episodes(events: Iterable[Asked | Answered | Dismissed]) -> list[Episode]:
    """The episodes of one conversation in order of their start; at most the last one is open."""
    line: list[Event] = list(events)
    line += [_Withdrawn(e.id, e.withdrawn_at) for e in line if isinstance(e, Asked) and e.withdrawn_at]
    line.sort(key=lambda event: (event.at, _ORDER[type(event)]))
    found: list[Episode] = []
    pending: list[Asked] = []
    for event in line:
        match event:
            case Asked():
                pending.append(event)
            case Answered():
                how, answer = EpisodeEnd.ANSWERED, event.id
                pending = _end(found, pending, at=event.at, covers=event.covers, how=how, answer=answer)
            case Dismissed():
                how = EpisodeEnd.NO_ANSWER_NEEDED
                pending = _end(found, pending, at=event.at, covers=event.covers, how=how)
            case _Withdrawn():
                left = [one for one in pending if one.id != event.id]
                if pending and not left:
                    _end(found, pending, at=event.at, covers=None, how=EpisodeEnd.WITHDRAWN)
                pending = left
    if pending:
        found.append(Episode(pending[0].id, pending[0].waits_from))
    return found


def _end(
    found: list[Episode],
    pending: Sequence[Asked],
    *,
    at: dt.datetime,
    covers: int | None,
    how: EpisodeEnd,
    answer: UUID | None = None,
) -> list[Asked]:
    """Adds the episode that ends here, if one does; returns what is still pending.

    What was over before its author's waiting began to count (an answer from before the account was
    connected) is no episode.
    """
    covered = [one for one in pending if covers is None or one.number <= covers]
    if covered and covered[0].waits_from <= at:
        dismissed = covers if how is EpisodeEnd.NO_ANSWER_NEEDED else None
        found.append(Episode(covered[0].id, covered[0].waits_from, at, how, answer, dismissed))
    return [one for one in pending if one not in covered]
