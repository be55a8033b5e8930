"""Repairs that need no model: the right result in the wrong shape is given its shape.

A small model returns a list for a tuple, or does not round. What is repaired is a candidate like
any other: it is run and held against the same checks.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Any

from diono.agents.port import JsonObject
from diono.agents.shapes import dict_of, list_of

_FEWEST_TO_ORDER = 3
_MOST_DIGITS = 6
_SHAPES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("tuple({})", tuple),
    ("list({})", list),
    ("set({})", set),
    ("dict({})", dict),
    ("str({})", str),
    ("int({})", int),
    ("float({})", float),
    ("''.join({})", "".join),
    ("' '.join({})", " ".join),
    ("[tuple(one) for one in {}]", lambda value: [tuple(one) for one in value]),
    ("[list(one) for one in {}]", lambda value: [list(one) for one in value]),
    ("tuple(tuple(one) for one in {})", lambda value: tuple(tuple(one) for one in value)),
    ("sorted({})", sorted),
    ("tuple(sorted({}))", lambda value: tuple(sorted(value))),
)


def adapted(source: str, name: str, outcome: JsonObject) -> str:
    """Return the source with its result brought into the shape that the failed checks expect;
    empty if no simple shape explains every one of them."""
    pairs = _failed_pairs(outcome)
    shape = _shape_of(pairs) if pairs else ""
    return _wrapped(source, name, shape) if shape else ""


def _failed_pairs(outcome: JsonObject) -> list[tuple[Any, Any]]:
    """Return (got, expected) of each failed check; none if one of them is no plain value."""
    pairs: list[tuple[Any, Any]] = []
    for one in map(dict_of, list_of(outcome.get("checks"))):
        if one.get("passed") is True:
            continue
        try:
            pairs.append(
                (ast.literal_eval(str(one["got"])), ast.literal_eval(str(one["expected"])))
            )
        except (KeyError, ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return []
    return pairs


def _shape_of(pairs: Sequence[tuple[Any, Any]]) -> str:
    for shape, convert in (*_SHAPES, *_roundings(pairs)):
        if all(_is_met(convert, *pair) for pair in pairs):
            return shape
    return ""


def _roundings(pairs: Sequence[tuple[Any, Any]]) -> list[tuple[str, Callable[[Any], Any]]]:
    """Round to as many digits as the expected numbers show."""
    if not all(isinstance(one, float) for pair in pairs for one in pair):
        return []
    digits = max(len(repr(expected).partition(".")[2]) for _, expected in pairs)
    if digits > _MOST_DIGITS:
        return []
    return [(f"round({{}}, {digits})", lambda value: round(value, digits))]


def _is_met(convert: Callable[[Any], Any], got: Any, expected: Any) -> bool:
    """An order is only believed of several values: two are in order by chance."""
    if type(got) is type(expected) and isinstance(got, list | tuple):
        is_same_kind = got == expected
        if not is_same_kind and len(expected) < _FEWEST_TO_ORDER:
            return False
    try:
        changed = convert(got)
    except (TypeError, ValueError, OverflowError):
        return False
    return type(changed) is type(expected) and changed == expected


def _wrapped(source: str, name: str, shape: str) -> str:
    """Rename the function, also where it calls itself, and put one of its old name around it."""
    inner = f"{name}_unshaped"
    tree = ast.parse(source)
    found = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == name]
    if len(found) != 1 or found[0].decorator_list or inner in source:
        return ""
    given = found[0].args
    if given.vararg or given.kwarg or given.kwonlyargs:
        return ""
    values = ", ".join(one.arg for one in (*given.posonlyargs, *given.args))
    body = shape.format(f"{inner}({values})")
    returns = f" -> {ast.unparse(found[0].returns)}" if found[0].returns else ""
    renamed = _renamed(source, tree, name, inner).rstrip()
    return f"{renamed}\n\n\ndef {name}({ast.unparse(given)}){returns}:\n    return {body}\n"


def _renamed(source: str, tree: ast.Module, name: str, inner: str) -> str:
    """Text and comments stay as they are. Places are counted in bytes, as ``ast`` does."""
    places = [
        (one.lineno - 1, one.col_offset + (len("def ") if isinstance(one, ast.FunctionDef) else 0))
        for one in ast.walk(tree)
        if (isinstance(one, ast.Name) and one.id == name)
        or (isinstance(one, ast.FunctionDef) and one.name == name)
    ]
    lines = [line.encode() for line in source.split("\n")]
    for row, column in sorted(places, reverse=True):
        line = lines[row]
        if line[column:].startswith(name.encode()):
            lines[row] = line[:column] + inner.encode() + line[column + len(name.encode()) :]
    return b"\n".join(lines).decode()
