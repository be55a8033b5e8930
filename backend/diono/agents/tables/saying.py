"""The words of an answer: the number, what it is of, and nothing that the rows do not say."""

from collections.abc import Sequence

from diono.agents.tables.desk import Chart, Outcome
from diono.agents.tables.facts import Cell
from diono.agents.tables.reading import Reading
from diono.agents.tools.text import one_line

_SHOWN_ROWS = 5
_BARS = 25
_CELL = 80


def number(value: Cell) -> str:
    """Return a cell as people write it."""
    if isinstance(value, bool) or value is None:
        return "nothing" if value is None else str(value).lower()
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.2f}"
    return one_line(value, _CELL)


def value_of(reading: Reading, outcome: Outcome) -> Cell:
    """Return the one cell that answers."""
    if not outcome.rows:
        return None
    if reading.value in outcome.columns:
        return outcome.rows[0][outcome.columns.index(reading.value)]
    return outcome.rows[0][-1]


def sentence(reading: Reading, outcome: Outcome) -> str:
    """Say what the rows of a reading's query are."""
    if not outcome.rows:
        return "No row of the table answers this."
    if reading.shape in ("growth", "decline"):
        return _change(reading, outcome)
    first = outcome.rows[0]
    if not reading.group:
        unit = " %" if reading.shape == "share" else ""
        return f"The {reading.text} is {number(value_of(reading, outcome))}{unit}."
    if reading.shape == "list":
        shown = ", ".join(number(row[0]) for row in outcome.rows[:30])
        return f"{len(outcome.rows)} different {reading.group}: {shown}."
    if reading.shape in ("most", "least"):
        tied = [number(row[0]) for row in outcome.rows if row[1] == first[1]]
        who = " and ".join(tied[:4])
        return f"{who}: {reading.value} {number(first[1])} is the {_degree(reading)}."
    count = reading.count if reading.shape.startswith("top") else _SHOWN_ROWS
    shown = "; ".join(f"{number(row[0])}: {number(row[1])}" for row in outcome.rows[:count])
    rest = len(outcome.rows) - count
    more = f" and {rest} more" if rest > 0 and not reading.shape.startswith("top") else ""
    return f"{reading.text[:1].upper()}{reading.text[1:]}: {shown}{more}."


def _degree(reading: Reading) -> str:
    return "lowest" if reading.is_least else "highest"


def _change(reading: Reading, outcome: Outcome) -> str:
    row = dict(zip(outcome.columns, outcome.rows[0], strict=False))
    offset = 1 if reading.group else 0
    before, after = outcome.rows[0][offset], outcome.rows[0][offset + 1]
    change, percent = row.get("change"), row.get("change %")
    who = number(outcome.rows[0][0]) if reading.group else ""
    if not isinstance(change, int | float) or isinstance(change, bool):
        return "The change cannot be computed: one of the periods has no values."
    verb = "rose" if change > 0 else "fell" if change < 0 else "stayed the same"
    of = (
        f"{who}: {reading.measure}"
        if who
        else f"{reading.measure[:1].upper()}{reading.measure[1:]}"
    )
    share = f", {percent:+.1f} %" if isinstance(percent, int | float) else ""
    degree = ""
    if reading.group:
        word = "smallest" if reading.is_least else "largest"
        degree = f"; the {word} {reading.shape} of {len(outcome.rows)} {reading.group} values"
    sign = "+" if change > 0 else ""
    if (reading.shape == "growth") != (change > 0) and change:
        degree = (
            f"; no {reading.group or 'value'} shows a {reading.shape}, this is the nearest to it"
        )
    return (
        f"{of} {verb} from {number(before)} ({reading.periods[0]}) to {number(after)} "
        f"({reading.periods[1]}), {sign}{number(change)}{share}{degree}."
    )


def other_leader(reading: Reading, outcome: Outcome) -> str:
    """Say who leads by percent where the ranking is by the plain change, and the other way."""
    if reading.shape not in ("growth", "decline") or not reading.group or len(outcome.rows) < 2:
        return ""
    other = "change" if reading.value == "change %" else "change %"
    if other not in outcome.columns:
        return ""
    at = outcome.columns.index(other)
    told = [(row[at], row[0]) for row in outcome.rows if isinstance(row[at], int | float)]
    if not told:
        return ""
    is_up = (reading.shape == "growth") != reading.is_least
    best = max(told, key=lambda pair: float(str(pair[0])) * (1 if is_up else -1))
    if best[1] == outcome.rows[0][0]:
        return ""
    by = "percent" if other == "change %" else "the plain difference"
    unit = " %" if other == "change %" else ""
    return f"By {by} it would be {number(best[1])} ({number(best[0])}{unit})."


def chart_of(title: str, outcome: Outcome, reading: Reading | None) -> Chart | None:
    """Return what to draw of rows with a label and a number; None if there is nothing to see."""
    if len(outcome.rows) < 2 or len(outcome.columns) < 2:
        return None
    columns = _drawn(outcome, reading)
    if not columns:
        return None
    rows = outcome.rows[:_BARS]
    series = {outcome.columns[at][:40]: [_float(row[at]) for row in rows] for at in columns}
    is_time = reading is not None and reading.shape == "total" and _is_time(rows)
    labels = tuple(one_line(str(row[0]), 30) for row in rows)
    return Chart(one_line(title, 110), labels, series, "line" if is_time else "bar")


def _drawn(outcome: Outcome, reading: Reading | None) -> list[int]:
    if reading is not None and reading.shape in ("growth", "decline"):
        return [1, 2]
    for at in range(1, len(outcome.columns)):
        if all(_float(row[at]) is not None or row[at] is None for row in outcome.rows):
            return [at]
    return []


def _is_time(rows: Sequence[Sequence[Cell]]) -> bool:
    labels = [str(row[0]) for row in rows]
    return len(labels) > 2 and labels == sorted(labels) and all(one[:4].isdigit() for one in labels)


def _float(value: Cell) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
