"""Which rows of a table a question is about: named values, periods, limits."""

import re
from collections.abc import Sequence

from diono.agents.tables.desk import literal, quoted
from diono.agents.tables.facts import TIMES, TableFacts
from diono.agents.tables.parts import GRAINS, Filter, Measure, Parts, measures_of
from diono.agents.tables.periods import (
    MONTHS,
    agrees,
    keys_in,
    period_columns,
    period_key,
    years_in,
)
from diono.agents.tables.words import best_column, says, words_in
from diono.parsing.models import ColumnProfile

_SUMS = re.compile(r"^(?:grand\s+)?(?:sub)?totals?$|^sum$|^overall$|^all$", re.IGNORECASE)
_NUMBER = r"[$€£]?\s*(-?\d[\d,]*(?:\.\d+)?)\s*(k|m|million|thousand)?\b"
_LIMITS = (
    (r"(?:at least|no less than|from)", ">="),
    (r"(?:at most|no more than|up to)", "<="),
    (r"(?:more than|over|above|greater than|higher than|exceed\w*|bigger than|larger than)", ">"),
    (r"(?:less than|under|below|fewer than|lower than|smaller than)", "<"),
)
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6}


def parts_of(table: TableFacts, question: str) -> Parts:
    parts = Parts(table, question, words_in(question))
    _filter_values(parts)
    _drop_sums(parts)
    return parts


def _filter_values(parts: Parts) -> None:
    """Rows of values that the question names; two of a column mean either."""
    taken: list[str] = []
    for column in parts.table.words:
        told = [
            value for value in parts.table.values.get(column.name, ()) if _is_told(value, parts)
        ]
        told = [
            value
            for value in told
            if not any(value != other and says(value, other) for other in (*told, *taken))
        ]
        if not told:
            continue
        taken += told
        name = quoted(column.name)
        listed = ", ".join(literal(value) for value in told)
        sql = f"{name} = {listed}" if len(told) == 1 else f"{name} IN ({listed})"
        parts.filters.append(Filter(sql, f"{column.name} is {' or '.join(told)}", column.name))


def _is_told(value: str, parts: Parts) -> bool:
    if len(value) < 2 or value.isdigit() or _SUMS.match(value) or period_key(value):
        return False
    if len(value) <= 3 and value not in parts.question:
        return False
    return says(value, parts.question) or (len(value) > 4 and says(f"{value}s", parts.question))


def _drop_sums(parts: Parts) -> None:
    """Rows that sum up others would count twice."""
    for column, values in parts.table.values.items():
        sums = [value for value in values if _SUMS.match(value.strip())]
        if sums and len(values) > len(sums):
            listed = ", ".join(literal(value) for value in sums)
            sql = f"({quoted(column)} IS NULL OR {quoted(column)} NOT IN ({listed}))"
            parts.filters.append(Filter(sql, f"without the rows {', '.join(sums)}", column))
            parts.assumed.append(f"Rows named {', '.join(sums)} sum up others and were left out.")


def filter_periods(parts: Parts) -> None:
    """Rows of the years or months that the question names."""
    keys = keys_in(parts.question)
    if not keys:
        return
    for column in period_columns(parts.table):
        if sql := _in_periods(parts.table, column, keys):
            names = " or ".join(period_name(key) for key in keys)
            parts.filters.append(Filter(sql, f"{column.name} in {names}", column.name))
            return


def _in_periods(
    table: TableFacts, column: ColumnProfile, keys: Sequence[tuple[int, int, int]]
) -> str:
    name = quoted(column.name)
    if column.type in TIMES:
        terms = [
            " AND ".join(
                f"{part}({name}) = {number}"
                for part, number in zip(GRAINS, key, strict=True)
                if number
            )
            for key in keys
        ]
        return f"({' OR '.join(terms)})"
    if column.type == "integer":
        years = [str(key[0]) for key in keys if key[0]]
        return f"{name} IN ({', '.join(years)})" if years else ""
    values = table.values.get(column.name, ())
    told = [v for v in values if any(agrees(key, period_key(v) or (0, 0, 0)) for key in keys)]
    return f"{name} IN ({', '.join(literal(value) for value in told)})" if told else ""


def period_name(key: tuple[int, int, int]) -> str:
    year, quarter, month = key
    words = [MONTHS[month - 1].title() if month else "", f"Q{quarter}" if quarter else ""]
    return " ".join(word for word in (*words, str(year) if year else "") if word)


def limits_of(parts: Parts, fallback: Measure | None) -> None:
    """Rows with a number above or below one that the question names."""
    for words, sign in _LIMITS:
        for match in re.finditer(
            rf"([\w\s]{{0,40}}?)\b{words}\s+{_NUMBER}", parts.question, re.IGNORECASE
        ):
            value = float(match[2].replace(",", "")) * _SCALES.get((match[3] or "").casefold(), 1)
            if value.is_integer() and match[2] in years_in(parts.question):
                continue
            column = best_column(measures_of(parts.table), words_in(match[1]))
            name, expression = _limited(parts, column, fallback)
            if expression:
                shown = f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
                parts.filters.append(
                    Filter(f"{expression} {sign} {shown}", f"{name} {sign} {shown}", name)
                )


def _limited(
    parts: Parts, column: ColumnProfile | None, fallback: Measure | None
) -> tuple[str, str]:
    """Return (name, SQL) of what a limit is for; both empty if nothing fits."""
    if column is not None:
        return column.name, quoted(column.name)
    if fallback is not None and fallback.expression:
        return fallback.name, fallback.expression
    columns = measures_of(parts.table)
    if len(columns) != 1:
        return "", ""
    return columns[0].name, quoted(columns[0].name)
