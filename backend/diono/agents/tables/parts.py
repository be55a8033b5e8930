"""The parts of a question over one table: what is measured, by what, and which rows count."""

import re
from dataclasses import dataclass, field

from diono.agents.tables.desk import quoted
from diono.agents.tables.facts import TIMES, TableFacts
from diono.agents.tables.periods import (
    Periods,
    agrees,
    keys_in,
    period_columns,
    period_key,
    periods_of,
    wide_columns,
    years_in,
)
from diono.agents.tables.words import best_column, nearness, words_in
from diono.parsing.models import ColumnProfile

# A mean of these says something, a sum does not.
_RATES = re.compile(
    r"price|rate|salar|wage|\bage\b|score|rating|grade|temp|percent|%|ratio|average|avg|mean|"
    r"weight|height|speed|index|margin|duration|latency",
    re.IGNORECASE,
)
_KEYS = re.compile(
    r"(?:^|[\s_])(?:id|no|nr|number|code|zip|postcode|phone|index)$|id$", re.IGNORECASE
)
_ENTITY = re.compile(
    r"\b(?:which|what|whose|by|per|each|every|across|(?:top|best|worst|first|bottom)\s+\w+)\s+"
    r"((?:[\w'-]+\s*){1,4})",
    re.IGNORECASE,
)
GRAINS = ("year", "quarter", "month")


@dataclass(frozen=True)
class Measure:
    """What is measured: SQL of one row's value. ``how`` puts rows together: sum, avg, count…"""

    expression: str
    name: str
    columns: tuple[str, ...]
    how: str = "sum"
    is_named: bool = True

    @property
    def total(self) -> str:
        """SQL over many rows; a sum of nothing is nothing, not zero."""
        return f"{self.how}({self.expression})"


@dataclass(frozen=True)
class Group:
    """What rows are put together by."""

    expression: str
    name: str
    columns: tuple[str, ...]
    is_named: bool = True
    is_period: bool = False


@dataclass(frozen=True)
class Filter:
    sql: str
    text: str
    column: str


@dataclass
class Parts:
    """``assumed`` is what the question did not say and was taken."""

    table: TableFacts
    question: str
    words: list[str]
    filters: list[Filter] = field(default_factory=list[Filter])
    assumed: list[str] = field(default_factory=list[str])

    @property
    def where(self) -> str:
        return " AND ".join(one.sql for one in self.filters) or "TRUE"


def measures_of(table: TableFacts) -> list[ColumnProfile]:
    """Return the columns that count something: no keys, no periods."""
    periods = {one.name for one in period_columns(table)}
    return [one for one in table.numbers if one.name not in periods and not _KEYS.search(one.name)]


def measure_of(parts: Parts) -> Measure | None:
    """Return what the question measures; without a word of it the likeliest column."""
    wide = wide_columns(parts.table)
    plain = [one for one in measures_of(parts.table) if one not in wide]
    column = best_column(plain, parts.words)
    if column is None and wide:
        return _wide_measure(parts, wide)
    if column is not None:
        return _measure(column)
    if not plain:
        return None
    likeliest = best_column(plain, ("sale", "revenue", "amount", "value", "total")) or plain[0]
    if len(plain) > 1:
        parts.assumed.append(
            f"The question names no column to measure; {likeliest.name} was taken."
        )
    return _measure(likeliest, is_named=len(plain) == 1)


def _measure(column: ColumnProfile, is_named: bool = True) -> Measure:
    how = "avg" if _RATES.search(column.name) else "sum"
    return Measure(quoted(column.name), column.name, (column.name,), how, is_named)


def _wide_measure(parts: Parts, wide: list[ColumnProfile]) -> Measure:
    keys = keys_in(parts.question)
    told = [
        one for one in wide if any(agrees(key, period_key(one.name) or (0, 0, 0)) for key in keys)
    ]
    columns = told or wide
    expression = " + ".join(f"coalesce({quoted(one.name)}, 0)" for one in columns)
    names = tuple(one.name for one in columns)
    name = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    if not told:
        parts.assumed.append(f"The columns {name} were added up.")
    return Measure(f"({expression})", name, names)


def group_of(parts: Parts) -> Group | None:
    """Return what the question compares: the column after which, by, per, each, top…"""
    spans = [match[1] for match in _ENTITY.finditer(parts.question)]
    if re.search(r"\bwho\b", parts.question, re.IGNORECASE):
        spans.insert(0, "employee")
    measure_names = {one.name for one in measures_of(parts.table)}
    columns = [one for one in parts.table.columns if one.name not in measure_names]
    for span in spans:
        words = words_in(span)
        for count in range(1, len(words) + 1):
            if group := _named_group(parts, columns, words[:count]):
                return group
    return None


def _named_group(parts: Parts, columns: list[ColumnProfile], words: list[str]) -> Group | None:
    column = best_column(columns, words)
    grain = next((one for one in GRAINS if one in words), "")
    if column is not None and (column.type not in TIMES or not grain):
        is_period = column in period_columns(parts.table)
        return Group(quoted(column.name), column.name, (column.name,), is_period=is_period)
    if grain:
        for dates in (one for one in parts.table.columns if one.type in TIMES):
            periods = periods_of(parts.table, dates, grain)
            if periods is not None:
                return Group(periods.expression, grain.title(), (dates.name,), is_period=True)
    return None


def only_group(parts: Parts, reason: str) -> Group | None:
    """Return the one text column there is to compare by, or the one with the fewest words."""
    columns = [one for one in parts.table.words if one not in period_columns(parts.table)]
    columns = [
        one for one in columns if one.name not in {f.column for f in parts.filters}
    ] or columns
    if not columns:
        return None
    column = min(columns, key=lambda one: one.distinct or 10**9) if len(columns) > 1 else columns[0]
    if reason:
        parts.assumed.append(f"{reason}; {column.name} was taken.")
    return Group(quoted(column.name), column.name, (column.name,), is_named=False)


def chosen_periods(parts: Parts) -> Periods | None:
    """Return the periods that a change is told over: of the column or grain that is named, else
    of the first there is."""
    grain = next((one for one in GRAINS if one in parts.words), "")
    if not grain and years_in(parts.question):
        grain = "year"
    columns = period_columns(parts.table)
    columns.sort(key=lambda one: -nearness(one.name, parts.words))
    for column in columns:
        periods = periods_of(parts.table, column, grain)
        if periods is not None and len(periods.names) > 1:
            return periods
    return None
