"""What reports of ads have in common: exact amounts, counts, dates, zones, and pieces of a span of days.

No amount is ever a binary float. Answers are read with ``http.json_object(..., exact=True)``; a float that
comes here all the same is refused.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from connectors.errors import Rejected, RejectReason, Temporary

# What a day of one campaign can cost, as far as we believe it; the database keeps the sum of some of them.
MOST = Decimal(10) ** 12
MOST_DIGITS = 28  # what Decimal computes with; no amount needs them
_NUMBER = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")


def amount(value: object) -> Decimal:
    """An amount from 0 up, exactly as it was written. Raises Temporary for anything else."""
    return _exact(value, "an amount")


def micro_amount(value: object) -> Decimal:
    """An amount in millionths of the currency's unit."""
    return _exact(value, "an amount", MOST.scaleb(6)).scaleb(-6)


def conversions(value: object) -> Decimal | None:
    """Some platforms share a conversion out, so they need not be whole. None: not told."""
    return None if is_untold(value) else _exact(value, "a number of conversions")


def count(value: object) -> int | None:
    """A whole number from 0 up; None where nothing is told."""
    if is_untold(value):
        return None
    number = _exact(value, "a count")
    if number != number.to_integral_value():
        raise Temporary("a count that is not whole")
    return int(number)


def is_untold(value: object) -> bool:
    return value is None or value in ("", "-")


def _exact(value: object, what: str, most: Decimal = MOST) -> Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise Temporary(f"{what} that cannot be read")
    if not 0 <= value < most or len(value.as_tuple().digits) > MOST_DIGITS:
        raise Temporary(f"{what} out of bounds")
    return value


def date(value: object) -> dt.date:
    """``2026-11-22``, also with a time behind it."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d(?:[ T].*)?", value):
        raise Temporary("a day without a date")
    try:
        return dt.date.fromisoformat(value[:10])
    except ValueError as error:
        raise Temporary("a day without a date") from error


def day_in(value: dt.date, first: dt.date, last: dt.date) -> dt.date:
    """A date of the report that was asked for. Raises Temporary for another: whoever replaces a span of days
    must not be given what lies outside of it."""
    if not first <= value <= last:
        raise Temporary("a report of other days than those that were asked for")
    return value


def identifier(value: object) -> str:
    """The id of something, which platforms write as a text or as a number."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str) and re.fullmatch(r"[\w:.\-]{1,100}", value, re.ASCII):
        return value
    raise Temporary("something without a usable id")


def numeric_id(value: str) -> str:
    """An id that goes into an address. Raises Rejected(INVALID) for what is none."""
    if not re.fullmatch(r"[0-9]{1,20}", value):
        raise Rejected(RejectReason.INVALID, "not the id of an ad account")
    return value


def name(value: object, instead: str) -> str:
    """What something is called, ``instead`` where it has no name."""
    words = " ".join(value.replace("\0", "").split()) if isinstance(value, str) else ""
    return words.encode(errors="replace").decode()[:255] or instead


def currency(value: object) -> str:
    """An ISO 4217 code; "" for anything else, "unknown" of a platform included."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Z]{3}", value) and value != "UNK" else ""


def zone(*values: object) -> str:
    """The first that is a time zone, "" for none."""
    for value in values:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_+\-/]{1,64}", value):
            try:
                zoneinfo.ZoneInfo(value)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                continue
            return value
    return ""


def objects(value: object) -> list[Mapping[str, Any]]:
    """A list of objects. Raises Temporary for anything else: what cannot be read is no empty list."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Temporary("an answer without a list of objects")
    return value


def an_object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Temporary("an answer without an object")
    return value


def spans(first: dt.date, last: dt.date, most_days: int) -> Iterator[tuple[dt.date, dt.date]]:
    """``first`` to ``last`` in pieces of at most ``most_days``, both ends of each included."""
    if last < first:
        raise ValueError("a span that ends before it begins")
    while first <= last:
        end = min(last, first + dt.timedelta(days=most_days - 1))
        yield first, end
        first = end + dt.timedelta(days=1)


def expires_at(seconds: object) -> dt.datetime | None:
    """When a token ends that lives for so long; None where that is not told."""
    if isinstance(seconds, str) and re.fullmatch(r"\d{1,10}", seconds):
        seconds = int(seconds)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < 10 * 365 * 86_400:
        return None
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)


def too_many_pages(platform: str) -> Rejected:
    """What is said where a list does not end."""
    return Rejected(RejectReason.INVALID, f"{platform} lists more pages than are read")


def secret(value: object) -> str:
    """A token of an answer. Raises Temporary for an answer without one."""
    if not isinstance(value, str) or not value or len(value) > 10_000:
        raise Temporary("an answer without a token")
    return value
