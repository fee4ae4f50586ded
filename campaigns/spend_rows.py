"""One row of a file of spend, as a value: what it says, or everything that is wrong with it.

Nothing here knows the database. What a row is called (``external_id``) follows from the file alone: its own
id where the file has such a column, else a hash of what it says with the number of its occurrence. So the
same file names its rows the same every time, and two equal costs of one day are still two.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from campaigns.models import CostKind
from core.csv_reading import Row
from core.entering import NotReadable, entered_amount, entered_date
from core.money import rounded

# Above each column, besides its key.
COLUMNS: Mapping[str, Sequence[str]] = {
    "date": ("day", "日付", "日", "利用日", "計上日"),
    "amount": ("cost", "spend", "金額", "費用", "広告費", "利用額", "消化額"),
    "kind": ("type", "category", "種別", "種類", "区分", "費目"),
    "network": ("platform", "channel", "medium", "媒体", "ネットワーク", "チャネル"),
    "note": ("memo", "description", "メモ", "備考", "摘要"),
    "id": ("external_id", "ID", "管理番号"),
    "currency": ("通貨",),
}
REQUIRED = ("date", "amount")
KINDS: Mapping[str, CostKind] = {
    word.casefold(): kind
    for kind, words in {
        CostKind.MEDIA: ("media", "ads", "ad", "advertising", "広告費", "広告", "媒体費", "メディア"),
        CostKind.PRODUCTION: ("production", "制作費", "制作", "製作費"),
        CostKind.LABOUR: ("labour", "labor", "人件費", "人件"),
        CostKind.TOOL: ("tool", "tools", "software", "ツール", "ツール費"),
        CostKind.AGENCY: ("agency", "代理店費", "代理店", "代理店手数料"),
        CostKind.INFLUENCER: ("influencer", "influencers", "インフルエンサー費", "インフルエンサー"),
    }.items()
    for word in words
}
ID_LENGTH = 110
NETWORK_LENGTH = 24
NOTE_LENGTH = 255


class RowProblem(enum.StrEnum):
    """Why a row is not taken, besides core.entering.Unreadable."""

    UNKNOWN_KIND = "unknown_kind"
    OTHER_CURRENCY = "other_currency"
    TOO_LONG = "too_long"
    ID_TWICE = "id_twice"  # two rows of the file have this id and say different things
    DIFFERS = "differs"  # it was imported before under this id, and said something else


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the column, a code, and what stands there."""

    column: str
    code: str
    value: str

    def as_json(self, row: int) -> dict[str, object]:
        return {"row": row, "field": self.column, "code": self.code, "value": self.value[:80]}


@dataclass(frozen=True, slots=True)
class SpendRow:
    """``number`` is the row of the spreadsheet. ``date`` and ``amount`` are None where they are at fault;
    ``is_repeated``: an earlier row of the file has its id and says the same."""

    number: int
    date: dt.date | None
    amount: Decimal | None
    kind: str
    platform: str
    note: str
    external_id: str
    faults: tuple[Fault, ...] = ()
    is_repeated: bool = False

    @property
    def says(self) -> tuple[object, ...]:
        """What two imports of one id are compared by."""
        return (self.date, self.amount, self.kind, self.platform, self.note)


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one file in their order. ``networks`` names known networks by key and name."""

    columns: Mapping[str, int]
    currency: str
    networks: Mapping[str, str]
    _seen: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _occurrences: Counter[str] = field(default_factory=Counter)

    def read(self, row: Row) -> SpendRow:
        given = {key: row.cell(self.columns.get(key)).replace("\x00", "") for key in COLUMNS}
        faults: list[Fault] = []
        date = amount = None
        try:
            date = entered_date(given["date"])
        except NotReadable as refused:
            faults.append(Fault("date", refused.reason, given["date"]))
        try:
            # 5, 5.0 and 5.00 are one amount, and make one name.
            amount = rounded(entered_amount(given["amount"], self.currency), self.currency)
        except NotReadable as refused:
            faults.append(Fault("amount", refused.reason, given["amount"]))
        currency = _plain(given["currency"])
        if currency and currency != self.currency.casefold():
            faults.append(Fault("currency", RowProblem.OTHER_CURRENCY, given["currency"]))
        kind = KINDS.get(_plain(given["kind"])) if given["kind"] else CostKind.MEDIA
        if kind is None:
            faults.append(Fault("kind", RowProblem.UNKNOWN_KIND, given["kind"]))
        platform = self.networks.get(_plain(given["network"]), given["network"])
        for column, value, most in (
            ("network", platform, NETWORK_LENGTH),
            ("note", given["note"], NOTE_LENGTH),
            ("id", given["id"], ID_LENGTH),
        ):
            if len(value) > most:
                faults.append(Fault(column, RowProblem.TOO_LONG, value))
        read = SpendRow(row.number, date, amount, str(kind or ""), platform, given["note"], "", tuple(faults))
        return read if faults else self._named(read, given["id"])

    def _named(self, row: SpendRow, given_id: str) -> SpendRow:
        says = row.says
        if not given_id:
            said = "\n".join(str(part) for part in says)
            content = hashlib.sha256(said.encode()).hexdigest()[:40]
            self._occurrences[content] += 1
            return _renamed(row, f"row:{content}:{self._occurrences[content]}")
        name = f"id:{given_id}"
        earlier = self._seen.setdefault(name, says)
        if earlier is says:
            return _renamed(row, name)
        if earlier == says:
            return _renamed(row, name, is_repeated=True)
        return _renamed(row, name, faults=(Fault("id", RowProblem.ID_TWICE, given_id),))


def _renamed(
    row: SpendRow, name: str, *, is_repeated: bool = False, faults: tuple[Fault, ...] = ()
) -> SpendRow:
    return SpendRow(
        row.number, row.date, row.amount, row.kind, row.platform, row.note, name, faults, is_repeated
    )


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).strip().casefold()
