# pyright: basic, reportMissingImports=false
"""Parquet: its own types, batch by batch."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from diono.parsing.guest import limits
from diono.parsing.guest.cells import text_of
from diono.parsing.guest.columns import Column, Place
from diono.parsing.guest.refusals import Refused, damaged, too_large
from diono.parsing.guest.sink import Sink, clean
from diono.parsing.guest.source import Source
from diono.parsing.guest.tables import make_findable, note_table, unique

_BATCH_ROWS = 20_000
_ROWS = 200_000_000


def read(source: Source, sink: Sink) -> None:
    if not source.tail(4) == b"PAR1":
        raise damaged("the Parquet file is cut off: its end is missing")
    with source.open() as raw:
        try:
            file = pq.ParquetFile(raw, memory_map=False, pre_buffer=False)
            _copy(file, source, sink)
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            text = str(error)
            if "crypt" in text.lower():
                raise Refused("document_encrypted", "the Parquet file is encrypted") from error
            raise damaged(f"the Parquet file cannot be read ({text[:200]})") from error


def _copy(file: pq.ParquetFile, source: Source, sink: Sink) -> None:
    about = file.metadata
    if about.num_rows > _ROWS or about.num_columns > limits.COLUMNS:
        raise too_large(f"it claims {about.num_rows:,} rows and {about.num_columns:,} columns")
    sink.facts(
        {"rows": about.num_rows, "created_by": about.created_by, "row_groups": about.num_row_groups}
    )
    schema, columns = _plain(file.schema_arrow)
    path = sink.folder / f"table-{len(sink.tables)}.parquet"
    first = _write(file, path, schema, sink)
    if not columns:
        raise Refused("document_empty", "it has no columns")
    place = Place("table", first_row=1)
    note_table(sink, columns, path, place)
    make_findable(sink, first, columns, place)


def _write(
    file: pq.ParquetFile, path: Path, schema: pa.Schema, sink: Sink
) -> list[list[str | None]]:
    first: list[list[str | None]] = []
    done = 0
    total = file.metadata.num_rows
    with pq.ParquetWriter(str(path), schema, compression="zstd") as writer:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
            arrays = [
                _converted(batch.column(number), field.type) for number, field in enumerate(schema)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            done += batch.num_rows
            if len(first) < limits.SEARCHED_ROWS:
                some = pa.Table.from_arrays(arrays, schema=schema)
                rows = some.slice(0, limits.SEARCHED_ROWS - len(first)).to_pylist()
                first += [[text_of(value) for value in row.values()] for row in rows]
            sink.progress.tell("reading", done, total, done)
    return first


def _plain(schema: pa.Schema) -> tuple[pa.Schema, list[Column]]:
    taken: set[str] = set()
    fields: list[pa.Field] = []
    columns: list[Column] = []
    for number, each in enumerate(schema):
        kind, choice = _type_of(each.type)
        name = unique(clean(each.name).strip()[:200] or f"column_{number + 1}", taken)
        fields.append(pa.field(name, kind))
        columns.append(Column(number, name, choice))
    return pa.schema(fields), columns


def _type_of(kind: pa.DataType) -> tuple[pa.DataType, str]:
    """Return the type that is kept, and what it is called."""
    checks = (
        (pa.types.is_boolean, pa.bool_(), "boolean"),
        (pa.types.is_unsigned_integer, pa.int64(), "integer"),
        (pa.types.is_integer, pa.int64(), "integer"),
        (pa.types.is_floating, pa.float64(), "number"),
        (pa.types.is_decimal, pa.float64(), "number"),
        (pa.types.is_date, pa.date32(), "date"),
        (pa.types.is_timestamp, pa.timestamp("us"), "datetime"),
    )
    for check, kept, choice in checks:
        if check(kind):
            return kept, choice
    return pa.string(), ""


def _converted(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if array.type == kind:
        return array
    is_nested = pa.types.is_nested(array.type) or pa.types.is_binary(array.type)
    if not is_nested:
        try:
            return array.cast(kind, safe=False)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            is_nested = pa.types.is_string(kind)
    if not is_nested:
        return pa.nulls(len(array), kind)
    return pa.array([text_of(value) for value in array.to_pylist()], kind)
