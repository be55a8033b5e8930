"""Exports that a spreadsheet cannot be made to run, and that come back unchanged."""

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diono.parsing.neutral import csv_rows, neutral, restored

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =cmd|'/c calc'!A1", "'=1", "''=1",
    "\uff1d1+1", "\ufeff=1", "=HYPERLINK(\"http://192.0.2.1\")", "-",
]  # fmt: skip
PLAIN = ["", "word", "1", "-5", "+4.5", "-1e9", "a=b", "it's", "'tis", "2024-01-01"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a11_formulas_are_written_as_text(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert restored(neutral(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_and_numbers_stay_as_they_are(text: str) -> None:
    assert neutral(text) == text
    assert restored(text) == text


@settings(max_examples=300)
@given(st.text(alphabet="'=+-@ \t\r1a\"", max_size=8))
def test_whatever_is_exported_comes_back(text: str) -> None:
    assert restored(neutral(text)) == text


def test_rows_are_csv_with_numbers_as_numbers() -> None:
    rows = [["name", "n"], ["=1+1", -5], ['say "hi"', None]]
    text = "".join(csv_rows(rows))
    assert list(csv.reader(text.splitlines())) == [["name", "n"], ["'=1+1", "-5"], ['say "hi"', ""]]
