"""Values of workbooks and records as the texts that a spool takes."""

import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_LARGEST_EXACT = 1e15


def text_of(value: Any) -> str | None:
    """Return a text that its type can be found again from; None where nothing stands."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 4_000 else None
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, datetime | date | time | timedelta):
        return _moment(value)
    if isinstance(value, Decimal):
        return _float(float(value)) if value.is_finite() else None
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)[:32_000]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return str(value)[:32_000]


def _float(value: float) -> str | None:
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < _LARGEST_EXACT:
        return str(int(value))
    return repr(value)


def _moment(value: date | time | timedelta) -> str:
    if isinstance(value, datetime):
        if (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0):
            return value.date().isoformat()
        return value.isoformat(" ")
    return str(value) if isinstance(value, timedelta) else value.isoformat()


def letter_of(column: int) -> str:
    """Return the name of a worksheet's column, counted from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def is_blank(text: str | None) -> bool:
    return text is None or not text.strip()
