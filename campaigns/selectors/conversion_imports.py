"""Files of conversions that were uploaded."""

from __future__ import annotations

from typing import BinaryIO

from django.db.models import QuerySet

from accounts.models import Brand, Membership
from campaigns.conversion_rows import COLUMNS, REQUIRED
from campaigns.models import CsvImport
from core.csv_reading import FileProblem, FileRefused, Layout, columns_of, layout_of, rows_of

SHOWN = 5


def imports_of(membership: Membership, brand: Brand | None) -> QuerySet[CsvImport]:
    """The latest files that came to anything, newest first."""
    rows: QuerySet[CsvImport] = CsvImport.objects.for_member(membership).filter(
        kind=CsvImport.Kind.CONVERSIONS
    )
    if brand is not None:
        rows = rows.filter(brand=brand)
    kept = rows.exclude(state=CsvImport.State.DISCARDED)
    return kept.select_related("created_by").order_by("-created_at", "-pk")[:SHOWN]


def layout_of_conversions(file: BinaryIO) -> Layout:
    """How the file is written. Raises FileRefused, also when a column is missing that conversions need."""
    layout = layout_of(file)
    header = next(rows_of(file, layout), None)
    if header is None:
        raise FileRefused(FileProblem.EMPTY)
    columns_of(header, COLUMNS, REQUIRED)
    return layout
