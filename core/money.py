"""Amounts of money: Decimal with an ISO 4217 currency, never binary floats."""

from __future__ import annotations

import functools
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision


class NotAnAmount(ValueError):
    """The text is no amount, or has more decimals than the currency has."""


def is_currency(code: str) -> bool:
    """Whether ``code`` is an ISO 4217 currency that is in use somewhere."""
    return code in get_global("all_currencies")


@functools.lru_cache(maxsize=512)
def decimals_of(currency: str) -> int:
    """Digits after the point: 2 for EUR, 0 for JPY, 3 for KWD (Unicode CLDR)."""
    return int(get_currency_precision(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the smallest unit of the currency, halves to the even one."""
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), rounding=ROUND_HALF_EVEN)


def parse_amount(text: str, currency: str) -> Decimal:
    """An amount as a program writes it: digits, perhaps a sign and a point. Raises NotAnAmount."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise NotAnAmount(text) from None
    if not amount.is_finite() or amount != rounded(amount, currency):
        raise NotAnAmount(text)
    return rounded(amount, currency)


def formatted_price(amount: Decimal, currency: str, language: str) -> str:
    """The same with all of its decimals: $0.015."""
    locale = language.replace("-", "_")
    return str(format_currency(amount, currency, locale=locale, decimal_quantization=False))


def formatted(amount: Decimal | int, currency: str, language: str) -> str:
    """As people of the language write it: ¥3,000,000, 12,50 €. ``language``: a BCP 47 tag."""
    return str(format_currency(amount, currency, locale=language.replace("-", "_")))
