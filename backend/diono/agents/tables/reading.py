"""A question as it was understood, and how one is put together."""
# ruff: noqa: S608  (identifiers and texts are quoted one by one, and it runs in a sandbox)

from dataclasses import dataclass

from diono.agents.tables.desk import quoted
from diono.agents.tables.facts import TableFacts
from diono.agents.tables.filters import filter_periods, limits_of
from diono.agents.tables.parts import Group, Measure, Parts

LIST_LIMIT = 100


@dataclass(frozen=True)
class Reading:
    """A question as it was understood. The query's first column is the label where there is a
    group; ``value`` names the column that holds the answer's number."""

    table: TableFacts
    shape: str
    sql: str
    text: str
    value: str
    measure: str = ""
    group: str = ""
    period: str = ""
    periods: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    is_least: bool = False
    count: int = 1


def add_rows(parts: Parts, measure: Measure | None) -> None:
    """Add the filters of periods and limits; each once."""
    if measure is None or len(measure.columns) < 2:
        filter_periods(parts)
    limits_of(parts, measure)
    parts.filters = list({one.sql: one for one in parts.filters}.values())


def grouped(parts: Parts, shape: str, total: str, measure: Measure, group: Group | None) -> Reading:
    value = value_name(measure)
    view, told = quoted(parts.table.view), told_of(measure)
    if group is None:
        sql = f"SELECT {rounded(total)} AS {quoted(value)} FROM {view} WHERE {parts.where}"
        return reading(parts, (shape, told), sql, value, measure, None)
    order = "1" if group.is_period else "2 DESC, 1"
    sql = (
        f"SELECT {group.expression} AS {quoted(group.name)}, {rounded(total)} AS {quoted(value)} "
        f"FROM {view} WHERE {parts.where} AND {group.expression} IS NOT NULL "
        f"GROUP BY 1 ORDER BY {order} LIMIT {LIST_LIMIT}"
    )
    return reading(parts, (shape, f"{told} by {group.name}"), sql, value, measure, group)


def reading(
    parts: Parts,
    told: tuple[str, str],
    sql: str,
    value: str,
    measure: Measure | None,
    group: Group | None,
) -> Reading:
    """``told`` is (shape, what is asked in words)."""
    shape, text = told
    columns = (*(group.columns if group else ()), *(measure.columns if measure else ()))
    filters = tuple(one.text for one in parts.filters)
    where = f", where {' and '.join(filters)}" if filters else ""
    return Reading(
        table=parts.table,
        shape=shape,
        sql=sql,
        text=f"{text}{where}",
        value=value,
        measure=measure.name if measure else "",
        group=group.name if group else "",
        filters=filters,
        columns=tuple(dict.fromkeys((*columns, *(one.column for one in parts.filters)))),
        assumed=tuple(parts.assumed),
    )


def told_of(measure: Measure) -> str:
    words = {"sum": "total ", "avg": "average ", "median": "median "}
    return f"{words.get(measure.how, '') if measure.expression else ''}{measure.name}"


def value_name(measure: Measure) -> str:
    return told_of(measure)


def rounded(total: str) -> str:
    return total if total.startswith("count") else f"round({total}, 4)"
