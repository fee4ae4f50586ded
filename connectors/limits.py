"""What an answer says of the network's limits, read before one of them is used up. Pure: from headers to
``Allowance``s; who waits for what is decided in ``outbox.services.rates``.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_WAIT = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Answer:
    """What can be read of an answer without its body. ``path``: of the address, without the query. The names
    of headers are found in any case."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]

    @property
    def is_read(self) -> bool:
        return self.method in {"GET", "HEAD"}


class Covers(enum.StrEnum):
    ALL = "all"  # reading and sending share the allowance
    READING = "reading"
    SENDING = "sending"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of an allowance is used: ``used`` is a share of it, 1 = all, until ``free_at`` (aware, UTC).

    ``full_from``: a share from which nothing more is asked of it; less than 1 where what the network says
    lags behind. ``of_app``: all accounts of the developer app share it.
    """

    used: float
    free_at: dt.datetime
    covers: Covers = Covers.ALL
    full_from: float = 1.0
    of_app: bool = False

    @property
    def is_full(self) -> bool:
        return self.used >= self.full_from


def counted(
    answer: Answer, prefix: str, *, now: dt.datetime, covers: Covers, of_app: bool = False
) -> tuple[Allowance, ...]:
    """Of the headers ``<prefix>-limit``, ``-remaining`` and ``-reset``; none where they do not make sense."""
    limit, left = _number(answer, f"{prefix}-limit"), _number(answer, f"{prefix}-remaining")
    free_at = moment(answer.headers.get(f"{prefix}-reset", ""), now=now)
    if left is None or free_at is None or free_at <= now:
        return ()
    if left and not limit:
        return ()
    used = 1 - left / limit if left and limit else 1.0
    return (Allowance(max(used, 0.0), free_at, covers, of_app=of_app),)


def of_the_call(answer: Answer) -> Covers:
    """Where each kind of call has an allowance of its own: that which this one was taken from."""
    return Covers.READING if answer.is_read else Covers.SENDING


def of_all_or_writes(answer: Answer) -> Covers:
    """Where all calls share one allowance and what writes has a smaller one besides, which its answers tell
    of."""
    return Covers.ALL if answer.is_read else Covers.SENDING


def moment(stated: str, *, now: dt.datetime) -> dt.datetime | None:
    """ISO 8601, seconds or milliseconds of the epoch, or seconds from ``now``; at most a week away. None for
    anything else."""
    stated = stated.strip()
    try:
        if re.fullmatch(r"\d{1,16}(\.\d+)?", stated):
            seconds = float(stated)
            if seconds < 1e9:
                at = now + dt.timedelta(seconds=seconds)
            else:
                at = dt.datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, dt.UTC)
        else:
            at = dt.datetime.fromisoformat(stated)
            at = at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return min(at, now + LONGEST_WAIT)


def _number(answer: Answer, name: str) -> int | None:
    """The first number of a header: ``100, 100;w=60`` has the policies behind it."""
    found = re.match(r"\s*(\d{1,12})\b", answer.headers.get(name, ""))
    return int(found[1]) if found else None
