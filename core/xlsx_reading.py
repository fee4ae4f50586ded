"""Workbooks that people upload: XLSX, read row by row as text, with what stands in the cells and no formula.

An XLSX file is a ZIP file of XML. Nothing of it is unpacked before its stated sizes were looked at (a file
that states less than it holds breaks off there), and its XML is read without entities (defusedxml).
"""

from __future__ import annotations

import datetime as dt
import enum
import re
import struct
import warnings
import xml.etree.ElementTree as ET  # for the type of its errors only
import zipfile
import zlib
from collections.abc import Generator
from typing import Any, BinaryIO

from openpyxl import load_workbook

from core.csv_reading import MOST_ROWS, FileProblem, FileRefused, Row

MOST_UNPACKED = 200 * 1024 * 1024
MOST_MEMBERS = 5_000
# Beginnings and ends of XML elements, each of which is an object in memory, many times as large as in the
# file. A million and a half cells have so many.
MOST_MARKS = 6_000_000
LAST_ROW = 1_048_576  # of a sheet (Microsoft, "Excel specifications and limits", 2026-11-29)
_CHUNK = 1024 * 1024
MOST_COLUMNS = 200
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # XLS, and XLSX under a password
_PAGE = re.compile(rb"\s*<(?:!doctype\s+html|html|\?xml|table|meta|head)\b", re.IGNORECASE)
# Whatever a file that is no proper workbook makes the library raise.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ET.ParseError,
    LookupError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class TableKind(enum.StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


def kind_of(file: BinaryIO) -> TableKind:
    """What a table is by its content, whatever its name says. Raises FileRefused for what is surely none."""
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    if head.startswith(_ZIP):
        return TableKind.XLSX
    if head.startswith(_OLE):
        raise FileRefused(FileProblem.OLD_SPREADSHEET)
    if _PAGE.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise FileRefused(FileProblem.WEB_PAGE)
    return TableKind.CSV


def rows_of_workbook(file: BinaryIO, *, most: int = MOST_ROWS) -> Generator[Row]:
    """The rows of the first sheet that is not hidden: the header, then every row that holds something, by the
    numbers that the spreadsheet shows. Raises FileRefused, also between the rows."""
    _check_archive(file)
    count = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about extensions that hold no values
            workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
            if not sheets:
                raise FileRefused(FileProblem.EMPTY)
            sheets[0].reset_dimensions()  # it may state anything
            rows = sheets[0].iter_rows(max_col=MOST_COLUMNS, values_only=True)
            for number, values in enumerate(rows, start=1):
                if number > LAST_ROW:  # one that says it stands there; all before it come as empty ones
                    raise FileRefused(FileProblem.TOO_MANY_ROWS)
                if not any(values):
                    continue
                cells = tuple(_words(value) for value in values)
                if not any(cells):
                    continue
                count += 1
                if count > most + 1:
                    raise FileRefused(FileProblem.TOO_MANY_ROWS)
                yield Row(number, _without_tail(cells))
        finally:
            workbook.close()
    except FileRefused:
        raise
    except _BROKEN as error:
        raise FileRefused(FileProblem.NOT_A_WORKBOOK) from error


def _check_archive(file: BinaryIO) -> None:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except _BROKEN as error:
        raise FileRefused(FileProblem.NOT_A_WORKBOOK) from error
    if any(member.flag_bits & 1 for member in members):
        raise FileRefused(FileProblem.OLD_SPREADSHEET)
    if "xl/workbook.xml" not in {member.filename for member in members}:
        raise FileRefused(FileProblem.NOT_A_WORKBOOK)
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_UNPACKED:
        raise FileRefused(FileProblem.UNPACKS_TOO_LARGE)
    if _marks(file) > MOST_MARKS:
        raise FileRefused(FileProblem.UNPACKS_TOO_LARGE)


def _marks(file: BinaryIO) -> int:
    """How often elements begin or end, in whichever member: what a member is called says nothing about what
    it is used for. Raises FileRefused."""
    count = 0
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                with archive.open(member) as unpacked:
                    while chunk := unpacked.read(_CHUNK):
                        count += chunk.count(b"<")
    except _BROKEN as error:
        raise FileRefused(FileProblem.NOT_A_WORKBOOK) from error
    return count


def _words(value: Any) -> str:
    """A cell as text: dates and times as ISO writes them, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime):
        value = _rounded(value)
        return f"{value:%Y-%m-%d}" if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, dt.time):
        return _rounded(dt.datetime.combine(dt.date(2000, 1, 1), value)).time().isoformat()
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _rounded(value: dt.datetime) -> dt.datetime:
    """To the second: times are fractions of a day there."""
    return (value + dt.timedelta(milliseconds=500)).replace(microsecond=0)


def _without_tail(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]
