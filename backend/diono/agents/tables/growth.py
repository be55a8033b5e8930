"""What grew or fell between two periods: by how much, and by how many percent."""
# ruff: noqa: S608  (identifiers and texts are quoted one by one, and it runs in a sandbox)

import re
from collections.abc import Sequence

from diono.agents.tables.desk import literal, quoted
from diono.agents.tables.facts import TableFacts
from diono.agents.tables.filters import parts_of
from diono.agents.tables.parts import Group, Parts, chosen_periods, group_of, measure_of, only_group
from diono.agents.tables.periods import agrees, keys_in, period_key, wide_columns
from diono.agents.tables.reading import LIST_LIMIT, Reading

_GROWS = re.compile(
    r"\b(grew|grow\w*|increas\w+|rose|risen|rise|gain\w*|improv\w+|expand\w*|changed?|"
    r"development)\b", re.IGNORECASE,
)  # fmt: skip
_FALLS = re.compile(
    r"\b(declin\w+|decreas\w+|fell|fall\w*|drop\w*|shr[aiu]nk\w*|lost|loss|worsen\w*)\b",
    re.IGNORECASE,
)
_LEAST = re.compile(r"\b(least|slowest|smallest|lowest)\b", re.IGNORECASE)
_BY_PERCENT = re.compile(r"\b(fastest|percent\w*|rate|relative\w*|slowest)\b|%", re.IGNORECASE)


def growth_reading(table: TableFacts, question: str) -> Reading | None:
    """Return how a question for a change is read; None: it is none, or the table has no periods."""
    falls = bool(_FALLS.search(question))
    if not falls and not _GROWS.search(question):
        return None
    parts = parts_of(table, question)
    wide = wide_columns(table)
    ends = _wide_ends(parts, [one.name for one in wide]) if wide else _long_ends(parts)
    if ends is None:
        return None
    first, last, measure, period, columns = ends
    group = group_of(parts)
    if group is not None and group.is_period:
        group = None
    if group is None and re.match(r"\s*(which|what|who)\b", question, re.IGNORECASE):
        group = only_group(parts, "What is compared is not named by a column")
    sql = _sql(parts, group, (first, last), _order(falls, question))
    names = (first[0], last[0])
    what = f"{group.name}: {measure}" if group else measure
    how = "fell" if falls else "grew"
    degree = " the least" if _LEAST.search(question) else " the most" if group else ""
    by = " by percent" if _BY_PERCENT.search(question) else ""
    return Reading(
        table=table,
        shape="decline" if falls else "growth",
        sql=sql,
        text=f"{what} {how}{degree} from {names[0]} to {names[1]}{by}"
        + (f", where {' and '.join(f.text for f in parts.filters)}" if parts.filters else ""),
        value="change %" if by else "change",
        measure=measure,
        group=group.name if group else "",
        period=period,
        periods=names,
        filters=tuple(one.text for one in parts.filters),
        columns=tuple(dict.fromkeys((*(group.columns if group else ()), *columns))),
        assumed=tuple(parts.assumed),
        is_least=bool(_LEAST.search(question)),
    )


End = tuple[str, str]
Ends = tuple[End, End, str, str, tuple[str, ...]]


def _wide_ends(parts: Parts, names: Sequence[str]) -> Ends | None:
    """Columns are the periods: (name, SQL of its sum) of the first and the last."""
    first, last = _chosen_ends(parts, names)
    if first == last:
        return None
    ends = [(name, f"sum({quoted(name)})") for name in (first, last)]
    return ends[0], ends[1], "value", "columns", (first, last)


def _long_ends(parts: Parts) -> Ends | None:
    """Rows have a period: sums of the rows of the first and of the last."""
    periods, measure = chosen_periods(parts), measure_of(parts)
    if periods is None or measure is None:
        return None
    first, last = _chosen_ends(parts, periods.names)
    if first == last:
        return None
    if periods.note:
        parts.assumed.append(periods.note)
    first_end, last_end = (
        (name, f"{measure.how}(CASE WHEN {periods.expression} = {literal(name)} THEN {taken} END)")
        for name, taken in ((first, measure.expression), (last, measure.expression))
    )
    return first_end, last_end, measure.name, periods.column, (*measure.columns, periods.column)


def _chosen_ends(parts: Parts, names: Sequence[str]) -> tuple[str, str]:
    """Return the periods that the question names, else the first and the last."""
    told: list[str] = []
    for key in keys_in(parts.question):
        told += [name for name in names if agrees(key, period_key(name) or (0, 0, 0))]
    told = list(dict.fromkeys(told))
    if len(told) >= 2:
        order = sorted(told, key=list(names).index)
        return order[0], order[-1]
    if len(told) == 1:
        at = list(names).index(told[0])
        if re.search(r"\b(since|from|after)\b", parts.question, re.IGNORECASE):
            return told[0], names[-1]
        return (names[at - 1], told[0]) if at else (names[0], names[-1])
    if len(names) > 2:
        parts.assumed.append(
            f"The question names no two periods; the first and the last were taken "
            f"({names[0]} and {names[-1]})."
        )
    return names[0], names[-1]


def _order(falls: bool, question: str) -> str:
    column = "change %" if _BY_PERCENT.search(question) else "change"
    is_up = falls != bool(_LEAST.search(question))
    return f"{quoted(column)} {'ASC' if is_up else 'DESC'} NULLS LAST"


def _sql(parts: Parts, group: Group | None, ends: tuple[End, End], order: str) -> str:
    (first, before), (last, after) = ends
    if first in ("change", "change %") or last in ("change", "change %"):
        first, last = f"{first} (first)", f"{last} (last)"
    label = f"{group.expression} AS {quoted(group.name)}, " if group else ""
    where = f"{parts.where} AND {group.expression} IS NOT NULL" if group else parts.where
    tail = f"GROUP BY 1 ORDER BY {order} LIMIT {LIST_LIMIT}" if group else ""
    return (
        f"SELECT {label}{before} AS {quoted(first)}, {after} AS {quoted(last)}, "
        f'round({after} - {before}, 4) AS "change", '
        f'round(100.0 * ({after} - {before}) / nullif(abs({before}), 0), 2) AS "change %" '
        f"FROM {quoted(parts.table.view)} WHERE {where} {tail}"
    ).strip()
