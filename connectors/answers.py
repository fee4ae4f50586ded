"""Reading what a network answers, whatever shape it comes in. Pure.

What is asked for with ``ident``, ``object_of`` or ``items`` must be there: else it is a fault of the server,
raised as the answer itself would raise it (``http.json_object``). Everything else is empty or None where it
is not what it should be.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from requests import Response

from connectors.errors import ConnectorError, Temporary

LARGEST_COUNT = 2**63 - 1  # what a database takes
# Nearer to the ends of the calendar no zone's time can be told any more.
FIRST, LAST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2999, 1, 1, tzinfo=dt.UTC)
LONGEST_LIFE_S = 10 * 365 * 86_400.0


def said(response: Response) -> Any:
    """The JSON of an answer that may have none, as of a refusal: None."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def inner(value: object, *names: str) -> Any:
    """``value[a][b]…``, None where something of it is not there or is something else."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def number_or_text(value: object) -> str:
    """An id as networks write them: text, or a whole number."""
    if isinstance(value, str):
        return value
    return (
        str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**40 else ""
    )


def rows(value: object) -> list[dict[str, Any]]:
    """The objects of a list; what is none is left out, and so is a list that is none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _failure(answer: object) -> type[ConnectorError]:
    failure: type[ConnectorError] = getattr(answer, "failure", Temporary)
    return failure


def id_of(value: object) -> str:
    """An id as it can be kept, "" for what is none."""
    found = number_or_text(value).replace("\0", "").encode(errors="replace").decode()
    return found if found.strip(" ") else ""


def ident(answer: Mapping[str, Any], name: str) -> str:
    """The id that an answer must have."""
    value = id_of(answer.get(name))
    if not value:
        raise _failure(answer)(f"an answer without a usable {name!r}")
    return value


def object_of(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object that an answer must have."""
    value = answer.get(name)
    if not isinstance(value, dict):
        raise _failure(answer)(f"an answer without an object {name!r}")
    return value


def items(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of the list that an answer must have."""
    value = answer.get(name)
    if not isinstance(value, list):
        raise _failure(answer)(f"an answer without a list {name!r}")
    return rows(value)


def all_items(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """As ``items``, where nothing may be left out."""
    found = items(answer, name)
    if len(found) < len(answer[name]):
        raise _failure(answer)(f"an answer with something odd in its {name!r}")
    return found


def whole_number(value: object) -> int | None:
    """A number that counts something, also where it is written as text ("12")."""
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else None
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT
    return int(value) if is_count and isinstance(value, int) else None


def count(counts: object, name: str) -> int | None:
    """None = it is not told."""
    return whole_number(inner(counts, name))


def is_digits(value: str) -> bool:
    """Of digits alone, those that ``int`` means: not "²"."""
    return re.fullmatch(r"[0-9]+", value) is not None


def instant(stated: object) -> dt.datetime | None:
    """A moment in ISO 8601, in UTC where it does not say otherwise, between FIRST and LAST."""
    if not isinstance(stated, str):
        return None
    try:
        at = dt.datetime.fromisoformat(stated)
        at = at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(at, FIRST), LAST)


def moment(stated: object, *, per_second: int = 1) -> dt.datetime | None:
    """A moment in seconds since 1970 or parts of them, between FIRST and LAST."""
    if not isinstance(stated, int | float) or isinstance(stated, bool):
        return None
    try:
        return min(max(dt.datetime.fromtimestamp(stated / per_second, dt.UTC), FIRST), LAST)
    except (ValueError, OverflowError, OSError):
        return None


def lifetime(seconds: object) -> dt.timedelta | None:
    """How long a token lives; None where nothing sensible is said."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds < LONGEST_LIFE_S:
        return None
    return dt.timedelta(seconds=float(seconds))


def pause_s(seconds: object, *, default_s: float, longest_s: float = 3600.0) -> float:
    """How long to wait before asking again."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds < float("inf"):
        return default_s
    return float(min(seconds, longest_s))


def split(address: str) -> SplitResult:
    """The parts of an address; empty ones of what is none."""
    try:
        parts = urlsplit(address)
        parts.hostname, parts.port  # noqa: B018 - these may raise, too
    except ValueError:
        return urlsplit("")
    return parts


def quoted(value: str, safe: str = "") -> str:
    """For a path or a query; halves of surrogate pairs, which nobody can write there, become "?"."""
    return quote(value.encode(errors="replace").decode(), safe=safe)


def https(value: object) -> str:
    """An address of a picture that may stand in a page, else ""."""
    return value if isinstance(value, str) and value.startswith("https://") and split(value).hostname else ""
