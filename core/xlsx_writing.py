"""Workbooks that people download: XLSX with one sheet of text, whose cells no spreadsheet runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import FileResponse
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from core.csv_writing import cell

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_IN_MEMORY = 4 * 1024 * 1024
_MOST_CHARACTERS = 32_767  # of one cell (Microsoft, "Excel specifications and limits", 2026-11-29)


def xlsx_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """A download; ``name`` without the ending, in ASCII. The rows go through a file on disk: a workbook can
    only be sent once it is whole."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([_words(word) for word in header])
    for row in rows:
        sheet.append([_words(value) for value in row])
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the response closes it
    workbook.save(file)
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{name}.xlsx",
        content_type=TYPE,
        headers={"Cache-Control": "private, no-store"},
    )


def _words(value: Any) -> str:
    return str(ILLEGAL_CHARACTERS_RE.sub("", cell(value)))[:_MOST_CHARACTERS]
