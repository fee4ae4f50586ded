"""What a file of spend would do, row by row, without doing it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from accounts.selectors import known_networks
from campaigns.models import Campaign, Source, SpendEntry
from campaigns.spend_rows import COLUMNS, REQUIRED, Fault, RowProblem, RowReader, SpendRow
from core.csv_reading import FileProblem, FileRefused, Layout, columns_of, layout_of, rows_of

# Rows that are looked up in the database together.
BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of one row. ``is_known``: it is there already, and is not added again;
    ``is_outside``: its date lies outside the flight, which is taken and said."""

    row: SpendRow
    faults: tuple[Fault, ...]
    is_known: bool
    is_outside: bool

    @property
    def is_new(self) -> bool:
        return not self.faults and not self.is_known

    @property
    def is_noted(self) -> bool:
        return self.is_outside


def layout_of_spend(file: BinaryIO) -> Layout:
    """How the file is written. Raises FileRefused, also when a column is missing that spend needs."""
    layout = layout_of(file)
    header = next(rows_of(file, layout), None)
    if header is None:
        raise FileRefused(FileProblem.EMPTY)
    columns_of(header, COLUMNS, REQUIRED)
    return layout


def rows_of_spend(file: BinaryIO, layout: Layout, campaign: Campaign) -> Iterator[SpendRow]:
    """Every row, read. Raises FileRefused at one that cannot be."""
    rows = rows_of(file, layout)
    header = next(rows)
    networks = {word.casefold(): key for key, info in known_networks().items() for word in (key, info.name)}
    reader = RowReader(columns_of(header, COLUMNS, REQUIRED), campaign.currency, networks)
    return (reader.read(row) for row in rows)


def verdicts(
    file: BinaryIO, layout: Layout, campaign: Campaign, *, first: int = 0, last: int | None = None
) -> Iterator[Verdict]:
    """What becomes of the rows from ``first`` (0 is the first below the header) until before ``last``. One
    query for every BATCH rows; those before ``first`` are only read."""
    rows = itertools.islice(rows_of_spend(file, layout, campaign), first, last)
    while batch := list(itertools.islice(rows, BATCH)):
        yield from judged(campaign, batch)


def judged(campaign: Campaign, rows: Iterable[SpendRow]) -> list[Verdict]:
    """Verdicts on rows; one query."""
    rows = list(rows)
    names = [row.external_id for row in rows if row.external_id]
    present = {
        entry.external_id: entry
        for entry in SpendEntry.objects.filter(
            campaign=campaign, source=Source.CSV, external_id__in=names
        ).only("external_id", "date", "amount", "kind", "platform", "note", "campaign_id")
    }
    return [_judged(campaign, row, present.get(row.external_id)) for row in rows]


def _judged(campaign: Campaign, row: SpendRow, entry: SpendEntry | None) -> Verdict:
    faults = row.faults
    if entry is not None and not faults:
        said = (entry.date, entry.amount, entry.kind, entry.platform, entry.note)
        if said != row.says:
            faults = (Fault("id", RowProblem.DIFFERS, row.external_id.removeprefix("id:")),)
    return Verdict(
        row=row,
        faults=faults,
        is_known=not faults and (entry is not None or row.is_repeated),
        is_outside=row.date is not None and not campaign.starts_on <= row.date <= campaign.ends_on,
    )
