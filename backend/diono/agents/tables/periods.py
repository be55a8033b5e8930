"""Periods in tables: columns that are one (2022, 2023), columns that hold them, dates."""

import re
from dataclasses import dataclass

from diono.agents.tables.desk import literal, quoted
from diono.agents.tables.facts import NUMBERS, TIMES, TableFacts
from diono.agents.tables.words import words_in
from diono.parsing.models import ColumnProfile

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_YEAR = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)")
_QUARTER = re.compile(r"(?<![a-z0-9])q([1-4])(?![0-9])", re.IGNORECASE)
_MONTH = re.compile(
    rf"(?<![a-z])({'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in MONTHS)})(?![a-z])",
    re.IGNORECASE,
)
_HOLDS = frozenset(("year", "quarter", "month", "period", "date", "day", "week"))

Key = tuple[int, int, int]


def period_key(text: str) -> Key | None:
    """Return (year, quarter, month) of what names a period, to sort by; None if it names none."""
    year, quarter, month = _YEAR.search(text), _QUARTER.search(text), _MONTH.search(text)
    if not (year or quarter or month):
        return None
    number = month_number(month[0]) if month else 0
    return int(year[0]) if year else 0, int(quarter[1]) if quarter else 0, number


def month_number(name: str) -> int:
    return next(n for n, full in enumerate(MONTHS, 1) if full.startswith(name.casefold()[:3]))


def years_in(text: str) -> list[str]:
    return list(dict.fromkeys(match[0] for match in _YEAR.finditer(text)))


def keys_in(text: str) -> list[Key]:
    """Return the periods that a question names, in its order."""
    found: list[Key] = []
    pattern = (
        rf"(?:{_MONTH.pattern}|{_QUARTER.pattern})(?:\s+(?:of\s+)?(?:19|20)\d\d)?|{_YEAR.pattern}"
    )
    for match in re.finditer(pattern, text, re.IGNORECASE):
        key = period_key(match[0])
        # "may" is more often a verb.
        if key is not None and match[0] != "may":
            found.append(key)
    return list(dict.fromkeys(found))


def agrees(wanted: Key, key: Key) -> bool:
    """Whether a period is, or lies in, the wanted one."""
    return all(not w or w == k for w, k in zip(wanted, key, strict=True))


@dataclass(frozen=True)
class Periods:
    """How a table tells periods apart. ``expression`` is SQL that gives a row's period as text;
    ``names`` are the periods in order of time; ``note`` is what to know of them."""

    column: str
    expression: str
    names: tuple[str, ...]
    note: str = ""
    is_whole_known: bool = True


def wide_columns(table: TableFacts) -> list[ColumnProfile]:
    """Return the columns that are periods themselves, in order of time; fewer than two are none."""
    keyed = [
        (key, one) for one in table.columns if one.type in NUMBERS and (key := period_key(one.name))
    ]
    shapes = {tuple(bool(part) for part in key) for key, _ in keyed}
    if len(keyed) < 2 or len(shapes) != 1:
        return []
    return [one for _, one in sorted(keyed, key=lambda pair: pair[0])]


def period_columns(table: TableFacts) -> list[ColumnProfile]:
    """Return the columns whose values are periods."""
    return [one for one in table.columns if _holds_periods(table, one)]


def _holds_periods(table: TableFacts, column: ColumnProfile) -> bool:
    if column.type in TIMES:
        return True
    is_named = bool(_HOLDS & set(words_in(column.name)))
    if column.type == "integer":
        low, high = _number(column.minimum), _number(column.maximum)
        return is_named and low is not None and high is not None and high <= 2100 and low >= 1
    values = table.values.get(column.name, ())
    return bool(values) and all(period_key(value) for value in values)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def periods_of(table: TableFacts, column: ColumnProfile, grain: str) -> Periods | None:
    """Return how a column tells periods apart; ``grain`` (year, quarter, month or empty: by how
    far it spans) is for dates. None if it tells fewer than one."""
    name = quoted(column.name)
    if column.type in TIMES:
        return _of_dates(column, grain)
    if column.type == "integer":
        low, high = _number(column.minimum), _number(column.maximum)
        if low is None or high is None or high - low > 400:
            return None
        names = tuple(str(number) for number in range(int(low), int(high) + 1))
        return Periods(column.name, f"CAST({name} AS VARCHAR)", names)
    values = sorted(table.values.get(column.name, ()), key=lambda one: period_key(one) or (0, 0, 0))
    return Periods(column.name, name, tuple(values)) if values else None


def _of_dates(column: ColumnProfile, grain: str) -> Periods | None:
    low, high = (column.minimum or "")[:10], (column.maximum or "")[:10]
    if len(low) < 10 or len(high) < 10:
        return None
    grain = grain or ("year" if low[:4] != high[:4] else "month")
    name = quoted(column.name)
    formats = {"year": "%Y", "month": "%Y-%m"}
    note = ""
    if grain == "quarter":
        expression = f"(year({name}) || ' Q' || quarter({name}))"
        ends = [f"{day[:4]} Q{(int(day[5:7]) + 2) // 3}" for day in (low, high)]
    else:
        expression = f"strftime({name}, {literal(formats[grain])})"
        ends = [day[: 4 if grain == "year" else 7] for day in (low, high)]
    if (grain == "year" and (low[5:7] != "01" or high[5:7] != "12")) or (
        grain == "month" and (low[8:] > "07" or high[8:] < "25")
    ):
        note = f"The dates run from {low} to {high}, so the first or last {grain} may not be whole."
    return Periods(column.name, expression, tuple(dict.fromkeys(ends)), note)
