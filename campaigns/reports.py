"""What others report to us, as values: leads, sales, refunds, and what is wrong with a report by itself.

Nothing here knows the database: services/conversions.py does.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import hmac
import unicodedata
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.crypto import salted_hmac

from campaigns.models import ConversionKind
from core.money import decimals_of, is_currency, rounded

MOST_AHEAD = dt.timedelta(days=1)  # clocks and zones of others may be wrong by so much
OLDEST = dt.timedelta(days=2 * 365)
EXTERNAL_ID_LENGTH = 120
ERASED = "erased:"
_MARK_LENGTH = 255
_MOST = Decimal(10) ** 14  # what an amount's column holds


class Problem(enum.StrEnum):
    """Why a report is refused. These codes are part of the API (docs/api.md) and never change."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"  # control characters, or not what the field should hold
    CURRENCY_UNKNOWN = "currency_unknown"
    CURRENCY_MISMATCH = "currency_mismatch"
    NEGATIVE = "negative"
    NOT_POSITIVE = "not_positive"
    TOO_MANY_DECIMALS = "too_many_decimals"
    TOO_LARGE = "too_large"
    IN_FUTURE = "in_future"
    TOO_OLD = "too_old"
    CAMPAIGN_UNKNOWN = "campaign_unknown"
    EMAIL_INVALID = "email_invalid"
    NETWORK_UNKNOWN = "network_unknown"
    NETWORK_MISSING = "network_missing"
    DIFFERS = "differs"
    CONVERSION_UNKNOWN = "conversion_unknown"
    NOT_A_SALE = "not_a_sale"
    EXCEEDS_VALUE = "exceeds_value"


class Refused(Exception):
    """A report was not taken, and nothing was changed. ``field`` is the one at fault as the report names it,
    "" for the whole; ``facts`` hold what the sentence needs (conversion_wording.py)."""

    def __init__(self, problem: Problem, field: str = "", **facts: str) -> None:
        super().__init__(problem, field)
        self.problem = problem
        self.field = field
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Person:
    """Marks by which somebody is known; empty ones say nothing. ``customer``: the number of the brand's own
    shop or CRM. ``network`` (its key) goes with ``remote_id``, or with a ``handle`` that we met before."""

    customer: str = ""
    email: str = ""
    network: str = ""
    remote_id: str = ""
    handle: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One lead or sale. ``campaign``: its code, or its name where only one has it. ``click``: what came
    along as ``smm_click``. An empty ``currency`` is the brand's. A sale says its ``value``, a lead may."""

    kind: ConversionKind
    external_id: str
    happened_at: dt.datetime  # aware
    value: Decimal | None = None
    currency: str = ""
    campaign: str = ""
    click: str = ""
    person: Person = field(default_factory=Person)

    @property
    def click_key(self) -> uuid.UUID | None:
        """The key of its click; None where there is none, or none that we could have made."""
        if not self.click:
            return None
        try:
            return uuid.UUID(self.click)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class RefundReport:
    """Money given back for one sale."""

    external_id: str
    amount: Decimal
    happened_at: dt.datetime  # aware
    currency: str = ""


def checked(report: Report, *, currency: str, networks: Collection[str], now: dt.datetime) -> Report:
    """The report as it is stored: blanks cut off, the amount with the decimals of ``currency``, which is the
    brand's. Raises Refused."""
    person = report.person
    person = Person(
        customer=_text(person.customer, "person.customer"),
        email=_text(person.email, "person.email").lower(),
        network=_text(person.network, "person.network").lower(),
        remote_id=_text(person.remote_id, "person.id"),
        handle=_text(person.handle, "person.handle").removeprefix("@"),
        name=_text(person.name, "person.name"),
    )
    if person.email and not _is_email(person.email):
        raise Refused(Problem.EMAIL_INVALID, "person.email")
    if person.network and person.network not in networks:
        raise Refused(Problem.NETWORK_UNKNOWN, "person.network", known=", ".join(sorted(networks)))
    if (person.remote_id or person.handle) and not person.network:
        raise Refused(Problem.NETWORK_MISSING, "person.network")
    _check_currency(report.currency, currency)
    if report.value is None and report.kind == ConversionKind.SALE:
        raise Refused(Problem.MISSING, "value")
    value = Decimal(0) if report.value is None else report.value
    if value.is_finite() and value < 0:
        raise Refused(Problem.NEGATIVE, "value")
    return Report(
        kind=report.kind,
        external_id=_external_id(report.external_id),
        happened_at=_time(report.happened_at, now),
        value=_amount(value, "value", currency),
        currency=currency,
        campaign=_text(report.campaign, "campaign"),
        click=_text(report.click, "click"),
        person=person,
    )


def checked_refund(refund: RefundReport, *, currency: str, now: dt.datetime) -> RefundReport:
    """As ``checked``; ``currency`` is that of the sale. Raises Refused."""
    _check_currency(refund.currency, currency)
    if refund.amount.is_finite() and refund.amount <= 0:
        raise Refused(Problem.NOT_POSITIVE, "amount")
    return RefundReport(
        external_id=_external_id(refund.external_id),
        amount=_amount(refund.amount, "amount", currency),
        happened_at=_time(refund.happened_at, now),
        currency=currency,
    )


def erased_form(external_id: str) -> str:
    """What stands in the place of a number once its person was erased: nobody can read the number back, and
    a report that comes again is still known."""
    keyed = _keyed(settings.SECRET_KEY).copy()
    keyed.update(external_id.encode())
    return f"{ERASED}{keyed.hexdigest()}"


@functools.cache
def _keyed(secret: str) -> hmac.HMAC:
    """Begun once: deriving the key takes longer than all that follows, and a file has many numbers."""
    return salted_hmac("campaigns.reports", "", secret=secret, algorithm="sha256")


def _external_id(text: str) -> str:
    text = _text(text, "external_id", most=EXTERNAL_ID_LENGTH)
    if not text:
        raise Refused(Problem.MISSING, "external_id")
    return text


def _text(text: str, field: str, *, most: int = _MARK_LENGTH) -> str:
    text = text.strip()
    if len(text) > most:
        raise Refused(Problem.TOO_LONG, field, most=str(most))
    # Nearly every text is printable, and then has neither.
    if not text.isprintable() and any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise Refused(Problem.UNREADABLE, field)
    return text


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _check_currency(given: str, expected: str) -> None:
    given = given.strip().upper()
    if given and not is_currency(given):
        raise Refused(Problem.CURRENCY_UNKNOWN, "currency")
    if given and given != expected:
        raise Refused(Problem.CURRENCY_MISMATCH, "currency", given=given, expected=expected)


def _amount(amount: Decimal, field: str, currency: str) -> Decimal:
    if not amount.is_finite():
        raise Refused(Problem.UNREADABLE, field)
    if amount >= _MOST:
        raise Refused(Problem.TOO_LARGE, field)
    exact = rounded(amount, currency)
    if exact != amount:
        raise Refused(
            Problem.TOO_MANY_DECIMALS, field, currency=currency, decimals=str(decimals_of(currency))
        )
    return exact


def _time(at: dt.datetime, now: dt.datetime) -> dt.datetime:
    if at > now + MOST_AHEAD:
        raise Refused(Problem.IN_FUTURE, "happened_at")
    if at < now - OLDEST:
        raise Refused(Problem.TOO_OLD, "happened_at")
    return at
