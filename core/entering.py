"""What people and spreadsheets write, as values: amounts of money, dates and times. What can be read in two
ways is refused rather than guessed."""

from __future__ import annotations

import datetime as dt
import enum
import re
import unicodedata
from decimal import Decimal

from core.money import decimals_of

EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
# What the database takes: 18 digits, four of them after the point.
MOST = Decimal(10) ** 14


class Unreadable(enum.StrEnum):
    """Why something that was written is no value."""

    MISSING = "missing"
    FORMULA = "formula"  # of a spreadsheet: its result was not saved with it
    NOT_AN_AMOUNT = "not_an_amount"
    AMBIGUOUS_AMOUNT = "ambiguous_amount"  # 1.234: one and a bit, or a thousand and more?
    NEGATIVE = "negative"
    TOO_MANY_DECIMALS = "too_many_decimals"
    TOO_LARGE = "too_large"
    OTHER_CURRENCY = "other_currency"
    NOT_A_DATE = "not_a_date"
    AMBIGUOUS_DATE = "ambiguous_date"  # 05/01/2026: the fifth of January, or the first of May?
    NOT_A_TIME = "not_a_time"


class NotReadable(ValueError):
    def __init__(self, reason: Unreadable) -> None:
        super().__init__(reason)
        self.reason = reason


# --- amounts ----------------------------------------------------------------------------------

_SIGNS = {"¥": ("JPY", "CNY"), "円": ("JPY",), "€": ("EUR",), "£": ("GBP",), "₩": ("KRW",), "₹": ("INR",)}
_DOLLARS = frozenset({"USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD"})
_MINUS = "-\u2212\u2010\u2011\u2012\u2013▲△"  # also as Japanese accounts write it
_CODE = re.compile(r"^([A-Z]{3})(?=[^A-Z])|(?<=[^A-Z])([A-Z]{3})$")
_NUMBER = re.compile(r"[0-9]+(?:[.,'\u2019 ][0-9]+)*")


def entered_amount(text: str, currency: str) -> Decimal:
    """An amount as somebody writes it: ``1,234.50``, ``1.234,50``, ``¥1,000``, ``１０００円``, ``12,5``.

    A comma or a space before exactly three digits groups thousands. A point there is refused, because half
    of the world writes thousands with it (and a comma, for a currency with three decimals).
    Raises NotReadable: also for amounts below zero and for decimals that the currency does not have.
    """
    given = unicodedata.normalize("NFKC", text).strip()
    if not given:
        raise NotReadable(Unreadable.MISSING)
    if given[0] in "=@":
        raise NotReadable(Unreadable.FORMULA)
    return entered_number(_without_currency(given, currency), decimals_of(currency))


def entered_number(text: str, decimals: int) -> Decimal:
    """A number from 0 up with at most ``decimals`` decimals, written as amounts are. Raises NotReadable."""
    given = unicodedata.normalize("NFKC", text).strip()
    if not given:
        raise NotReadable(Unreadable.MISSING)
    is_negative = given[0] in _MINUS or (given.startswith("(") and given.endswith(")"))
    digits = given.lstrip(_MINUS + "+(").rstrip(")").strip()
    if not _NUMBER.fullmatch(digits):
        raise NotReadable(Unreadable.FORMULA if given[0] in "=+-@" else Unreadable.NOT_AN_AMOUNT)
    number = _decimal(digits, decimals)
    if is_negative and number:
        raise NotReadable(Unreadable.NEGATIVE)
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals:
        raise NotReadable(Unreadable.TOO_MANY_DECIMALS)
    if number >= MOST:
        raise NotReadable(Unreadable.TOO_LARGE)
    return number


def _without_currency(text: str, currency: str) -> str:
    upper = text.upper()
    if code := _CODE.search(upper):
        if (code[1] or code[2]) != currency:
            raise NotReadable(Unreadable.OTHER_CURRENCY)
        text = text[: code.start()] + text[code.end() :]
    for sign, currencies in _SIGNS.items():
        if sign in text:
            if currency not in currencies:
                raise NotReadable(Unreadable.OTHER_CURRENCY)
            text = text.replace(sign, "")
    if "$" in text:
        if currency not in _DOLLARS:
            raise NotReadable(Unreadable.OTHER_CURRENCY)
        text = text.replace("$", "")
    return text.strip()


def _decimal(digits: str, decimals: int) -> Decimal:
    """The value of digits with separators. Raises NotReadable for groups that are none."""
    marks = [mark for mark in digits if not mark.isdigit()]
    point = ""
    if marks:
        last = marks[-1]
        tail = len(digits) - digits.rindex(last) - 1
        # One mark before three digits: thousands, or a fraction?
        is_open = len(marks) == 1 and tail == 3 and len(digits) <= 7 and not digits.startswith("0")
        if is_open and (decimals == 3) == (last == ","):
            raise NotReadable(Unreadable.AMBIGUOUS_AMOUNT)
        if last in ".," and marks.count(last) == 1 and (last == "." or not is_open):
            point = last
    whole, _point, fraction = digits.partition(point) if point else (digits, "", "")
    groups = re.split(r"[^0-9]", whole)
    separators = {mark for mark in whole if not mark.isdigit()}
    if len(separators) > 1 or (
        len(groups) > 1 and (len(groups[0]) > 3 or any(len(group) != 3 for group in groups[1:]))
    ):
        raise NotReadable(Unreadable.NOT_AN_AMOUNT)
    return Decimal("".join(groups) + (f".{fraction}" if fraction else ""))


# --- dates ------------------------------------------------------------------------------------

_YEAR_FIRST = re.compile(r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
# Spreadsheets write a date with the midnight that begins it, or with its weekday.
_TAIL = re.compile(r"[T ]?00:00(?::00(?:\.0+)?)?$|\s*\([月火水木金土日]\)$")


def entered_date(text: str) -> dt.date:
    """A date as somebody writes it: ``2026-01-05``, ``2026/1/5``, ``2026年1月5日``, ``20260105``, and
    ``25.01.2026`` where only one reading is possible. Raises NotReadable."""
    given = unicodedata.normalize("NFKC", text).strip()
    if not given:
        raise NotReadable(Unreadable.MISSING)
    given = _TAIL.sub("", given)
    if match := _YEAR_FIRST.fullmatch(given):
        return _date(match[1], match[3] or match[5], match[4] or match[6])
    if match := _COMPACT.fullmatch(given):
        return _date(match[1], match[2], match[3])
    if match := _YEAR_LAST.fullmatch(given):
        first, second = int(match[1]), int(match[3])
        if first == second or first > 12:
            return _date(match[4], second, first)
        if second > 12 and match[2] == "/":  # nobody writes the month first with points or hyphens
            return _date(match[4], first, second)
        raise NotReadable(Unreadable.AMBIGUOUS_DATE if second <= 12 else Unreadable.NOT_A_DATE)
    raise NotReadable(Unreadable.FORMULA if given[0] in "=+@" else Unreadable.NOT_A_DATE)


def _date(year: str, month: str | int, day: str | int) -> dt.date:
    try:
        found = dt.date(int(year), int(month), int(day))
    except ValueError:
        raise NotReadable(Unreadable.NOT_A_DATE) from None
    if not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        raise NotReadable(Unreadable.NOT_A_DATE)
    return found


# --- times of the day -------------------------------------------------------------------------

_CLOCK = re.compile(
    r"(午前|午後|am|pm)?\s*([0-9]{1,2})(?:[:.時]\s*(?:([0-9]{1,2})分?)?(?:[:.]([0-9]{2})(?:\.0+)?)?)?\s*"
    r"(am|pm|a\.m\.|p\.m\.|uhr)?",
    re.IGNORECASE,
)


def entered_time(text: str) -> dt.time:
    """A time of the day as somebody writes it: ``9:30``, ``09:30:00``, ``9:30 pm``, ``午後9時30分``, ``9時``.
    Raises NotReadable."""
    given = unicodedata.normalize("NFKC", text).strip()
    if not given:
        raise NotReadable(Unreadable.MISSING)
    match = _CLOCK.fullmatch(given)
    if match is None:
        raise NotReadable(Unreadable.FORMULA if given[0] in "=+@" else Unreadable.NOT_A_TIME)
    half = (match[1] or match[5] or "").casefold().replace(".", "").replace("uhr", "")
    if match[2] == given:  # a number alone may be anything
        raise NotReadable(Unreadable.NOT_A_TIME)
    hour = int(match[2])
    if half:
        if hour > 12:
            raise NotReadable(Unreadable.NOT_A_TIME)
        hour = hour % 12 + (12 if half in ("pm", "午後") else 0)
    try:
        return dt.time(hour, int(match[3] or 0), int(match[4] or 0))
    except ValueError:
        raise NotReadable(Unreadable.NOT_A_TIME) from None
