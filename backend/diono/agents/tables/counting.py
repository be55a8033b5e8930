"""Questions for how many, and for what there is."""
# ruff: noqa: S608  (identifiers and texts are quoted one by one, and it runs in a sandbox)

import re

from diono.agents.tables.desk import quoted
from diono.agents.tables.parts import Group, Measure, Parts, group_of
from diono.agents.tables.reading import LIST_LIMIT, Reading, add_rows, grouped, reading
from diono.agents.tables.words import best_column, words_in

COUNT = re.compile(r"\bhow many\b|\bnumber of\b|\bcount\b", re.IGNORECASE)
BY = re.compile(r"\b(by|per|each|every|across)\b", re.IGNORECASE)
_DIFFERENT = re.compile(r"\b(different|distinct|unique)\b", re.IGNORECASE)
_LIST = re.compile(r"\b(list|show|what are the|which are the)\b", re.IGNORECASE)
_ROWS = frozenset(("row", "order", "entry", "record", "transaction", "line", "item"))


def count_reading(parts: Parts) -> Reading | None:
    """How many rows, or how many different values."""
    if not COUNT.search(parts.question):
        return None
    asked = words_in(re.split(COUNT, parts.question, maxsplit=1)[-1])[:4]
    measure = best_column(parts.table.numbers, asked[:2], 0.8)
    if measure is not None and not _DIFFERENT.search(parts.question):
        return None
    add_rows(parts, None)
    column = best_column(parts.table.words, asked, 0.5)
    filtered = {one.column for one in parts.filters}
    is_different = bool(_DIFFERENT.search(parts.question)) or (
        column is not None
        and column.distinct < parts.table.row_count
        and not BY.search(parts.question)
        and column.name not in filtered
    )
    what = "count(*)"
    name = "rows"
    if column is not None and is_different:
        what, name = f"count(DISTINCT {quoted(column.name)})", f"different {column.name}"
    group = group_of(parts) if BY.search(parts.question) else None
    if group is not None and column is not None and group.name == column.name:
        what, name = "count(*)", "rows"
    measure_name = f"number of {name}"
    told = Measure("", measure_name, (column.name,) if column is not None else ())
    return grouped(parts, "count", what, told, group)


def list_reading(parts: Parts) -> Reading | None:
    """The different values of a column."""
    if not _LIST.search(parts.question):
        return None
    column = best_column(parts.table.words, parts.words, 0.5)
    if column is None:
        return None
    name = quoted(column.name)
    sql = (
        f"SELECT DISTINCT {name} FROM {quoted(parts.table.view)} WHERE {parts.where} "
        f"AND {name} IS NOT NULL ORDER BY 1 LIMIT {LIST_LIMIT}"
    )
    group = Group(name, column.name, (column.name,))
    told = ("list", f"the different {column.name}")
    return reading(parts, told, sql, column.name, None, group)


def counted(parts: Parts) -> Measure | None:
    """The most rows rather than the most of a number: most orders, most employees."""
    match = re.search(r"\b(?:most|fewest|least)\s+((?:\w+\s*){1,2})", parts.question, re.IGNORECASE)
    if match is None:
        return None
    words = words_in(match[1])
    if not words or best_column(parts.table.numbers, words, 0.5):
        return None
    is_rows = bool(
        {"row", "order", "entry", "record", "transaction", "line", "item"} & set(words[:1])
    )
    column = best_column(parts.table.words, words[:1], 0.5)
    if not is_rows and column is None:
        return None
    return Measure("", f"number of {words[0]} rows", (column.name,) if column else (), "count")
