"""A question over tables from beginning to end: read, computed in several ways, held together."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from diono.agents.port import Model
from diono.agents.tables.desk import Desk, Outcome
from diono.agents.tables.facts import Cell, TableFacts
from diono.agents.tables.model import CANDIDATES, candidates
from diono.agents.tables.reading import Reading
from diono.agents.tables.saying import chart_of, number, other_leader, sentence, value_of
from diono.agents.tables.shapes import understood
from diono.agents.tables.words import nearness, says, words_in
from diono.kernel.errors import DionoError, ErrorKind

Certainty = Literal["matched", "agreed", "assumed", "disputed"]
# Patterns: known shapes of questions. Model: queries that a model writes. Both: as people get it.
Ways = Literal["both", "patterns", "model"]
MakeModel = Callable[[], Awaitable[Model]]
_CLOSE = 1e-6


class NoAnswer(DionoError):
    """No way gave rows; the detail says what was tried."""

    code = "question_not_answered"
    kind = ErrorKind.INVALID


@dataclass(frozen=True)
class TableAnswer:
    """``matched``: every word that counts was found in the table. ``agreed``: several ways gave
    the same. ``assumed``: something was taken that nobody said. ``disputed``: ways differ."""

    text: str
    outcome: Outcome
    table: TableFacts
    origin: Literal["pattern", "model"]
    certainty: Certainty
    agreement: str
    understood: str
    reading: Reading | None
    value: Cell
    columns: tuple[str, ...]
    warnings: tuple[str, ...]
    chart: bytes | None
    model: str
    seconds: float


@dataclass
class _Tried:
    """What was run for one question."""

    reading: Reading | None = None
    pattern: Outcome | None = None
    written: list[Outcome] = field(default_factory=list[Outcome])
    model: str = ""
    problems: list[str] = field(default_factory=list[str])


def best_table(tables: Sequence[TableFacts], question: str) -> TableFacts:
    """Return the table whose names and values the question speaks of most."""

    def score(table: TableFacts) -> float:
        words = words_in(question)
        columns = sum(nearness(one.name, words) for one in table.columns)
        values = sum(
            len(value) > 2 and says(value, question)
            for told in table.values.values()
            for value in told
        )
        names = nearness(f"{table.name} {table.document_name}", words)
        return columns + values + 2 * names

    return max(tables, key=score)


async def ask(
    desk: Desk,
    tables: Sequence[TableFacts],
    question: str,
    make_model: MakeModel | None,
    ways: Ways = "both",
) -> TableAnswer:
    """Answer a question over tables that are laid on the desk. The model is asked where no known
    shape fits, or where something had to be assumed. Raises NoAnswer, TablesFailed."""
    started = time.monotonic()
    known = [await desk.with_values(table) for table in tables]
    table = best_table(known, question)
    tried = _Tried()
    if ways != "model":
        tried.reading = understood(table, question)
    if tried.reading is not None:
        (tried.pattern,) = await desk.run([tried.reading.sql])
    if make_model is not None and ways != "patterns" and _needs_model(tried):
        await _ask_model(desk, table, question, make_model, tried)
    return await _settled(desk, table, question, tried, started)


def _needs_model(tried: _Tried) -> bool:
    is_good = tried.pattern is not None and not tried.pattern.error and tried.pattern.rows
    return not is_good or bool(tried.reading and tried.reading.assumed)


async def _ask_model(
    desk: Desk, table: TableFacts, question: str, make_model: MakeModel, tried: _Tried
) -> None:
    try:
        model = await make_model()
        tried.model = model.name
        queries = await candidates(model, table, question, CANDIDATES)
    except DionoError as error:
        tried.problems.append(f"The model could not be asked: {error.detail}")
        return
    if queries:
        tried.written = await desk.run(queries)


async def _settled(
    desk: Desk, table: TableFacts, question: str, tried: _Tried, started: float
) -> TableAnswer:
    good = [one for one in tried.written if not one.error and _has_rows(one)]
    pattern, reading = tried.pattern, tried.reading
    if pattern is not None and reading is not None and not pattern.error and pattern.rows:
        same = sum(_same(pattern, one, reading) for one in good)
        certainty, agreement = _held(reading, same, len(good), _together(good))
        text, chosen = sentence(reading, pattern), pattern
    elif good:
        chosen = max(good, key=lambda one: sum(_same(one, other, None) for other in good))
        same = sum(_same(chosen, one, None) for one in good)
        certainty = "agreed" if same > 1 else "disputed" if len(good) > 1 else "assumed"
        agreement = f"{same} of {len(tried.written)} queries of the model gave this"
        reading, text = None, _plainly(chosen)
    else:
        raise NoAnswer(_why_not(table, tried))
    title = reading.text if reading is not None else question
    chart = chart_of(title, chosen, reading)
    warnings = [*(reading.assumed if reading else ()), *tried.problems]
    if reading is not None and (other := other_leader(reading, chosen)):
        warnings.append(other)
    return TableAnswer(
        text=text,
        outcome=chosen,
        table=table,
        origin="pattern" if reading is not None else "model",
        certainty=certainty,
        agreement=agreement,
        understood=reading.text if reading else "as the model's query says; read it before use",
        reading=reading,
        value=value_of(reading, chosen) if reading else chosen.rows[0][-1],
        columns=reading.columns if reading else _named_in(table, chosen.sql),
        warnings=tuple(warnings),
        chart=await desk.draw(chart) if chart else None,
        model=tried.model,
        seconds=time.monotonic() - started,
    )


def _held(reading: Reading, same: int, good: int, together: bool) -> tuple[Certainty, str]:
    if same:
        return "agreed", f"a known shape of question, and {same} of {good} queries of the model"
    if good and together and good > 1:
        return "disputed", f"a known shape of question; the model's {good} queries say otherwise"
    if reading.assumed:
        return "assumed", "a known shape of question, with something assumed"
    return "matched", "a known shape of question; every part of it was found in the table"


def _has_rows(outcome: Outcome) -> bool:
    return bool(outcome.rows) and any(cell is not None for cell in outcome.rows[0])


def _together(good: Sequence[Outcome]) -> bool:
    return bool(good) and all(_same(good[0], one, None) for one in good)


def _same(left: Outcome, right: Outcome, reading: Reading | None) -> bool:
    """Whether two outcomes have the same first row, or the same label and number of it."""
    mine, other = left.rows[0], right.rows[0]
    if reading is not None:
        wanted = [value_of(reading, left)]
        if reading.group and reading.shape != "list":
            # The label is what was asked for; the model may tell it without the number.
            wanted = [mine[0]]
        return all(any(_equal(cell, one) for one in other) for cell in wanted)
    return len(mine) == len(other) and all(map(_equal, mine, other))


def _equal(left: Cell, right: Cell) -> bool:
    if isinstance(left, int | float) and isinstance(right, int | float):
        return abs(left - right) <= _CLOSE * max(1.0, abs(left)) or round(left, 2) == round(
            right, 2
        )
    return str(left).strip().casefold() == str(right).strip().casefold()


def _plainly(outcome: Outcome) -> str:
    shown = [
        ", ".join(
            f"{name}: {number(cell)}" for name, cell in zip(outcome.columns, row, strict=False)
        )
        for row in outcome.rows[:5]
    ]
    rest = len(outcome.rows) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more rows." if rest > 0 else ".")


def _named_in(table: TableFacts, sql: str) -> tuple[str, ...]:
    return tuple(one.name for one in table.columns if one.name.casefold() in sql.casefold())


def _why_not(table: TableFacts, tried: _Tried) -> str:
    errors = [one.error for one in (tried.pattern, *tried.written) if one is not None and one.error]
    names = ", ".join(one.name for one in table.columns[:12])
    why = f" The last error: {errors[-1][:200]}" if errors else ""
    problems = f" {tried.problems[-1]}" if tried.problems else ""
    return (
        f"The question was not understood over the table {table.name} (columns: {names}).{why}"
        f"{problems} Name the columns, or ask the agent in the chat, which can look further."
    )
