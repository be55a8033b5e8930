"""Conversions between units: which of them a request names, and what they give by definition."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from diono.agents import text
from diono.agents.known import measures
from diono.agents.known.answer import Known, sure
from diono.agents.signatures import (
    description_of,
    ends_of,
    javascript_signature,
    python_signature,
)
from diono.agents.spec import FunctionSpec, Parameter

AUTHORITY = "the definitions of the units (pint)"
_NUMBERS = ("int", "float")
_SOURCE = re.compile(r"^(?:from|source|input|old)(?:_|$)")
_TARGET = re.compile(r"^(?:to|target|output|new)(?:_|$)")
_MUTUAL = re.compile(
    r"\b(?:between|among|vice versa|and back|each other|both (?:ways|directions))\b", re.IGNORECASE
)
_ANY_MEASURE = re.compile(r"\b(?:units?|measures?|measurements?)\b", re.IGNORECASE)
_EVERYDAY = ("length", "mass", "temperature")
_MOST_PAIRED = 3
_LEAST_EXAMPLES = 3
_VALUES = (1, 0, 10, 2.5, 1000)
_TEMPERATURES = (100, 0, -40, 37, 25.5)
_ABSOLUTE = (300, 0, 373.15, 250.5, 25)
_TELLING = 0.5
"""Below it, results are too near to those of a wrong factor."""


@dataclass(frozen=True)
class _Conversion:
    """``units`` are pint's names: of a pair the two ends, of choices all, as in ``choices``."""

    kind: str
    units: tuple[str, ...]
    choices: tuple[str, ...] = ()


def _read(function: FunctionSpec) -> _Conversion | None:
    """Return what a function converts, if its signature says so and its units are known."""
    if not is_possible(function):
        return None
    if ends := _ends(function):
        found = measures.units_of(ends)
        return _Conversion(*found) if found and len(set(found[1])) > 1 else None
    slots = _slots(function)
    choices = slots[1].choices if slots else ()
    if slots is None or not choices or slots[2].choices != choices:
        return None
    found = measures.units_of(choices)
    return _Conversion(*found, choices) if found else None


def is_possible(function: FunctionSpec) -> bool:
    """Say whether the signature is one of a conversion, whatever the units: this loads nothing."""
    is_number = function.returns in _NUMBERS
    return is_number and (_ends(function) is not None or _slots(function) is not None)


def _ends(function: FunctionSpec) -> tuple[str, str] | None:
    is_one = len(function.parameters) == 1 and function.parameters[0].type in _NUMBERS
    return ends_of(function.name) if is_one else None


def _slots(function: FunctionSpec) -> tuple[Parameter, Parameter, Parameter] | None:
    """Return the parameters for the value and both units of a function that has just these."""
    value = [one for one in function.parameters if one.type in _NUMBERS]
    texts = [one for one in function.parameters if one.type == "str"]
    source = [one for one in texts if _SOURCE.search(one.name)]
    target = [one for one in texts if _TARGET.search(one.name)]
    if not (len(function.parameters) == 3 and len(value) == len(source) == len(target) == 1):
        return None
    return value[0], source[0], target[0]


# --- the plan ---


def settle(functions: Sequence[FunctionSpec], request: str) -> tuple[FunctionSpec, ...]:
    """Return the functions with the units that the request names: a function that is open for any
    gets these as choices, and of functions for one way each, the missing ways are added. Blocks
    unless the units are loaded; needless where no function is possible."""
    named = measures.named_units(text.words(request))
    settled: list[FunctionSpec] = []
    for one in functions:
        settled += _with_units(one, named, request) if _slots(one) else (one,)
    for kind, words in named.items():
        settled = _with_all_ways(settled, kind, words, request)
    unique = {one.name: one for one in reversed(settled)}
    return tuple(one for one in settled if unique.pop(one.name, None))


def _with_units(
    function: FunctionSpec, named: dict[str, list[str]], request: str
) -> tuple[FunctionSpec, ...]:
    kinds = [kind for kind, words in named.items() if len(words) > 1]
    if kinds:
        return (_with_choices(function, tuple(named[kinds[0]])),)
    spoken = text.words(f"{request} {function.name.replace('_', ' ')}")
    kind = next((measures.KIND_WORDS[one] for one in spoken if one in measures.KIND_WORDS), "")
    if kind:
        return (_with_choices(function, measures.COMMON[kind]),)
    if not _ANY_MEASURE.search(request):
        return (function,)
    return tuple(
        _with_choices(function, measures.COMMON[kind]).model_copy(
            update={
                "name": f"convert_{kind}",
                "description": f"Convert a {kind} from one unit to another.",
            }
        )
        for kind in _EVERYDAY
    )


def _with_choices(function: FunctionSpec, choices: tuple[str, ...]) -> FunctionSpec:
    parameters = tuple(
        one.model_copy(update={"choices": choices}) if one.type == "str" else one
        for one in function.parameters
    )
    return function.model_copy(update={"parameters": parameters})


def _with_all_ways(
    functions: list[FunctionSpec], kind: str, words: Sequence[str], request: str
) -> list[FunctionSpec]:
    """Add a function for each way between the named units that the plan has forgotten."""
    pairs = {
        conversion.units: one
        for one in functions
        if (conversion := _read(one)) and not conversion.choices and conversion.kind == kind
    }
    units = measures.units_of(words)
    is_mutual = len(words) > 2 or _MUTUAL.search(request)
    if not pairs or units is None or not 1 < len(words) <= _MOST_PAIRED or not is_mutual:
        return functions
    model = next(iter(pairs.values()))
    spelled = dict(zip(units[1], words, strict=True))
    missing = [ends for ends in permutations(units[1], 2) if ends not in pairs]
    return [*functions, *(_way(model, spelled[a], spelled[b]) for a, b in missing)]


def _way(model: FunctionSpec, source: str, target: str) -> FunctionSpec:
    name = f"{'convert_' if model.name.startswith('convert') else ''}{source}_to_{target}"
    value = model.parameters[0].model_copy(update={"name": source})
    return FunctionSpec(
        name=name,
        description=f"Convert {source.capitalize()} to {target.capitalize()}.",
        parameters=(value,),
        returns=model.returns,
    )


# --- the answers ---


def known(function: FunctionSpec, language: str) -> Known | None:
    """Return examples and a generated module, or None if the function is no such conversion."""
    conversion = _read(function)
    if conversion is None:
        return None
    pairs = [
        (_arguments(function, conversion, value, source, target), expected)
        for value, source, target in _calls(conversion)
        if _can_be(_number_of(function), value)
        and _can_be(function.returns, expected := measures.converted(value, source, target))
    ]
    if len(pairs) < _LEAST_EXAMPLES:
        return None
    write = _javascript if language == "javascript" else _python
    return Known(sure(pairs, AUTHORITY), write(function, conversion), AUTHORITY)


def _calls(conversion: _Conversion) -> list[tuple[float, str, str]]:
    units = conversion.units
    if not conversion.choices:
        return [(value, units[0], units[1]) for value in _values(conversion, units[0])]
    ways = [*zip(units, units[1:] + units[:1], strict=True)]
    ways = list(dict.fromkeys([*ways, *((target, source) for source, target in ways)]))
    calls: list[tuple[float, str, str]] = []
    for index, (source, target) in enumerate(ways):
        values = [one for one in _values(conversion, source) if one]
        value = values[index % len(values)]
        while abs(measures.converted(value, source, target)) < _TELLING:
            value *= 1000
        calls.append((value, source, target))
    return calls


def _values(conversion: _Conversion, source: str) -> Sequence[float]:
    if conversion.kind != "temperature":
        return _VALUES
    return _ABSOLUTE if source == "kelvin" else _TEMPERATURES


def _number_of(function: FunctionSpec) -> str:
    return next(one.type for one in function.parameters if one.type in _NUMBERS)


def _can_be(kind: str, value: float) -> bool:
    return kind == "float" or float(value).is_integer()


def _arguments(
    function: FunctionSpec, conversion: _Conversion, value: float, source: str, target: str
) -> tuple[object, ...]:
    spelled = dict(zip(conversion.units, conversion.choices, strict=False))
    slots = _slots(function)
    by_name = {slots[1].name: spelled[source], slots[2].name: spelled[target]} if slots else {}
    kinds = {"int": int, "float": float}
    return tuple(
        by_name[one.name] if one.name in by_name else kinds[one.type](value)
        for one in function.parameters
    )


def _python(function: FunctionSpec, conversion: _Conversion) -> str:
    head = f'{python_signature(function)}\n    """{description_of(function)}"""\n'
    slots = _slots(function)
    if slots is None:
        result = _whole(function, "round", _line(function.parameters[0].name, conversion))
        return f'"""Generated from {AUTHORITY}."""\n\n\n{head}    return {result}\n'
    value, source, target = (one.name for one in slots)
    rows = "".join(f"    {name!r}: {line},\n" for name, line in _table(conversion))
    result = _whole(function, "round", "(base - offset) / factor")
    return (
        f'"""Generated from {AUTHORITY}."""\n\n'
        f"# Factor and offset: what makes a value of the unit one of the first unit.\n"
        f"UNITS = {{\n{rows}}}\n\n\n{head}"
        f"    factor, offset = UNITS[{source}]\n    base = {value} * factor + offset\n"
        f"    factor, offset = UNITS[{target}]\n    return {result}\n"
    )


def _javascript(function: FunctionSpec, conversion: _Conversion) -> str:
    head = f"// Generated from {AUTHORITY}.\n"
    slots = _slots(function)
    if slots is None:
        value = text.camel(function.parameters[0].name)
        result = _whole(function, "Math.round", _line(value, conversion))
        return f"{head}{javascript_signature(function)}\n  return {result};\n}}\n"
    value, source, target = (text.camel(one.name) for one in slots)
    rows = "".join(f"    {json.dumps(name)}: {list(line)},\n" for name, line in _table(conversion))
    result = _whole(function, "Math.round", "(base - to[1]) / to[0]")
    return (
        f"{head}{javascript_signature(function)}\n"
        f"  // Factor and offset: what makes a value of the unit one of the first unit.\n"
        f"  const units = {{\n{rows}  }};\n"
        f"  const from = units[{source}];\n  const to = units[{target}];\n"
        f'  if (!from || !to) throw new RangeError("the unit is not known");\n'
        f"  const base = {value} * from[0] + from[1];\n  return {result};\n}}\n"
    )


def _whole(function: FunctionSpec, rounding: str, result: str) -> str:
    return f"{rounding}({result})" if function.returns == "int" else result


def _line(value: str, conversion: _Conversion) -> str:
    source, target = conversion.units
    factor, offset = measures.line_to_base(source, target)
    product = value if factor == 1 else f"{value} * {factor!r}"
    if not offset:
        return product
    return f"{product} {'-' if offset < 0 else '+'} {abs(offset)!r}"


def _table(conversion: _Conversion) -> list[tuple[str, tuple[float, float]]]:
    base = conversion.units[0]
    pairs = zip(conversion.choices, conversion.units, strict=True)
    return [(name, measures.line_to_base(unit, base)) for name, unit in pairs]


def summary_of(functions: Sequence[FunctionSpec]) -> str:
    """Return what a converter of several kinds of measures does; empty for anything else."""
    found = [_read(one) for one in functions]
    kinds = [text.plural(one.kind) for one in found if one is not None and one.choices]
    if len(kinds) < 2 or len(kinds) < len(functions):
        return ""
    return f"Converts {', '.join(kinds[:-1])} and {kinds[-1]} between common units."
