# pyright: basic, reportMissingImports=false
"""A spool of texts becomes a typed Parquet file, its profile, preview and findable text."""

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq

from diono.parsing.guest import limits
from diono.parsing.guest.cells import letter_of
from diono.parsing.guest.column_types import CANDIDATES, MISSING_PATTERN
from diono.parsing.guest.columns import Column, Place
from diono.parsing.guest.profiles import profile
from diono.parsing.guest.sink import Sink, clean
from diono.parsing.guest.spool import Spool

_ROW_GROUP = 100_000
_COLUMNS_A_QUERY = 32


@lru_cache(maxsize=1)
def database(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return the document's one database, without files or extensions, within little memory."""
    settings = {
        "memory_limit": "192MB",
        "threads": "1",
        "temp_directory": str(folder),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def add_table(sink: Sink, spool: Spool, header: Sequence[str | None], place: Place) -> None:
    """Type, profile and note a table; the spool is used up."""
    spool.finish()
    columns = _columns(spool, header, place)
    if not columns or not spool.row_count:
        spool.remove()
        return
    file = f"table-{len(sink.tables)}.parquet"
    path = sink.folder / file
    connection = database(sink.folder)
    _write(connection, sink, spool, columns, path)
    late = [column for column in columns if column.unclean and not column.text_name]
    if late:
        _name_texts(columns, late)
        _write(connection, sink, spool, columns, path)
    spool.remove()
    _note_ambiguities(sink, spool, columns, place)
    note_table(sink, columns, path, place)
    make_findable(sink, spool.first_rows, columns, place)


def _columns(spool: Spool, header: Sequence[str | None], place: Place) -> list[Column]:
    taken: set[str] = set()
    columns: list[Column] = []
    width = max(len(spool.guesses), len(header))
    for index in range(width):
        title = clean(header[index] or "").strip()[:200] if index < len(header) else ""
        guess = spool.guesses[index] if index < len(spool.guesses) else None
        if not title and (guess is None or not guess.filled):
            continue
        letter = letter_of(place.first_column + index) if place.sheet else ""
        name = unique(" ".join(title.split()) or letter or f"column_{index + 1}", taken)
        columns.append(Column(index, name, guess.choice if guess else "", letter))
    unclean = [
        column
        for column in columns
        if column.index < len(spool.guesses) and spool.guesses[column.index].unclean
    ]
    _name_texts(columns, unclean)
    return columns


def _name_texts(columns: Sequence[Column], unclean: Sequence[Column]) -> None:
    taken = {column.name.casefold() for column in columns}
    for column in unclean:
        column.text_name = unique(f"{column.name} (text)", taken)


def unique(name: str, taken: set[str]) -> str:
    """Return the name, numbered if there is one like it; small and large letters are alike."""
    wanted, number = name, 1
    while wanted.casefold() in taken:
        number += 1
        wanted = f"{name} ({number})"
    taken.add(wanted.casefold())
    return wanted


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _selection(column: Column, width: int) -> list[str]:
    if column.index >= width:
        nothing = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE"}
        kind = {"datetime": "TIMESTAMP", "text": "VARCHAR", **nothing}[column.type]
        texts = [f"NULL::VARCHAR AS {quoted(column.text_name)}"] if column.text_name else []
        return [f"NULL::{kind} AS {quoted(column.name)}", *texts]
    source = f"c{column.index}"
    if not column.choice:
        return [f"NULLIF({source}, '') AS {quoted(column.name)}"]
    candidate = CANDIDATES[column.choice]
    pattern = candidate.pattern.replace("'", "''")
    typed = candidate.expression.format(value=f"trim({source})")
    typed = f"CASE WHEN regexp_matches({source}, '{pattern}') THEN {typed} END"
    parts = [f"{typed} AS {quoted(column.name)}"]
    missing = f"coalesce(regexp_matches({source}, '{MISSING_PATTERN}'), true)"
    text = f"CASE WHEN ({typed}) IS NULL AND NOT {missing} THEN {source} END"
    if column.text_name:
        parts.append(f"{text} AS {quoted(column.text_name)}")
    return parts


def _write(
    connection: duckdb.DuckDBPyConnection,
    sink: Sink,
    spool: Spool,
    columns: Sequence[Column],
    path: Path,
) -> None:
    for column in columns:
        column.unclean = 0
    chunks = _typed_chunks(connection, sink, spool, columns)
    first = next(chunks)
    with pq.ParquetWriter(str(path), first.schema, compression="zstd") as writer:
        for typed in itertools.chain((first,), chunks):
            writer.write_table(typed, row_group_size=_ROW_GROUP)


def _typed_chunks(
    connection: duckdb.DuckDBPyConnection, sink: Sink, spool: Spool, columns: Sequence[Column]
) -> Iterator[pa.Table]:
    done = 0
    for path in spool.chunks:
        chunk = feather.read_table(str(path), memory_map=False)
        typed = _typed(connection, chunk, columns)
        for column in columns:
            column.unclean += _count_unclean(chunk, typed, column)
        done += chunk.num_rows
        sink.progress.tell("typing", done, spool.row_count, done)
        yield typed


def _typed(
    connection: duckdb.DuckDBPyConnection, chunk: pa.Table, columns: Sequence[Column]
) -> pa.Table:
    """Convert a chunk, some columns at a time: a long query takes more than its parts."""
    arrays: dict[str, pa.ChunkedArray] = {}
    width = chunk.num_columns
    for begin in range(0, len(columns), _COLUMNS_A_QUERY):
        some = columns[begin : begin + _COLUMNS_A_QUERY]
        wanted = ", ".join(p for column in some for p in _selection(column, width))
        places = [column.index for column in some if column.index < width]
        connection.register("chunk", chunk.select(places or [0]))
        part = connection.sql(f"SELECT {wanted} FROM chunk").to_arrow_table()  # noqa: S608
        connection.unregister("chunk")
        arrays |= dict(zip(part.column_names, part.columns, strict=True))
    return pa.table(arrays)


def _count_unclean(chunk: pa.Table, typed: pa.Table, column: Column) -> int:
    if not column.choice or column.index >= chunk.num_columns:
        return 0
    if column.text_name:
        return chunk.num_rows - typed.column(column.text_name).null_count
    # Nothing unclean was expected: whatever did not become a value must have been empty.
    lost = typed.column(column.name).null_count
    if not lost:
        return 0
    source = chunk.column(column.index)
    blank = pc.match_substring_regex(source, MISSING_PATTERN)
    empty = pc.sum(pc.fill_null(blank, True)).as_py() or 0
    return max(0, lost - empty)


def _note_ambiguities(sink: Sink, spool: Spool, columns: Sequence[Column], place: Place) -> None:
    for column in columns:
        guess = spool.guesses[column.index] if column.index < len(spool.guesses) else None
        note = CANDIDATES[column.choice].note if column.choice else ""
        if guess is not None and guess.is_ambiguous:
            note += "; month, day, year would fit as well"
        if note:
            sink.warn(f"{place.name}, column {column.name!r}: {note}")


def note_table(sink: Sink, columns: Sequence[Column], path: Path, place: Place) -> None:
    """Profile a finished Parquet file and tell the sink of it."""
    rows = pq.read_metadata(str(path)).num_rows
    connection = database(sink.folder)
    profiles = profile(connection, sink, columns, path)
    preview = _preview(connection, columns, path)
    label = place.range_of(0, max(0, rows - 1), columns)
    sink.tables.append(
        {
            "name": sink.named(clean(place.name))[:280],
            "place": sink.named(clean(label))[:280],
            "columns": profiles,
            "row_count": rows,
            "first_row": place.first_row,
            "preview_rows": preview,
            "file": path.name,
        }
    )


def _preview(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], path: Path
) -> list[list[Any]]:
    shown = columns[: limits.PREVIEW_COLUMNS]
    wanted = ", ".join(
        quoted(column.name)
        if column.type in ("integer", "number", "boolean")
        else f"left(CAST({quoted(column.name)} AS VARCHAR), {limits.PREVIEW_CHARACTERS})"
        for column in shown
    )
    query = f"SELECT {wanted} FROM read_parquet(?) LIMIT {limits.PREVIEW_ROWS}"  # noqa: S608 - names are quoted
    rows = connection.execute(query, [str(path)]).fetchall()
    return [[_shown(value) for value in row] for row in rows]


def _shown(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return clean(value) if isinstance(value, str) else value


def make_findable(
    sink: Sink, rows: Sequence[Sequence[str | None]], columns: Sequence[Column], place: Place
) -> None:
    """Write the first rows as text, some together, each with the range that it stands in."""
    heads = " | ".join(column.name for column in columns[:200])
    together = limits.SEARCHED_ROWS_TOGETHER
    for begin in range(0, len(rows), together):
        some = rows[begin : begin + together]
        lines = [
            " | ".join(
                (row[column.index] or "")[:500] if column.index < len(row) else ""
                for column in columns[:200]
            )
            for row in some
        ]
        anchor = place.range_of(begin, begin + len(some) - 1, columns)
        sink.section(anchor, "\n".join([heads, *lines]), place.name, table=sink.named(place.name))
