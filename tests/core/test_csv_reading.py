from __future__ import annotations

import contextlib
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.csv_reading import (
    MOST_BYTES,
    MOST_ROWS,
    FileProblem,
    FileRefused,
    Layout,
    Row,
    columns_of,
    layout_of,
    rows_of,
)

TABLE = '日付,金額,メモ\r\n2026-01-05,"1,000",春の広告\r\n\r\n2026-01-06,2000,\r\n'


def read(content: bytes) -> tuple[Layout, list[Row]]:
    file = io.BytesIO(content)
    layout = layout_of(file)
    rows = list(rows_of(file, layout))
    assert not file.closed
    return layout, rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16", "utf-16-le", "utf-16-be"])
def test_tables_are_read_in_the_encodings_of_spreadsheets(encoding: str) -> None:
    _layout, rows = read(TABLE.encode(encoding))
    assert [row.cells for row in rows] == [
        ("日付", "金額", "メモ"),
        ("2026-01-05", "1,000", "春の広告"),
        ("2026-01-06", "2000", ""),
    ]
    # As a spreadsheet numbers them: the empty row counts.
    assert [row.number for row in rows] == [1, 2, 4]


def test_western_european_tables_are_read_too() -> None:
    _layout, rows = read("date;amount;note\n2026-01-05;5;für Überall ß\n".encode("cp1252"))
    assert rows[1].cells[2] == "für Überall ß"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_delimiter_is_found(mark: str) -> None:
    layout, rows = read(f'date{mark}"amount, in total"{mark}note\n2026-01-05{mark}5{mark}"a;b,c"\n'.encode())
    assert layout.delimiter == mark
    assert rows[1].cells == ("2026-01-05", "5", "a;b,c")


def test_excels_own_line_about_the_delimiter_is_heeded() -> None:
    layout, rows = read(b"sep=;\r\ndate;amount\r\n2026-01-05;5,00\r\n")
    assert layout == Layout("utf-8", ";", skipped=1)
    assert [(row.number, row.cells) for row in rows] == [(2, ("date", "amount")), (3, ("2026-01-05", "5,00"))]


def test_a_cell_of_several_lines_is_one_cell() -> None:
    _layout, rows = read(b'date,note\n2026-01-05,"a\nb"\n2026-01-06,c\n')
    assert [(row.number, row.cells[1]) for row in rows[1:]] == [(2, "a\nb"), (3, "c")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", FileProblem.EMPTY),
        (b"\xef\xbb\xbf", FileProblem.EMPTY),
        (b"\r\n \r\n", FileProblem.EMPTY),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + bytes(range(256)), FileProblem.NOT_TEXT),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), FileProblem.NOT_TEXT),
        (b'date,note\n2026-01-05,"never closed\n', FileProblem.BROKEN),
        (b'date,note\n2026-01-05,"' + b"x" * 200_000 + b'"\n', FileProblem.BROKEN),
        (b"date\n" + b"x\n" * (MOST_ROWS + 1), FileProblem.TOO_MANY_ROWS),
        (b"x" * (MOST_BYTES + 1), FileProblem.TOO_LARGE),
    ],
    ids=str,
)
def test_a_file_that_is_no_table_is_refused(content: bytes, problem: FileProblem) -> None:
    with pytest.raises(FileRefused) as refused:
        read(content)
    assert refused.value.problem is problem


def test_columns_are_found_by_any_of_their_names() -> None:
    names = {"date": ["日付"], "amount": ["金額", "cost"], "note": ["メモ"]}
    header = Row(1, ("金額", " Date ", "whatever", "ＮＯＴＥ"))
    assert columns_of(header, names, required=["date", "amount"]) == {"amount": 0, "date": 1, "note": 3}


def test_a_column_that_is_missing_or_there_twice_refuses_the_file() -> None:
    names = {"date": ["日付"], "amount": ["金額"]}
    with pytest.raises(FileRefused) as refused:
        columns_of(Row(1, ("date",)), names, required=["date", "amount"])
    assert (refused.value.problem, refused.value.detail) == (FileProblem.COLUMN_MISSING, "amount")
    with pytest.raises(FileRefused) as refused:
        columns_of(Row(1, ("date", "日付")), names)
    assert (refused.value.problem, refused.value.detail) == (FileProblem.COLUMN_TWICE, "日付")


def test_a_row_may_be_shorter_than_the_header() -> None:
    assert Row(2, ("a",)).cell(3) == ""
    assert Row(2, ("a",)).cell(None) == ""


def test_a_large_file_is_never_in_memory_as_a_whole() -> None:
    file = io.BytesIO(b"date,amount\n" + b"2026-01-05,1000\n" * 90_000)
    layout = layout_of(file)
    tracemalloc.start()
    count = sum(1 for _row in rows_of(file, layout))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 90_001
    assert peak < 300_000


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(FileRefused):
        read(content)
