"""Common shapes of questions over a table, each with the SQL that answers it."""
# ruff: noqa: S608  (identifiers and texts are quoted one by one, and it runs in a sandbox)

import re
from collections.abc import Callable
from dataclasses import replace

from diono.agents.tables.counting import BY, COUNT, count_reading, counted, list_reading
from diono.agents.tables.desk import quoted
from diono.agents.tables.facts import TableFacts
from diono.agents.tables.filters import parts_of
from diono.agents.tables.growth import growth_reading
from diono.agents.tables.leftover import unused
from diono.agents.tables.parts import Measure, Parts, group_of, measure_of, only_group
from diono.agents.tables.reading import (
    LIST_LIMIT,
    Reading,
    add_rows,
    grouped,
    reading,
    rounded,
    told_of,
    value_name,
)

_MOST = re.compile(
    r"\b(most|highest|largest|biggest|best|greatest|maximum|max|top|longest|oldest|heaviest|"
    r"tallest|leading|richest|warmest|hottest|busiest)\b", re.IGNORECASE,
)  # fmt: skip
_LEAST = re.compile(
    r"\b(least|lowest|smallest|worst|fewest|minimum|min|cheapest|shortest|youngest|bottom|"
    r"lightest|poorest|coldest|slowest)\b", re.IGNORECASE,
)  # fmt: skip
_TOP = re.compile(
    r"\b(?:top|best|first|highest|largest|biggest|bottom|worst|lowest|smallest)\s+(\d{1,3}|two|three|"
    r"four|five|six|seven|eight|nine|ten)\b|\b(\d{1,3}|two|three|four|five|ten)\s+"
    r"(?:best|most|highest|largest|biggest|worst|lowest|smallest|least|top)\b", re.IGNORECASE,
)  # fmt: skip
_AVERAGE = re.compile(r"\b(average|mean|avg|typical|typically)\b", re.IGNORECASE)
_MEDIAN = re.compile(r"\bmedian\b", re.IGNORECASE)
_TOTAL = re.compile(r"\b(total|sum|overall|altogether|how much|combined)\b", re.IGNORECASE)
_SHARE = re.compile(r"\b(percent|percentage|share|proportion|fraction)\b", re.IGNORECASE)
_ASKS_VALUE = re.compile(
    r"^(?!\s*(?:who|which|what))|^\s*what\s+(?:is|was|are|were)\b", re.IGNORECASE
)
_ASKS_FOR = re.compile(r"^\s*what\s+(?:is|was|are|were)\s+the\b", re.IGNORECASE)
_NUMERALS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10,
}  # fmt: skip


def share_reading(parts: Parts) -> Reading | None:
    """What part of the whole some rows make up."""
    if not _SHARE.search(parts.question):
        return None
    measure = measure_of(parts)
    named = [one for one in parts.filters if not one.text.startswith("without")]
    if measure is None or not named:
        return None
    part = " AND ".join(one.sql for one in named)
    rest = [one for one in parts.filters if one not in named]
    where = " AND ".join(one.sql for one in rest) or "TRUE"
    value = f"% of {measure.name}"
    sql = (
        f"SELECT round(100.0 * sum(CASE WHEN {part} THEN {measure.expression} END) / "
        f"nullif(sum({measure.expression}), 0), 2) AS {quoted(value)} "
        f"FROM {quoted(parts.table.view)} WHERE {where}"
    )
    text = f"share of {measure.name} where {' and '.join(one.text for one in named)}"
    parts.filters = rest
    return reading(parts, ("share", text), sql, value, measure, None)


def rank_reading(parts: Parts) -> Reading | None:
    """Which has the most or least, the top of a list."""
    is_most, is_least = bool(_MOST.search(parts.question)), bool(_LEAST.search(parts.question))
    top = _TOP.search(parts.question)
    if not (is_most or is_least or top):
        return None
    rows = counted(parts)
    group = group_of(parts)
    if group is None and not top and _ASKS_VALUE.search(parts.question):
        return _extreme(parts, is_least)
    measure = rows or _aggregate(parts, measure_of(parts))
    if measure is None:
        return None
    if group is None:
        group = only_group(parts, "What is compared is not named by a column")
    if group is None:
        return None
    add_rows(parts, measure)
    count = _top_count(top) if top else 1
    total = measure.total if measure.expression else "count(*)"
    order = "ASC" if is_least and not is_most else "DESC"
    sql = (
        f"SELECT {group.expression} AS {quoted(group.name)}, {rounded(total)} AS "
        f"{quoted(value_name(measure))} FROM {quoted(parts.table.view)} "
        f"WHERE {parts.where} AND {group.expression} IS NOT NULL GROUP BY 1 "
        f"HAVING {total} IS NOT NULL ORDER BY 2 {order}, 1 LIMIT {max(count, LIST_LIMIT)}"
    )
    word = "least" if order == "ASC" else "most"
    shape = f"top {count}" if top else word
    text = f"{group.name} with the {word} {told_of(measure)}"
    found = reading(parts, (shape, text), sql, value_name(measure), measure, group)
    return replace(found, is_least=order == "ASC", count=count)


def total_reading(parts: Parts) -> Reading | None:
    """A sum, mean or median, of all or by group."""
    is_asked = any(one.search(parts.question) for one in (_AVERAGE, _MEDIAN, _TOTAL, BY))
    if not is_asked and not _is_sum_of_units(parts) and not _ASKS_FOR.search(parts.question):
        return None
    measure = _aggregate(parts, measure_of(parts))
    if measure is None or (not is_asked and not measure.is_named):
        return None
    shape = {"avg": "average", "median": "median"}.get(measure.how, "total")
    group = group_of(parts) if BY.search(parts.question) or "which" in parts.words else None
    if group is not None and group.columns[0] in measure.columns:
        group = None
    add_rows(parts, measure)
    return grouped(parts, shape, measure.total, measure, group)


def _is_sum_of_units(parts: Parts) -> bool:
    """How many of what a column counts: their sum."""
    return bool(COUNT.search(parts.question))


def _aggregate(parts: Parts, measure: Measure | None) -> Measure | None:
    """Take the way of putting rows together from the question, if it has one."""
    if measure is None:
        return None
    for pattern, how in ((_MEDIAN, "median"), (_AVERAGE, "avg")):
        if pattern.search(parts.question):
            return replace(measure, how=how)
    if re.search(r"\b(total|sum|overall|combined)\b", parts.question, re.IGNORECASE):
        return replace(measure, how="sum")
    if _is_unique(parts):
        return replace(measure, how="max")
    if measure.how == "avg":
        parts.assumed.append(f"A sum of {measure.name} says little; its average was taken.")
    return measure


def _is_unique(parts: Parts) -> bool:
    group = group_of(parts)
    column = parts.table.column(group.columns[0]) if group else None
    return column is not None and column.distinct >= parts.table.row_count


def _extreme(parts: Parts, is_least: bool) -> Reading | None:
    """The one highest or lowest value, with the row it stands in."""
    measure = measure_of(parts)
    if measure is None:
        return None
    add_rows(parts, measure)
    others = [one.name for one in parts.table.columns if one.name not in measure.columns][:6]
    shown = ", ".join([f"{measure.expression} AS {quoted(measure.name)}", *map(quoted, others)])
    order = "ASC" if is_least else "DESC"
    sql = (
        f"SELECT {shown} FROM {quoted(parts.table.view)} WHERE {parts.where} "
        f"AND {measure.expression} IS NOT NULL ORDER BY 1 {order} LIMIT 1"
    )
    shape = "minimum" if is_least else "maximum"
    told = (shape, f"{shape} of {measure.name}")
    return reading(parts, told, sql, measure.name, measure, None)


def _top_count(match: re.Match[str]) -> int:
    word = (match[1] or match[2]).casefold()
    return max(1, _NUMERALS.get(word) or int(word))


SHAPES: tuple[Callable[[Parts], Reading | None], ...] = (
    share_reading,
    rank_reading,
    count_reading,
    total_reading,
    list_reading,
)


def understood(table: TableFacts, question: str) -> Reading | None:
    """Return how a question of a known shape is read over a table; None: it has none of them."""
    found = growth_reading(table, question)
    for shape in SHAPES:
        found = found or shape(parts_of(table, question))
    if found is None:
        return None
    left = unused(found, question)
    if left:
        note = f"Nothing was made of these words of the question: {', '.join(left)}."
        found = replace(found, assumed=(*found.assumed, note))
    return found
