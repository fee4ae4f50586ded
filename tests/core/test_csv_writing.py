from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.csv_writing import cell, csv_response, lines


def test_a_file_says_that_it_is_utf_8_and_quotes_what_needs_it() -> None:
    text = "".join(lines(["name", "amount"], [["珈琲, “fine”", Decimal("12.50")], ['two\nlines "x"', None]]))
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows == [["name", "amount"], ["珈琲, “fine”", "12.50"], ['two\nlines "x"', ""]]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"]
)
def test_text_that_a_spreadsheet_would_run_is_disarmed(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_numbers_stay_numbers_also_below_zero() -> None:
    assert cell(-5) == "-5"
    assert cell(Decimal("-0.10")) == "-0.10"
    assert cell(Decimal("1E+3")) == "1000"
    assert cell(True) == "1"
    assert cell(dt.datetime(2026, 3, 10, 13, 5, tzinfo=dt.UTC)) == "2026-03-10T13:05:00+00:00"
    assert cell(dt.date(2026, 3, 10)) == "2026-03-10"


@given(st.text())
def test_no_text_ever_begins_as_a_formula(text: str) -> None:
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


def test_a_download_has_a_name_and_is_streamed() -> None:
    response = csv_response("goals", ["a"], iter([["b"]]))
    assert response.streaming
    assert response["Content-Disposition"] == 'attachment; filename="goals.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(response).decode() == "\ufeffa\r\nb\r\n"
