"""Workbooks that people download: XLSX with one sheet of text, whose cells no spreadsheet runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from typing import IO, Any

from django.http import FileResponse
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from core.csv_writing import cell

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_IN_MEMORY = 4 * 1024 * 1024
_MOST_CHARACTERS = 32_767  # of one cell (Microsoft, "Excel specifications and limits", 2026-11-29)


def write_xlsx(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The workbook into an open file. The rows go through another one on disk: a workbook can only be written
    once it is whole. Nothing of it is left there when the rows raise."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    sheet.freeze_panes = "A2"
    try:
        sheet.append([_words(word) for word in header])
        for row in rows:
            sheet.append([_words(value) for value in row])
    except BaseException:
        sheet.close()
        raise
    workbook.save(file)


def xlsx_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """A download; ``name`` without the ending, in ASCII."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the response closes it
    write_xlsx(file, header, rows)
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
