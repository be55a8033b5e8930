"""Values of the planned types: coercion of what a model wrote, and comparison of results."""

import ast
import json
import math
import re
from typing import Any, cast

from diono.agents.spec import FunctionSpec, Parameter, ResultType

_FILE_LIKE = re.compile(r"^[\w./\\-]+\.[A-Za-z0-9]{1,5}$")
RELATIVE, ABSOLUTE = 1e-3, 0.006


def coerce_argument(value: Any, parameter: Parameter) -> tuple[bool, Any]:
    """Return (fits, value) for one argument; a choice is matched in any case."""
    if parameter.type == "str":
        return _coerce_text(value, parameter)
    if parameter.type == "bool":
        return isinstance(value, bool), value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False, None
    if parameter.type == "int":
        return float(value).is_integer(), int(value)
    return math.isfinite(value), float(value)


def _coerce_text(value: Any, parameter: Parameter) -> tuple[bool, Any]:
    if not isinstance(value, str):
        # A document may come as its parsed value: the text of it is meant.
        is_data = parameter.is_file and isinstance(value, list | dict)
        return is_data, json.dumps(value) if is_data else None
    if "json" in parameter.name:
        return _coerce_json(value)
    if parameter.choices:
        found = [one for one in parameter.choices if one.lower() == value.lower()]
        return bool(found), found[0] if found else None
    is_bare_name = parameter.is_file and _FILE_LIKE.match(value) is not None
    return not is_bare_name, value


def _coerce_json(value: str) -> tuple[bool, Any]:
    """A text that shall be JSON is taken as it is, or read as a Python literal and rewritten."""
    for read in (json.loads, ast.literal_eval):
        try:
            data = read(value)
        except (ValueError, SyntaxError, RecursionError):
            continue
        if isinstance(data, list | dict):
            return True, value if read is json.loads else json.dumps(data)
    return False, None


def coerce_arguments(function: FunctionSpec, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return the arguments in the planned types, or None if one does not fit."""
    pairs = [
        coerce_argument(value, parameter)
        for value, parameter in zip(arguments, function.parameters, strict=True)
    ]
    return tuple(value for _, value in pairs) if all(fits for fits, _ in pairs) else None


def is_of_type(value: Any, kind: ResultType) -> bool:
    """Say whether a result is of the planned type; ints count as floats, any numbers in lists."""
    if kind == "str":
        return isinstance(value, str)
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "int":
        is_whole = isinstance(value, float) and value.is_integer()
        return (isinstance(value, int) or is_whole) and not isinstance(value, bool)
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind.startswith("list"):
        return isinstance(value, list)
    return isinstance(value, dict)


def equal(left: Any, right: Any) -> bool:
    """Compare results as people do: numbers nearly, text without case and outer white space."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    if isinstance(left, str) and isinstance(right, str):
        return plain_text(left) == plain_text(right)
    if isinstance(left, list) and isinstance(right, list):
        return _equal_lists(cast(list[Any], left), cast(list[Any], right))
    if isinstance(left, dict) and isinstance(right, dict):
        return _equal_dicts(cast(dict[str, Any], left), cast(dict[str, Any], right))
    return left == right


def _equal_lists(left: list[Any], right: list[Any]) -> bool:
    return len(left) == len(right) and all(map(equal, left, right))


def _equal_dicts(left: dict[str, Any], right: dict[str, Any]) -> bool:
    if left.keys() != right.keys():
        left, right = _plain_keys(left), _plain_keys(right)
    return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)


def _plain_keys(values: dict[str, Any]) -> dict[str, Any]:
    plain = {plain_text(key): value for key, value in values.items()}
    return plain if len(plain) == len(values) else values


def plain_text(value: str) -> str:
    lines = value.replace("\r\n", "\n").strip().split("\n")
    return "\n".join(line.rstrip() for line in lines).casefold()


def format_for_terminal(value: Any) -> str:
    """Write a result as the command-line shell of the blueprint does (skeleton/shell.py)."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format(value, ".10g")
    if isinstance(value, dict):
        pairs = cast(dict[str, Any], value).items()
        return "\n".join(f"{key}: {format_for_terminal(item)}" for key, item in pairs)
    if isinstance(value, list):
        items = cast(list[Any], value)
        is_numbers = all(isinstance(item, int | float) for item in items)
        return (" " if is_numbers else "\n").join(format_for_terminal(item) for item in items)
    return str(value)


def format_for_page(value: Any) -> str:
    """Write a result as the page's form does (skeleton/widgets/form.js)."""
    if isinstance(value, list):
        return ", ".join(format_for_page(item) for item in cast(list[Any], value))
    return format_for_terminal(value)
