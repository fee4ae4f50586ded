"""Files of conversions and refunds: read as a dry run, taken over batch by batch when a person says yes.

The states are those of files of spend (imports.py). Rows are committed in batches: a file that stops half-way
is simply imported again, and what is there already is known.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO

from django.core.files.base import File
from django.core.files.storage import default_storage

from accounts.models import Brand, User
from accounts.services.audit import record
from campaigns.conversion_rows import (
    COLUMN_OF,
    COLUMNS,
    REQUIRED,
    ConversionRow,
    Fault,
    RowReader,
)
from campaigns.models import Campaign, ConversionNotice, CsvImport, Source
from campaigns.reports import Problem, RefundReport, Refused, Report, checked_refund
from campaigns.selectors.conversion_imports import layout_of_conversions
from campaigns.services.conversions import Origin, judge_conversions, report_conversions
from campaigns.services.imports import (
    Counts,
    NotWaiting,
    Progress,
    drop_file,
    move,
    quietly,
)
from campaigns.services.judging import ConversionUnknown, Key, Outcome
from campaigns.services.refunds import RefundOutcome, SaleRefund, report_refunds, sales_of
from core.csv_reading import FileRefused, columns_of, rows_of
from core.kept_files import FileGone, kept_file

# Rows that are looked up and stored together. The sale of a refund stands above it, or in the same batch, or
# is known already.
BATCH = 1_000
SALE = "sale"
State = CsvImport.State


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of one row, or became of it. ``campaign`` is that of the conversion that it makes or
    belongs to, ``notice`` what is unusual about a new one."""

    row: ConversionRow
    campaign: Campaign | None = None
    notice: ConversionNotice | None = None
    is_known: bool = False
    faults: tuple[Fault, ...] = ()

    @property
    def is_noted(self) -> bool:
        return self.notice is not None


def receive(
    *,
    brand: Brand,
    campaign: Campaign | None,
    upload: BinaryIO,
    name: str,
    actor: User,
    now: dt.datetime,
) -> CsvImport:
    """Keep an uploaded file and count its rows. ``campaign``: that of rows which name none.

    Raises FileRefused when it cannot be read as a table; nothing is kept then.
    """
    layout = layout_of_conversions(upload)
    rows = sum(1 for _row in rows_of(upload, layout)) - 1
    upload.seek(0)
    key = default_storage.save(f"imports/{uuid.uuid4()}.csv", File(upload))
    return CsvImport.objects.create(
        brand=brand,
        campaign=campaign,
        kind=CsvImport.Kind.CONVERSIONS,
        state=State.CHECKING,
        file_name=name[:255],
        storage_key=key,
        encoding=layout.encoding,
        rows=rows,
        created_by=actor,
        created_at=now,
    )


def check(*, batch: CsvImport, now: dt.datetime, progress: Progress = quietly) -> CsvImport:
    """The dry run, counted. A file that turns out unreadable fails, with the reason."""
    counts = Counts()
    try:
        for verdict in verdicts(batch, now=now):
            counts.add(verdict)
            if counts.rows % BATCH == 0:
                progress(counts.rows)
    except (FileRefused, FileGone) as refused:
        _fail(batch, State.CHECKING, refused)
    else:
        move(batch, State.CHECKING, State.READY, **counts.columns())
    batch.refresh_from_db()
    return batch


def carry_out(
    *, batch: CsvImport, actor: User | None, now: dt.datetime, progress: Progress = quietly
) -> CsvImport:
    """Take the good rows over. What fails keeps what was committed, and the import waits again.

    Raises NotWaiting unless it is running.
    """
    if not CsvImport.objects.filter(pk=batch.pk, state=State.RUNNING).exists():
        raise NotWaiting
    brand = _brand(batch)
    origin = Origin(Source.CSV, csv_import=batch, actor=actor)
    counts = Counts()
    progress(0)  # one that broke off begins anew
    try:
        with kept_file(batch) as file:
            for rows in _batches(file, batch):
                for verdict in _taken_over(brand, rows, origin, now):
                    counts.add(verdict)
                progress(counts.rows)
    except (FileRefused, FileGone) as refused:
        _fail(batch, State.RUNNING, refused)
    except BaseException:
        move(batch, State.RUNNING, State.READY)
        raise
    else:
        if move(batch, State.RUNNING, State.DONE, **counts.columns()):
            record(
                organization=brand.organization,
                actor=actor,
                action="conversion.imported",
                subject=brand,
                detail={"file": batch.file_name, "entries": counts.added},
                now=now,
            )
        drop_file(batch)
    batch.refresh_from_db()
    return batch


def verdicts(
    batch: CsvImport, *, now: dt.datetime, first: int = 0, last: int | None = None
) -> Iterator[Verdict]:
    """What would become of the rows from ``first`` (0 is the first below the header) until before ``last``.
    Those before are judged as well: a later row may be one of them again. Raises FileRefused, FileGone."""
    seen = _Seen(_brand(batch))
    at = 0
    with kept_file(batch) as file:
        for rows in _batches(file, batch):
            for verdict in seen.judged(rows, now):
                if at >= first:
                    yield verdict
                at += 1
                if at == last:
                    return


def _batches(file: BinaryIO, batch: CsvImport) -> Iterator[list[ConversionRow]]:
    layout = layout_of_conversions(file)
    rows = rows_of(file, layout)
    brand = batch.brand
    reader = RowReader(
        columns_of(next(rows), COLUMNS, REQUIRED),
        brand.currency,
        brand.timezone,
        batch.campaign.code if batch.campaign else "",
    )
    while taken := [reader.read(row) for row in itertools.islice(rows, BATCH)]:
        yield taken


def _brand(batch: CsvImport) -> Brand:
    return Brand.every.select_related("organization").get(pk=batch.brand_id)


def _fail(batch: CsvImport, before: str, refused: FileRefused | FileGone) -> None:
    problem = str(refused.problem) if isinstance(refused, FileRefused) else "gone"
    move(batch, before, State.FAILED, problem=problem)
    drop_file(batch)


# --- taking over ------------------------------------------------------------------------------


def _taken_over(
    brand: Brand, rows: Sequence[ConversionRow], origin: Origin, now: dt.datetime
) -> list[Verdict]:
    """A batch: its conversions together, then its refunds."""
    reports = [row.report for row in rows if row.report]
    given = [SaleRefund(SALE, row.refund_of, row.refund) for row in rows if row.refund]
    outcomes = iter(report_conversions(brand=brand, reports=reports, origin=origin, now=now))
    refunded = iter(report_refunds(brand=brand, given=given, origin=origin, now=now))
    return [
        _of_outcome(row, next(outcomes))
        if row.report
        else _of_refund(row, next(refunded))
        if row.refund
        else Verdict(row, faults=row.faults)
        for row in rows
    ]


def _of_outcome(row: ConversionRow, outcome: Outcome) -> Verdict:
    if outcome.refused:
        return Verdict(row, faults=(_fault(row, outcome.refused),))
    at = outcome.conversion or outcome.place
    assert at is not None  # noqa: S101 - neither refused nor anywhere does not exist
    notice = ConversionNotice(at.notice) if outcome.is_new and at.notice else None
    return Verdict(row, at.campaign, notice, is_known=not outcome.is_new)


def _of_refund(row: ConversionRow, outcome: RefundOutcome) -> Verdict:
    if outcome.refused:
        return Verdict(row, faults=(_fault(row, outcome.refused),))
    assert outcome.refund is not None  # noqa: S101 - neither refused nor stored does not exist
    return Verdict(row, outcome.refund.conversion.campaign, is_known=not outcome.is_new)


def _fault(row: ConversionRow, refused: Refused) -> Fault:
    field = refused.field
    if isinstance(refused, ConversionUnknown) or refused.problem is Problem.NOT_A_SALE:
        field = "refund_of"
    column = COLUMN_OF.get(field, field)
    return Fault(column, refused.problem, _said(row, column), refused.facts)


def _said(row: ConversionRow, column: str) -> str:
    """What the row says in this column, as far as people need to see it."""
    what = row.report or row.refund
    if what is None:
        return ""
    if column == "refund_of":
        return row.refund_of
    if column == "id":
        return what.external_id
    if column == "currency":
        return what.currency
    if column == "value":
        amount = what.value if isinstance(what, Report) else what.amount
        return "" if amount is None else f"{amount:f}"
    return what.campaign if column == "campaign" and isinstance(what, Report) else ""


# --- the dry run ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sale:
    """A sale that refunds were judged for: what is left of it, and the refunds it has."""

    campaign: Campaign | None
    left: Decimal
    refunds: dict[str, RefundReport] = field(default_factory=dict)


@dataclass(slots=True)
class _Seen:
    """What the rows so far would have made, beside what is stored."""

    brand: Brand
    reports: dict[Key, Report] = field(default_factory=dict)
    sales: dict[str, _Sale] = field(default_factory=dict)  # new ones, and those that refunds asked for

    def judged(self, rows: Sequence[ConversionRow], now: dt.datetime) -> list[Verdict]:
        """As _taken_over, without writing."""
        reports = [row.report for row in rows if row.report]
        outcomes = judge_conversions(brand=self.brand, reports=reports, earlier=self.reports, now=now)
        for report, outcome in zip(reports, outcomes, strict=True):
            if report.kind == SALE and outcome.is_new and outcome.place:
                number = report.external_id.strip()
                value = self.reports[SALE, number].value or Decimal(0)
                self.sales[number] = _Sale(outcome.place.campaign, value)
        self._look_up({row.refund_of.strip() for row in rows if row.refund} - self.sales.keys())
        judged = iter(outcomes)
        return [
            _of_outcome(row, next(judged))
            if row.report
            else self._refunded(row, row.refund, now)
            if row.refund
            else Verdict(row, faults=row.faults)
            for row in rows
        ]

    def _look_up(self, numbers: Collection[str]) -> None:
        for number, sale in sales_of(brand=self.brand, numbers=numbers).items():
            refunds = {
                one.external_id: RefundReport(one.external_id, one.amount, one.happened_at)
                for one in sale.refunds.all()
            }
            self.sales[number] = _Sale(sale.campaign, sale.net, refunds)

    def _refunded(self, row: ConversionRow, report: RefundReport, now: dt.datetime) -> Verdict:
        try:
            sale = self.sales.get(row.refund_of.strip())
            if sale is None:
                raise ConversionUnknown
            refund = checked_refund(report, currency=self.brand.currency, now=now)
            before = sale.refunds.setdefault(refund.external_id, refund)
            if before is not refund:
                if (before.amount, before.happened_at) != (refund.amount, refund.happened_at):
                    raise Refused(Problem.DIFFERS, "external_id", fields="amount, happened_at")
                return Verdict(row, sale.campaign, is_known=True)
            if refund.amount > sale.left:
                del sale.refunds[refund.external_id]
                raise Refused(
                    Problem.EXCEEDS_VALUE,
                    "amount",
                    remains=f"{sale.left.normalize():f}",
                    currency=self.brand.currency,
                )
        except Refused as refused:
            return Verdict(row, faults=(_fault(row, refused),))
        sale.left -= refund.amount
        return Verdict(row, sale.campaign)
