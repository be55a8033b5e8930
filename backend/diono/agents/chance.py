"""What a function with chance in it promises: usual calls answered, options obeyed, length kept.

Its values cannot be foretold, but options named after kinds of characters say which of these may
be in a text and which may not.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from diono.agents.options import kind_of, kinds_of
from diono.agents.shapes import is_list, list_of
from diono.agents.signatures import python_call
from diono.agents.spec import Example, FunctionSpec

_CHANCE = re.compile(r"random|generat|shuffl|dice|lottery|password|uuid|secret|chance")
LENGTHS = frozenset({"length", "size", "password_length", "num_characters", "characters"})
_MOST_CALLS = 40
_MOST_OPTIONS = 3


def may_be_chance(function: FunctionSpec) -> bool:
    """Say whether words like "random" make it likely that no vote can foretell the results."""
    return _CHANCE.search(f"{function.name} {function.description}".lower()) is not None


def is_usual(arguments: Sequence[Any]) -> bool:
    """Say whether a call is one that nobody refuses: every number in it is above zero."""
    return all(value > 0 for value in arguments if type(value) in (int, float))


def _length_of(names: Sequence[str]) -> int | None:
    return next((index for index, name in enumerate(names) if name in LENGTHS), None)


def broken_promise(
    function: FunctionSpec,
    examples: Sequence[Example],
    results: Sequence[Mapping[str, Any]],
    flags: Sequence[Mapping[str, Any]],
) -> str:
    """Return what a candidate does not keep; ``flags`` are the characters that were seen in many
    results with each option off and on (workspace/blueprints/harness)."""
    for example, result in zip(examples, results, strict=True):
        if is_usual(example.arguments) and "value" not in result:
            return f"{python_call(function, example.arguments)} was refused, but it is a usual call"
    for seen in flags:
        problem = _idle(function, seen)
        if problem:
            return problem
    names = [one.name for one in function.parameters]
    for example, result in zip(examples, results, strict=True):
        problem = _wrong_length(names, example.arguments, result)
        if problem:
            return f"{python_call(function, example.arguments)} {problem}"
    return ""


def _idle(function: FunctionSpec, seen: Mapping[str, Any]) -> str:
    name = function.parameters[int(seen["index"])].name
    texts = {False: str(seen["off"]), True: str(seen["on"])}
    kind = kind_of(name) if function.returns == "str" else None
    if kind is None:
        return f"the option {name} changes nothing" if texts[True] == texts[False] else ""
    said, pattern, is_with = kind
    stray = pattern.search(texts[not is_with])
    if stray is not None:
        return f"with {name}={not is_with} there are still {said} in the result, such as {stray[0]}"
    return "" if pattern.search(texts[is_with]) else f"with {name}={is_with} there are no {said}"


def _wrong_length(names: Sequence[str], arguments: Sequence[Any], result: Mapping[str, Any]) -> str:
    index, value = _length_of(names), result.get("value")
    if index is None or type(arguments[index]) is not int:
        return ""
    size = len(value) if isinstance(value, str) else len(list_of(value)) if is_list(value) else None
    if size is None or size == arguments[index]:
        return ""
    return f"gave something of length {size}"


# --- the finished program ---


def option_calls(function: FunctionSpec, usual: Sequence[Any]) -> tuple[tuple[Any, ...], ...]:
    """Return calls with every combination of the options, each often enough to see chance."""
    kinds = kinds_of(function)
    positions = [index for index, one in enumerate(function.parameters) if one.name in kinds]
    chosen = positions[:_MOST_OPTIONS]
    ways = list(product((True, False), repeat=len(chosen)))
    calls: list[tuple[Any, ...]] = []
    for way in ways * (_MOST_CALLS // len(ways)):
        values = dict(zip(chosen, way, strict=True))
        calls.append(tuple(values.get(index, value) for index, value in enumerate(usual)))
    return tuple(calls)


def kept_options(
    names: Sequence[str], calls: Sequence[Sequence[Any]], results: Sequence[Mapping[str, Any]]
) -> str:
    """Return which option the results do not keep; ``names`` are those of the parameters."""
    kinds = {index: kind for index, name in enumerate(names) if (kind := kind_of(name))}
    seen: dict[int, str] = {}
    for call, result in zip(calls, results, strict=False):
        problem = _wrong_length(names, call, result)
        if problem:
            return problem
        value = result.get("value")
        if not isinstance(value, str):
            continue
        for index in [one for one in kinds if isinstance(call[one], bool)]:
            said, pattern, is_with = kinds[index]
            if call[index] == is_with:
                seen[index] = seen.get(index, "") + value
            elif pattern.search(value):
                return f"with {names[index]}={call[index]} there are {said} in {value[:60]!r}"
    for index, text in seen.items():
        said, pattern, is_with = kinds[index]
        if not pattern.search(text):
            return f"with {names[index]}={is_with} there are no {said}"
    return ""
