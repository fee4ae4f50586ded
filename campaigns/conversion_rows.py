"""One row of a file of conversions, as a value: the report it makes, or everything that is wrong with it.

Nothing here knows the database. A row without a number of its own is named by what it says and how often it
said so before, so that the same file names its rows the same every time.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from campaigns.models import ConversionKind
from campaigns.reports import Person, RefundReport, Report
from core.csv_reading import Row
from core.entering import NotReadable, Unreadable, entered_amount, entered_date
from core.money import is_currency
from core.time import LocalTimeMissing, to_utc

# Above each column, besides its key.
COLUMNS: Mapping[str, Sequence[str]] = {
    "id": ("order", "order id", "order number", "external id", "注文番号", "受注番号", "番号", "管理番号"),
    "kind": ("type", "種別", "種類", "区分"),
    "date": ("datetime", "time", "happened at", "日時", "日付", "注文日", "注文日時", "発生日時"),
    "value": ("amount", "revenue", "total", "金額", "売上", "合計", "合計金額"),
    "currency": ("通貨",),
    "email": ("mail", "email address", "メール", "メールアドレス"),
    "customer": ("customer id", "customer number", "顧客番号", "会員番号"),
    "name": ("氏名", "名前", "顧客名"),
    "campaign": ("utm campaign", "キャンペーン"),
    "click": ("smm click", "クリック"),
    "refund_of": ("refunded order", "返金対象", "返金対象の注文番号"),
}
REQUIRED = ("kind", "date")


class RowKind(enum.StrEnum):
    LEAD = "lead"
    SALE = "sale"
    REFUND = "refund"


KINDS: Mapping[str, RowKind] = {
    word.casefold(): kind
    for kind, words in {
        RowKind.LEAD: ("lead", "leads", "リード", "見込み客", "見込客", "資料請求", "問い合わせ", "問合せ"),
        RowKind.SALE: ("sale", "sales", "order", "purchase", "売上", "購入", "注文", "販売", "受注"),
        RowKind.REFUND: ("refund", "return", "返金", "返品"),
    }.items()
    for word in words
}
# What these columns hold is somebody's: it is not kept with a refusal.
PERSONAL = frozenset({"email", "customer", "name"})
# Fields of a report -> columns of the file.
COLUMN_OF: Mapping[str, str] = {
    "external_id": "id",
    "happened_at": "date",
    "amount": "value",
    "person.email": "email",
    "person.customer": "customer",
    "person.name": "name",
}


class RowProblem(enum.StrEnum):
    """Why a row is not taken, besides core.entering.Unreadable and reports.Problem."""

    UNKNOWN_KIND = "unknown_kind"
    REFUND_OF_MISSING = "refund_of_missing"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the column, a code, what stands there, and what the sentence needs."""

    column: str
    code: str
    value: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    def as_json(self, row: int) -> dict[str, object]:
        value = "" if self.column in PERSONAL else self.value[:80]
        return {
            "row": row,
            "field": self.column,
            "code": self.code,
            "value": value,
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, slots=True)
class ConversionRow:
    """``number`` is the row of the spreadsheet. Either ``report``, or ``refund`` with the number of its sale
    (``refund_of``), or ``faults``."""

    number: int
    kind: RowKind | None
    report: Report | None = None
    refund: RefundReport | None = None
    refund_of: str = ""
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one file in their order. ``campaign`` is that of rows which name none; times without
    an offset are of ``zone``, and amounts without a currency of ``currency``."""

    columns: Mapping[str, int]
    currency: str
    zone: str
    campaign: str = ""
    _occurrences: Counter[str] = field(default_factory=Counter)

    def read(self, row: Row) -> ConversionRow:
        given = {key: row.cell(self.columns.get(key)).replace("\x00", "") for key in COLUMNS}
        faults: list[Fault] = []
        kind = KINDS.get(given["kind"]) or KINDS.get(_plain(given["kind"]))
        if kind is None:
            code = RowProblem.UNKNOWN_KIND if given["kind"] else Unreadable.MISSING
            faults.append(Fault("kind", code, given["kind"]))
        at = self._moment(given["date"], faults)
        value = self._value(given, faults)
        if kind is RowKind.REFUND and not given["refund_of"]:
            faults.append(Fault("refund_of", RowProblem.REFUND_OF_MISSING))
        if kind is RowKind.REFUND and value is None and not faults:
            faults.append(Fault("value", Unreadable.MISSING))
        if faults or kind is None or at is None:
            return ConversionRow(row.number, kind, faults=tuple(faults))
        number = given["id"] or self._name(given)
        if kind is RowKind.REFUND:
            assert value is not None  # noqa: S101 - a fault otherwise
            refund = RefundReport(number, value, at, currency=given["currency"])
            return ConversionRow(row.number, kind, refund=refund, refund_of=given["refund_of"])
        return ConversionRow(
            row.number, kind, report=self._report(ConversionKind(kind), number, at, value, given)
        )

    def _report(
        self,
        kind: ConversionKind,
        number: str,
        at: dt.datetime,
        value: Decimal | None,
        given: Mapping[str, str],
    ) -> Report:
        return Report(
            kind=kind,
            external_id=number,
            happened_at=at,
            value=value,
            currency=given["currency"],
            campaign=given["campaign"] or self.campaign,
            click=given["click"],
            person=Person(customer=given["customer"], email=given["email"], name=given["name"]),
        )

    def _moment(self, text: str, faults: list[Fault]) -> dt.datetime | None:
        try:
            return entered_moment(text, self.zone)
        except NotReadable as refused:
            faults.append(Fault("date", refused.reason, text))
            return None

    def _value(self, given: Mapping[str, str], faults: list[Fault]) -> Decimal | None:
        if not given["value"]:
            return None
        # Of another currency, which is refused later and for that reason alone.
        other = given["currency"].strip().upper()
        try:
            return entered_amount(given["value"], other if is_currency(other) else self.currency)
        except NotReadable as refused:
            faults.append(Fault("value", refused.reason, given["value"]))
            return None

    def _name(self, given: Mapping[str, str]) -> str:
        content = hashlib.sha256("\n".join(given[key] for key in COLUMNS).encode()).hexdigest()[:40]
        self._occurrences[content] += 1
        return f"row:{content}:{self._occurrences[content]}"


_TIME = re.compile(r"(.*?)[T ]\s*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?", re.DOTALL)
_LAST_MOMENT = dt.time(23, 59, 59)


def entered_moment(text: str, zone: str) -> dt.datetime:
    """A time as files have it: ``2026-11-25T10:30:00+09:00``, ``2026/11/25 10:30`` of ``zone``, or a date
    alone. A date means some time of that day, so it stands for the day's last second: a click of the same
    day came before. Raises NotReadable."""
    given = unicodedata.normalize("NFKC", text).strip()
    try:
        exact = dt.datetime.fromisoformat(given)
    except ValueError:
        exact = None
    if exact is not None and exact.tzinfo is not None:
        try:
            return exact.astimezone(dt.UTC)
        except OverflowError:  # at either end of what a calendar has
            raise NotReadable(Unreadable.NOT_A_DATE) from None
    parts = _TIME.fullmatch(given)
    if parts is None:
        return _instant(entered_date(given), _LAST_MOMENT, zone)
    day = entered_date(parts[1])
    try:
        time = dt.time(int(parts[2]), int(parts[3]), int(parts[4] or 0))
    except ValueError:
        raise NotReadable(Unreadable.NOT_A_DATE) from None
    # Spreadsheets write the midnight that begins a date behind it.
    return _instant(day, time if time != dt.time() else _LAST_MOMENT, zone)


def _instant(day: dt.date, time: dt.time, zone: str) -> dt.datetime:
    try:
        return to_utc(dt.datetime.combine(day, time), zone)
    except LocalTimeMissing as gap:  # the clock of whoever wrote it was not put forward
        return to_utc(gap.next_valid, zone)


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).strip().casefold()
