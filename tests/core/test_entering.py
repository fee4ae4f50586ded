from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.entering import NotReadable, Unreadable, entered_amount, entered_date
from core.money import formatted


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("1234", "JPY", "1234"),
        ("1,234", "JPY", "1234"),
        ("¥1,234,567", "JPY", "1234567"),
        ("￥１，２３４", "JPY", "1234"),
        ("１０００円", "JPY", "1000"),
        ("JPY 1,000", "JPY", "1000"),
        ("1000 jpy", "JPY", "1000"),
        ("1000.00", "JPY", "1000"),
        ("12.5", "EUR", "12.5"),
        ("12,50 €", "EUR", "12.50"),
        ("1.234,50", "EUR", "1234.50"),
        ("1.234.567", "EUR", "1234567"),
        ("1,234.50", "USD", "1234.50"),
        ("$1,234", "USD", "1234"),
        ("1 234,50", "EUR", "1234.50"),
        ("1\u00a0234,50", "EUR", "1234.50"),
        ("1'234.50", "CHF", "1234.50"),
        ("+5", "USD", "5"),
        ("-0", "USD", "0"),
        ("0", "USD", "0"),
        ("1.234", "KWD", "1.234"),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, currency: str, expected: str) -> None:
    assert entered_amount(text, currency) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [
        ("", "JPY", Unreadable.MISSING),
        ("  ", "JPY", Unreadable.MISSING),
        ("-5", "JPY", Unreadable.NEGATIVE),
        ("−5", "JPY", Unreadable.NEGATIVE),
        ("▲1,000", "JPY", Unreadable.NEGATIVE),
        ("(500)", "USD", Unreadable.NEGATIVE),
        ("-¥500", "JPY", Unreadable.NEGATIVE),
        ("12.5", "JPY", Unreadable.TOO_MANY_DECIMALS),
        ("1.234", "EUR", Unreadable.AMBIGUOUS_AMOUNT),
        ("1.000 ¥", "JPY", Unreadable.AMBIGUOUS_AMOUNT),
        ("1000.125", "USD", Unreadable.TOO_MANY_DECIMALS),
        ("1000,125", "USD", Unreadable.TOO_MANY_DECIMALS),
        ("1.0005", "USD", Unreadable.TOO_MANY_DECIMALS),
        ("0.005", "USD", Unreadable.TOO_MANY_DECIMALS),
        ("=SUM(A1:A9)", "USD", Unreadable.FORMULA),
        ("=cmd|' /C calc'!A0", "USD", Unreadable.FORMULA),
        ("+A1", "USD", Unreadable.FORMULA),
        ("@A1", "USD", Unreadable.FORMULA),
        ("ten", "USD", Unreadable.NOT_AN_AMOUNT),
        ("1e5", "USD", Unreadable.NOT_AN_AMOUNT),
        ("NaN", "USD", Unreadable.NOT_AN_AMOUNT),
        ("1,23,456", "USD", Unreadable.NOT_AN_AMOUNT),
        ("12,34,56", "USD", Unreadable.NOT_AN_AMOUNT),
        ("1,234.567.890", "USD", Unreadable.NOT_AN_AMOUNT),
        ("1..2", "USD", Unreadable.NOT_AN_AMOUNT),
        ("#REF!", "USD", Unreadable.NOT_AN_AMOUNT),
        ("1,234", "KWD", Unreadable.AMBIGUOUS_AMOUNT),
        ("0,005", "USD", Unreadable.TOO_MANY_DECIMALS),
        ("$5", "JPY", Unreadable.OTHER_CURRENCY),
        ("5 EUR", "USD", Unreadable.OTHER_CURRENCY),
        ("€5", "USD", Unreadable.OTHER_CURRENCY),
        ("100000000000000", "JPY", Unreadable.TOO_LARGE),
    ],
)
def test_what_is_no_amount_is_refused_with_the_reason(text: str, currency: str, reason: Unreadable) -> None:
    with pytest.raises(NotReadable) as refused:
        entered_amount(text, currency)
    assert refused.value.reason is reason


@given(
    st.integers(0, 10**11),
    st.sampled_from([("JPY", 0), ("EUR", 2), ("USD", 2), ("KWD", 3)]),
    st.sampled_from(["en", "ja", "de"]),
)
def test_what_we_print_is_read_back(units: int, currency: tuple[str, int], language: str) -> None:
    code, decimals = currency
    amount = Decimal(units).scaleb(-decimals)
    read = reading(entered_amount, formatted(amount, code, language), code)
    # Never a wrong value: what has two readings is left to a person.
    assert read == amount or (read is Unreadable.AMBIGUOUS_AMOUNT and language == "de")


def reading(read: Callable[..., object], *given: str) -> object:
    """The value, or why there is none."""
    try:
        return read(*given)
    except NotReadable as refused:
        return refused.reason


@given(st.text(max_size=12))
def test_reading_never_raises_anything_else(text: str) -> None:
    assert isinstance(reading(entered_amount, text, "USD"), Decimal | Unreadable)
    assert isinstance(reading(entered_date, text), dt.date | Unreadable)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-25",
        "2026/1/25",
        "2026/01/25",
        "2026.1.25",
        "2026年1月25日",
        "２０２６年１月２５日",
        "2026年1月25日(日)",
        "20260125",
        "2026-01-25 00:00:00",
        "2026-01-25T00:00",
        "25.01.2026",
        "25/1/2026",
        "25-01-2026",
        "1/25/2026",
    ],
)
def test_dates_are_read_as_people_write_them(text: str) -> None:
    assert entered_date(text) == dt.date(2026, 1, 25)


def test_a_day_that_is_its_month_has_one_reading() -> None:
    assert entered_date("05.05.2026") == dt.date(2026, 5, 5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Unreadable.MISSING),
        ("05/01/2026", Unreadable.AMBIGUOUS_DATE),
        ("05.01.2026", Unreadable.AMBIGUOUS_DATE),
        ("01.25.2026", Unreadable.NOT_A_DATE),
        ("2026-02-30", Unreadable.NOT_A_DATE),
        ("2026-13-01", Unreadable.NOT_A_DATE),
        ("1926-01-01", Unreadable.NOT_A_DATE),
        ("2026-01/05", Unreadable.NOT_A_DATE),
        ("26-01-05", Unreadable.NOT_A_DATE),
        ("45678", Unreadable.NOT_A_DATE),
        ("2026-01-05 13:00", Unreadable.NOT_A_DATE),
        ("=TODAY()", Unreadable.FORMULA),
        ("yesterday", Unreadable.NOT_A_DATE),
    ],
)
def test_what_is_no_date_or_two_is_refused(text: str, reason: Unreadable) -> None:
    with pytest.raises(NotReadable) as refused:
        entered_date(text)
    assert refused.value.reason is reason
