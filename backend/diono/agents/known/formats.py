"""Conversions between data formats that Python's own library reads and writes: JSON, CSV, TSV."""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

from diono.agents.known.answer import Known, sure
from diono.agents.signatures import description_of, python_signature
from diono.agents.spec import FunctionSpec

AUTHORITY = "the formats as Python's csv and json modules write them"
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_FORMATS = ("json", *_DELIMITERS)
_WAY = re.compile(rf"\b({'|'.join(_FORMATS)})\b.*?\b(?:to|into|as)\b.*?\b({'|'.join(_FORMATS)})\b")
# With what breaks a join by commas: a comma and quotes within a value.
_TABLES: Sequence[Sequence[dict[str, Any]]] = (
    ({"name": "Ann", "age": 31}, {"name": "Bo", "age": 5}),
    ({"id": 7, "title": "Tea, green", "note": 'said "no"'},),
    ({"city": "Oslo", "km": 1.5}, {"city": "Rome", "km": 20}, {"city": "Bern", "km": 3}),
    ({"a": "1", "b": "2"}, {"a": "3", "b": "4"}),
)


def known(function: FunctionSpec, language: str) -> Known | None:
    """Return examples and a generated module, or None if the function is no such conversion."""
    way = _way(function)
    if way is None:
        return None
    source, target = way
    pairs = [((_write(source, table),), _write(target, _read_back(source, table)))
             for table in _TABLES]  # fmt: skip
    module = _python(function, source, target) if language == "python" else ""
    return Known(sure(pairs, AUTHORITY), module, AUTHORITY)


def _way(function: FunctionSpec) -> tuple[str, str] | None:
    """Read formats from the name, else from what is said about the function."""
    only = function.parameters[0]
    if len(function.parameters) > 1 or only.type != "str" or function.returns != "str":
        return None
    for said in (function.name.replace("_", " "), function.description.lower()):
        found = _WAY.search(said)
        if found is not None and found[1] != found[2]:
            return found[1], found[2]
    return None


def _write(kind: str, rows: Sequence[dict[str, Any]]) -> str:
    if kind == "json":
        return json.dumps(rows, indent=2)
    output = io.StringIO()
    writer = csv.DictWriter(output, list(rows[0]), delimiter=_DELIMITERS[kind], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return output.getvalue()


def _read_back(kind: str, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """A table holds texts only."""
    if kind == "json":
        return rows
    return [{name: str(value) for name, value in row.items()} for row in rows]


def _python(function: FunctionSpec, source: str, target: str) -> str:
    name = function.parameters[0].name
    head = f'{python_signature(function)}\n    """{description_of(function)}"""\n'
    if source == "json":
        modules = ("csv", "io", "json")
        read = (
            f"    rows = json.loads({name})\n"
            "    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):\n"
            '        raise ValueError("a list of objects is expected")\n'
        )
    else:
        delimiter = _DELIMITERS[source]
        modules = ("csv", "io", "json") if target == "json" else ("csv", "io")
        read = (
            f"    rows = list(csv.DictReader(io.StringIO({name}), delimiter={delimiter!r}))\n"
            "    if any(None in row for row in rows):\n"
            '        raise ValueError("a row has more values than the header has names")\n'
        )
    imports = "\n".join(f"import {one}" for one in modules)
    return f'"""Generated: {source.upper()} to {target.upper()}."""\n\n{imports}\n\n\n' + (
        head + read + _writing(target)
    )


def _writing(target: str) -> str:
    if target == "json":
        return "    return json.dumps(rows, indent=2, ensure_ascii=False)\n"
    delimiter = f", delimiter={_DELIMITERS[target]!r}" if target != "csv" else ""
    return (
        "    names = list(dict.fromkeys(name for row in rows for name in row))\n"
        "    output = io.StringIO()\n"
        f'    writer = csv.DictWriter(output, names{delimiter}, lineterminator="\\n")\n'
        "    writer.writeheader()\n    writer.writerows(rows)\n"
        "    return output.getvalue()\n"
    )
