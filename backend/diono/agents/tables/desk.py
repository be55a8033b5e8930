"""Tables laid out in a sandbox, and queries and charts over them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from diono.agents.shapes import dict_of, list_of
from diono.agents.tables import program
from diono.agents.tables.facts import Cell, ReadBlob, TableFacts
from diono.kernel.errors import DionoError, ErrorKind
from diono.sandbox.errors import FileMissing
from diono.sandbox.port import ExecRequest, ExecResult, Sandbox

FOLDER = "tables"
CHART_BYTES = 2_000_000
QUERY_SECONDS = 20.0
ROWS_LIMIT = 200
_OUTPUT_BYTES = 4_000_000
_PART_BYTES = 8 * 1024 * 1024
_MEMORY = "300MB"
_VALUES_LIMIT = 60
_JOIN = 'to="$1"; shift; cat "$@" > "$to" && rm "$@" && echo > "$to.done"'


class TablesFailed(DionoError):
    """The sandbox could not work on the tables."""

    code = "tables_failed"
    kind = ErrorKind.UNAVAILABLE


@dataclass(frozen=True)
class Outcome:
    """What a query gave: rows, or why there are none."""

    sql: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    is_cut: bool = False
    error: str = ""


@dataclass(frozen=True)
class Chart:
    """``kind``: bar or line. Each series has a value (or none) for every label."""

    title: str
    labels: tuple[str, ...]
    series: Mapping[str, Sequence[float | None]] = field(
        default_factory=dict[str, "list[float | None]"]
    )
    kind: str = "bar"


class Desk:
    """One sandbox of the template ``documents``; tables are put there once, by their hash."""

    def __init__(self, sandbox: Sandbox, read_blob: ReadBlob) -> None:
        self._sandbox = sandbox
        self._read_blob = read_blob
        self._tables: dict[str, str] = {}

    async def lay(self, tables: Sequence[TableFacts]) -> None:
        """Put tables where queries find them by their view's name. Raises what the sandbox does."""
        for table in tables:
            path = f"{FOLDER}/{table.sha256}.parquet"
            if not await self._is_there(path):
                await self._put(path, table.sha256)
            self._tables[table.view] = path

    async def run(self, queries: Sequence[str], limit: int = ROWS_LIMIT) -> list[Outcome]:
        """Run queries, each on its own; an error of one is its outcome. Raises TablesFailed."""
        order = {
            "tables": self._tables,
            "folder": f"/work/{FOLDER}",
            "memory": _MEMORY,
            "seconds": QUERY_SECONDS,
            "queries": [{"sql": sql, "limit": limit} for sql in queries],
        }
        seconds = QUERY_SECONDS * max(1, len(queries)) + 10
        done = await self._execute(program.QUERIES, order, seconds)
        try:
            told = [dict_of(one) for one in list_of(json.loads(done.stdout))]
        except ValueError:
            told = []
        if len(told) != len(queries):
            raise TablesFailed(
                f"The tables could not be queried ({done.reason.value}): "
                f"{done.stderr[-300:].strip()} Ask for less at once, or try again."
            )
        return [_outcome(sql, one) for sql, one in zip(queries, told, strict=True)]

    async def with_values(self, table: TableFacts) -> TableFacts:
        """Return the table with the different words of its short columns."""
        names = [one.name for one in table.words if one.distinct <= _VALUES_LIMIT]
        queries = [
            f"SELECT DISTINCT {quoted(name)} FROM {quoted(table.view)} "  # noqa: S608  both quoted
            f"WHERE {quoted(name)} IS NOT NULL ORDER BY 1"
            for name in names
        ]
        outcomes = await self.run(queries, _VALUES_LIMIT) if queries else []
        values = {
            name: tuple(str(row[0])[:100] for row in outcome.rows)
            for name, outcome in zip(names, outcomes, strict=True)
        }
        return replace(table, values=values)

    async def draw(self, chart: Chart) -> bytes:
        """Return a PNG. Raises TablesFailed."""
        path = "chart.png"
        order = {
            "kind": chart.kind,
            "title": chart.title[:120],
            "labels": [label[:30] for label in chart.labels],
            "series": [{"name": name, "values": list(v)} for name, v in chart.series.items()],
            "path": path,
        }
        done = await self._execute(program.CHART, order, 60.0)
        if not done.is_success:
            raise TablesFailed(f"The chart could not be drawn: {done.stderr[-300:].strip()}")
        return await self._sandbox.read_file(path, CHART_BYTES)

    async def _execute(self, code: str, order: dict[str, Any], seconds: float) -> ExecResult:
        return await self._sandbox.execute(
            ExecRequest(
                argv=("python3", "-c", code),
                stdin=json.dumps(order).encode(),
                timeout_seconds=seconds,
                output_limit_bytes=_OUTPUT_BYTES,
                env={"MPLCONFIGDIR": "/tmp"},  # noqa: S108  the sandbox's own
            )
        )

    async def _is_there(self, path: str) -> bool:
        try:
            await self._sandbox.read_file(f"{path}.done", 10)
        except FileMissing:
            return False
        return True

    async def _put(self, path: str, sha256: str) -> None:
        """Write a table in parts, so that this process never holds much of it."""
        parts: list[str] = []
        waiting = bytearray()
        async for chunk in self._read_blob(sha256):
            waiting += chunk
            if len(waiting) >= _PART_BYTES:
                parts.append(await self._part(path, len(parts), bytes(waiting)))
                waiting.clear()
        parts.append(await self._part(path, len(parts), bytes(waiting)))
        joined = await self._sandbox.execute(
            ExecRequest(
                argv=("sh", "-c", _JOIN, "join", path, *parts),
                timeout_seconds=120,
            )
        )
        if not joined.is_success:
            raise TablesFailed(f"A table could not be laid out: {joined.stderr[-200:].strip()}")

    async def _part(self, path: str, number: int, content: bytes) -> str:
        name = f"{path}.{number}"
        await self._sandbox.write_file(name, content)
        return name


def quoted(name: str) -> str:
    """Return an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a text for SQL."""
    return "'" + value.replace("'", "''") + "'"


def _outcome(sql: str, told: dict[str, Any]) -> Outcome:
    if told.get("error"):
        return Outcome(sql, error=str(told["error"]))
    return Outcome(
        sql,
        columns=tuple(str(name) for name in list_of(told.get("columns"))),
        rows=tuple(tuple(list_of(row)) for row in list_of(told.get("rows"))),
        is_cut=bool(told.get("is_cut")),
    )
