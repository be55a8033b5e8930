"""Texts that a spreadsheet would run as formulas, and how they are written so that it does not.

An apostrophe in front makes a spreadsheet show the text as it is. It is put there only where it is
needed, and taken off again by the reader of CSV files, so what is exported comes back unchanged.
Used by the backend and by the guest; standard library only.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

# Characters that begin a formula, or hide one from a spreadsheet's import.
_DANGEROUS = re.compile(r"^'*[\s\u200b\ufeff]*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - full-width forms
_NEUTRALISED = re.compile(r"^'+[\s\u200b\ufeff]*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - as above
_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$")


def neutral(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula. Plain numbers stay as they are."""
    if _DANGEROUS.match(text) and not _NUMBER.match(text):
        return f"'{text}"
    return text


def restored(text: str) -> str:
    """Undo ``neutral``."""
    return text[1:] if _NEUTRALISED.match(text) else text


def csv_rows(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield CSV, row by row, ends included; None is an empty field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([neutral(cell) if isinstance(cell, str) else cell for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
