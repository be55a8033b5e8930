# pyright: basic, reportMissingImports=false
"""Figures of a table's columns, taken from its Parquet file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from diono.parsing.guest.columns import Column
from diono.parsing.guest.sink import Sink, clean

_EXACT_ROWS = 100_000
_SHORT_ROWS = 20_000
_COLUMNS_A_QUERY = 32
_TEXT_CHARACTERS = 200


def profile(
    connection: duckdb.DuckDBPyConnection, sink: Sink, columns: Sequence[Column], path: Path
) -> list[dict[str, Any]]:
    """Return one profile a column, in their order."""
    file = pq.ParquetFile(str(path))
    rows = file.metadata.num_rows
    found: list[dict[str, Any]] = []
    for begin in range(0, len(columns), _COLUMNS_A_QUERY):
        some = columns[begin : begin + _COLUMNS_A_QUERY]
        wanted = ", ".join(part for column in some for part in _figures(column, rows))
        query = f"SELECT {wanted} FROM"
        values = _ask(connection, file, some, query, path)
        for number, column in enumerate(some):
            found.append(_told(column, rows, values[number * 6 : number * 6 + 6]))
        sink.progress.tell("profiling", begin + len(some), len(columns), rows)
    return found


def _ask(
    connection: duckdb.DuckDBPyConnection,
    file: pq.ParquetFile,
    columns: Sequence[Column],
    query: str,
    path: Path,
) -> Sequence[Any]:
    """Of a short table its columns are read once; the database would read the file's whole head
    again for each query. A long one is streamed."""
    if file.metadata.num_rows > _SHORT_ROWS:
        return connection.execute(f"{query} read_parquet(?)", [str(path)]).fetchall()[0]
    connection.register("part", file.read(columns=[column.name for column in columns]))
    values = connection.execute(f"{query} part").fetchall()[0]
    connection.unregister("part")
    return values


def _figures(column: Column, rows: int) -> list[str]:
    name = '"' + column.name.replace('"', '""') + '"'
    distinct = (
        f"count(DISTINCT {name})" if rows <= _EXACT_ROWS else f"approx_count_distinct({name})"
    )
    ends = [f"left(CAST({end}({name}) AS VARCHAR), {_TEXT_CHARACTERS})" for end in ("min", "max")]
    if column.type == "number":
        finite = f"FILTER (isfinite({name}))"
        ends = [f"CAST({end}({name}) {finite} AS VARCHAR)" for end in ("min", "max")]
        means = [f"avg({name}) {finite}", f"stddev_samp({name}) {finite}"]
    elif column.type == "integer":
        means = [f"avg({name})", f"stddev_samp(CAST({name} AS DOUBLE))"]
    else:
        means = ["NULL", "NULL"]
    return [f"count({name})", distinct, *ends, *means]


def _told(column: Column, rows: int, values: Sequence[Any]) -> dict[str, Any]:
    filled, distinct, minimum, maximum, mean, deviation = values
    return {
        "name": column.name,
        "type": column.type,
        "missing": rows - filled - column.unclean,
        "unclean": column.unclean,
        "text_column": column.text_name,
        "distinct": min(distinct, filled),
        "minimum": None if minimum is None else clean(minimum),
        "maximum": None if maximum is None else clean(maximum),
        "mean": mean,
        "deviation": deviation,
        "letter": column.letter,
    }
