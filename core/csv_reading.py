"""Tables that people upload: CSV as spreadsheets of different countries write it, read row by row."""

from __future__ import annotations

import codecs
import csv
import enum
import io
import re
import unicodedata
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

MOST_BYTES = 25 * 1024 * 1024
MOST_ROWS = 100_000
_DELIMITERS = ",;\t"
_CHUNK = 256 * 1024
_UNCLOSED = "unexpected end of data"  # of the csv module: a quotation mark was open when the file ended
# In this order: UTF-8 hardly ever fits by chance, Shift JIS (as Windows has it) sometimes, the last always.
_GUESSES = ("utf-8", "cp932", "cp1252")


class FileProblem(enum.StrEnum):
    """Why a file as a whole cannot be read."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"  # more than MOST_BYTES
    TOO_MANY_ROWS = "too_many_rows"  # more than MOST_ROWS
    TOO_MANY_COLUMNS = "too_many_columns"
    NOT_TEXT = "not_text"  # a spreadsheet file, say, and no CSV
    OTHER_ENCODING = "other_encoding"  # it is not written in the encoding that a person chose
    OLD_SPREADSHEET = "old_spreadsheet"  # an XLS file, or one that a password protects
    WEB_PAGE = "web_page"  # HTML, whatever its name says
    NOT_A_WORKBOOK = "not_a_workbook"  # a ZIP file, and no spreadsheet that can be read
    UNPACKS_TOO_LARGE = "unpacks_too_large"  # a small file that becomes an enormous one
    BROKEN = "broken"  # a quotation mark that nobody closes, a cell of enormous size
    COLUMN_MISSING = "column_missing"
    COLUMN_TWICE = "column_twice"


class FileRefused(Exception):
    """``detail`` names the row or the column."""

    def __init__(self, problem: FileProblem, detail: str = "") -> None:
        super().__init__(f"{problem} {detail}".strip())
        self.problem = problem
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written. ``encoding`` is a name of Python's codecs."""

    encoding: str
    delimiter: str
    skipped: int = 0  # lines before the header: Excel's "sep=;"


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the header; ``number`` is the one that a spreadsheet shows beside it."""

    number: int
    cells: tuple[str, ...]
    is_broken: bool = False  # its quotation marks make no sense: it has no cells

    def cell(self, index: int | None) -> str:
        """ "" for a column that the file or the row does not have."""
        return self.cells[index] if index is not None and index < len(self.cells) else ""


def layout_of(
    file: BinaryIO, *, encoding: str = "", delimiter: str = "", takes_controls: bool = False
) -> Layout:
    """Encoding and delimiter, found by reading the file once, unless a person has chosen them.
    ``takes_controls``: control characters do not make it a binary file, as long as none is NUL.
    Raises FileRefused."""
    file.seek(0)
    head = file.read(8192)
    if not head.strip(b"\x00\r\n\t ") or not head.removeprefix(codecs.BOM_UTF8).strip():
        raise FileRefused(FileProblem.EMPTY)
    if not encoding:
        encoding = _encoding(file, head, takes_controls=takes_controls)
    elif not _decodes(file, encoding, takes_controls=takes_controls):
        raise FileRefused(FileProblem.OTHER_ENCODING, encoding)
    # A character may be cut at the end of what was read.
    text = head.decode(encoding, "ignore")
    lines = text.lstrip("\ufeff").split("\n", 2)
    skipped = 0
    first = lines[0].rstrip("\r")
    if stated := re.fullmatch(r'"?sep=(.)"?', first, re.IGNORECASE):
        if stated[1] in _DELIMITERS:
            return Layout(encoding, delimiter or stated[1], skipped=1)
        skipped, first = 1, lines[1] if len(lines) > 1 else ""
    outside = re.sub(r'"[^"]*"', "", first)
    found = max(_DELIMITERS, key=lambda mark: (outside.count(mark), mark == ","))
    return Layout(encoding, delimiter or found, skipped)


def _encoding(file: BinaryIO, head: bytes, *, takes_controls: bool) -> str:
    if head.startswith(codecs.BOM_UTF8):
        guesses: Sequence[str] = ("utf-8-sig",)
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        guesses = ("utf-16",)
    elif b"\x00" in head:
        # Without a mark: of ASCII characters the zeros stand on one side.
        even, odd = head[0::2].count(0), head[1::2].count(0)
        guesses = ("utf-16-le",) if odd > 4 * even else ("utf-16-be",) if even > 4 * odd else ()
    else:
        guesses = _GUESSES
    for encoding in guesses:
        if _decodes(file, encoding, takes_controls=takes_controls):
            return encoding
    raise FileRefused(FileProblem.NOT_TEXT)


def _decodes(file: BinaryIO, encoding: str, *, takes_controls: bool) -> bool:
    """Whether the whole file is text of this encoding. Raises FileRefused when it is too large."""
    decoder = codecs.getincrementaldecoder(encoding)()
    size = 0
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            if size > MOST_BYTES:
                raise FileRefused(FileProblem.TOO_LARGE)
            text = decoder.decode(chunk)
            if "\x00" in text or (not takes_controls and _CONTROLS.search(text)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")


def rows_of(
    file: BinaryIO, layout: Layout, *, most: int = MOST_ROWS, keeps_broken: bool = False
) -> Generator[Row]:
    """The header (its number is 1), then every row that holds something, without holding the file in memory.
    Raises FileRefused at the row that cannot be read; with ``keeps_broken`` such a row comes as it is, and
    only one whose quotation mark swallows the rest of the file refuses it."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=layout.encoding, newline="")
    try:
        for _skipped in range(layout.skipped):
            text.readline()
        reader = csv.reader(text, delimiter=layout.delimiter, strict=True)
        number = layout.skipped
        while True:
            number += 1
            cells: list[str] = []
            is_broken = False
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if not keeps_broken or str(error) == _UNCLOSED:
                    raise FileRefused(FileProblem.BROKEN, str(number)) from error
                is_broken = True
            if number - layout.skipped > most + 1:
                raise FileRefused(FileProblem.TOO_MANY_ROWS)
            if is_broken:
                yield Row(number, (), is_broken=True)
            elif any(cell.strip() for cell in cells):
                yield Row(number, tuple(cell.lstrip("\ufeff").strip() for cell in cells))
    finally:
        text.detach()  # the file is the caller's to close


def columns_of(
    header: Row, names: Mapping[str, Sequence[str]], required: Sequence[str] = ()
) -> dict[str, int]:
    """Where each column stands, by its key in ``names``; each key has the words that people write above it.
    Columns that nobody knows are left out. Raises FileRefused when one is missing, or there twice."""
    found: dict[str, int] = {}
    for index, key in enumerate(known_columns(header, names)):
        if key is None:
            continue
        if key in found:
            raise FileRefused(FileProblem.COLUMN_TWICE, header.cells[index])
        found[key] = index
    for key in required:
        if key not in found:
            raise FileRefused(FileProblem.COLUMN_MISSING, key)
    return found


def known_columns(header: Row, names: Mapping[str, Sequence[str]]) -> list[str | None]:
    """What each cell of the header stands for: a key of ``names``, or None."""
    keys = {_plain(word): key for key, words in names.items() for word in (key, *words)}
    return [keys.get(_plain(cell)) for cell in header.cells]


def _plain(word: str) -> str:
    folded = unicodedata.normalize("NFKC", word).casefold()
    return re.sub(r"[\s_\-]+", "", folded)
