# pyright: basic, reportMissingImports=false
"""JSON and JSON lines: lists of objects are tables, all else is text by its keys."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import ijson

from diono.parsing.guest import limits
from diono.parsing.guest.cells import text_of
from diono.parsing.guest.columns import Place
from diono.parsing.guest.encodings import encoding_of, lines_of
from diono.parsing.guest.encodings import text_of as whole_text
from diono.parsing.guest.refusals import Refused, damaged, too_large
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source
from diono.parsing.guest.spool import Spool
from diono.parsing.guest.tables import add_table

_FLAT_LEVELS = 3
_DIGITS = 4_000
_KEYS = 2_000
_PROGRESS_RECORDS = 2_000


class _Reader:
    """Counts what was mended."""

    def __init__(self) -> None:
        self.not_numbers = 0
        self.duplicates = 0
        self.long_numbers = 0

    def load(self, text: str) -> Any:
        """Raises Refused."""
        try:
            return json.loads(
                text,
                parse_int=self._integer,
                parse_constant=self._constant,
                object_pairs_hook=self._object,
            )
        except RecursionError as error:
            raise too_large("its values are nested too deeply") from error
        except ValueError as error:
            raise damaged(f"it is not valid JSON: {error}"[:300]) from error

    def _integer(self, digits: str) -> int | str:
        if len(digits) <= _DIGITS:
            return int(digits)
        self.long_numbers += 1
        return f"{digits[:40]}… ({len(digits)} digits)"

    def _constant(self, _: str) -> None:
        self.not_numbers += 1

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        self.duplicates += len(pairs) - len(found)
        return found

    def report(self, sink: Sink) -> None:
        if self.not_numbers:
            sink.warn(
                f"{self.not_numbers:,} values that are no numbers (NaN, Infinity) were left out"
            )
        if self.duplicates:
            sink.warn(f"{self.duplicates:,} keys stand twice in an object; the last value was kept")
        if self.long_numbers:
            sink.warn(f"{self.long_numbers:,} numbers are too long and were kept as text")


class _Records:
    """Objects on their way to a table; a key that is new makes a column."""

    def __init__(self, sink: Sink, name: str) -> None:
        self._sink = sink
        self._name = name
        self._columns: dict[str, int] = {}
        self.spool = Spool(sink.folder / "spool", f"json-{len(sink.tables)}")

    def add(self, value: Any) -> None:
        flat: dict[str, Any] = {}
        _flatten(value, "", flat, 0)
        for key in flat:
            if key not in self._columns:
                if len(self._columns) >= _KEYS:
                    raise too_large(f"its records have more than {_KEYS:,} different keys")
                self._columns[key] = len(self._columns)
        row: list[str | None] = [None] * len(self._columns)
        for key, each in flat.items():
            row[self._columns[key]] = text_of(each)
        self.spool.append(row)

    def finish(self) -> None:
        add_table(self._sink, self.spool, list(self._columns), Place(self._name))


def _flatten(value: Any, prefix: str, flat: dict[str, Any], level: int) -> None:
    if not isinstance(value, dict):
        flat[prefix or "value"] = value
        return
    for key, each in value.items():
        name = f"{prefix}.{key}"[:200] if prefix else str(key)[:200]
        if isinstance(each, dict) and level < _FLAT_LEVELS and each:
            _flatten(each, name, flat, level + 1)
        else:
            flat[name] = each


def read(source: Source, sink: Sink) -> None:
    encoding = encoding_of(source)
    sink.fact("encoding", encoding)
    if source.size > limits.WHOLE_JSON_BYTES:
        _read_large(source, sink)
        return
    reader = _Reader()
    text = whole_text(source, limits.WHOLE_JSON_BYTES, encoding).replace("\0", "").lstrip("\ufeff")
    value = reader.load(text)
    reader.report(sink)
    _tell(value, "", sink)
    if not sink.tables or isinstance(value, dict):
        _write_text(value, sink)


def _is_records(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) for each in value[:1_000])
    )


def _tell(value: Any, path: str, sink: Sink, level: int = 0) -> None:
    """Make a table of every list of objects near the top."""
    if _is_records(value):
        if sink.is_room_for_table():
            records = _Records(sink, path or "records")
            for number, each in enumerate(value):
                records.add(each)
                if number % _PROGRESS_RECORDS == 0:
                    sink.progress.tell("reading", number, len(value), number)
            records.finish()
    elif isinstance(value, dict) and level < _FLAT_LEVELS:
        for key, each in value.items():
            _tell(each, f"{path}.{key}"[:200] if path else str(key)[:200], sink, level + 1)


def _write_text(value: Any, sink: Sink) -> None:
    parts = value.items() if isinstance(value, dict) else [("value", value)]
    for key, each in parts:
        if not _is_records(each) and not sink.is_full:
            text = json.dumps(each, ensure_ascii=False, indent=1, default=str)
            sink.section(f"key-{str(key)[:200]}", f"{key}: {text}", str(key))


def read_lines(source: Source, sink: Sink) -> None:
    encoding = encoding_of(source)
    sink.fact("encoding", encoding)
    reader = _Reader()
    records = _Records(sink, "records")
    bad = 0
    for number, line in enumerate(lines_of(source, encoding), 1):
        text = line.replace("\0", "").strip().lstrip("\ufeff")
        if not text:
            continue
        try:
            records.add(reader.load(text))
        except Refused as refused:
            bad += 1
            if bad > max(10, number // 10):
                raise damaged(f"line {number}: {refused.reason}") from refused
        if number % _PROGRESS_RECORDS == 0:
            sink.progress.tell("reading", source.consumed, source.size, number)
    if bad:
        sink.warn(f"{bad:,} lines are not valid JSON and were left out")
    reader.report(sink)
    if not records.spool.row_count:
        raise Refused("document_empty", "it holds no records")
    records.finish()


def _read_large(source: Source, sink: Sink) -> None:
    """A list at the top, value by value; anything else of this size does not fit."""
    with source.open() as file:
        start = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        file.seek(0)
        if start != b"[":
            raise too_large(
                f"JSON of more than {limits.WHOLE_JSON_BYTES:,} bytes is read if it is a list, or "
                "one record a line (.jsonl)"
            )
        records = _Records(sink, "records")
        try:
            for number, value in enumerate(_values(ijson.basic_parse(file, use_float=True))):
                records.add(value)
                if number % _PROGRESS_RECORDS == 0:
                    sink.progress.tell("reading", source.consumed, source.size, number)
        except (ijson.JSONError, ValueError, UnicodeDecodeError) as error:
            raise damaged(f"it is not valid JSON: {error}"[:300]) from error
    records.finish()


def _values(events: Iterable[tuple[str, Any]]) -> Iterator[Any]:
    """Build the values of the outermost list; only one is in memory at a time."""
    stack: list[Any] = []
    keys: list[str] = []
    for event, value in events:
        if event in ("start_array", "start_map"):
            if len(stack) > limits.JSON_DEPTH:
                raise too_large("its values are nested too deeply")
            stack.append([] if event == "start_array" else {})
            continue
        if event == "map_key":
            keys.append(str(value))
            continue
        is_end = event in ("end_array", "end_map")
        built = stack.pop() if is_end else value
        if not stack:
            return
        if len(stack) == 1:
            yield built
        elif isinstance(stack[-1], dict):
            stack[-1][keys.pop()] = built
        else:
            stack[-1].append(built)
