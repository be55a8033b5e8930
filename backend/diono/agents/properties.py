"""Properties: what must hold for many inputs, derived from a signature before any code exists.

Examples say what comes out of one call; these say what comes out of all of them: an answer of the
right type for empty and extreme input, the same answer twice, the way there and back.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from diono.agents import chance
from diono.agents.examples import are_inverse
from diono.agents.options import kinds_of
from diono.agents.port import Check
from diono.agents.shapes import list_of
from diono.agents.signatures import python_call
from diono.agents.spec import Built, FunctionSpec, Parameter, ResultType
from diono.agents.values import equal, is_of_type

Rule = Literal[
    "answers", "same_twice", "there_and_back", "once_is_enough", "twice_is_undone",
    "order_is_free", "not_negative", "multiplies_back", "keeps_options",
]  # fmt: skip
MOST_CALLS = 40
_EDGES: Mapping[str, tuple[Any, ...]] = {
    "str": ("", " ", "a", "Ünïcödé ß", "x" * 2000),
    "int": (0, 1, -1, 2**31),
    "float": (0.0, -1.5, 1e9),
    "bool": (False, True),
}
_USUAL_NUMBERS = (*range(1, 31), 49, 99, 400, 944, 1994)
_USUAL_REALS = (0.0, 1.0, -40.0, 36.6, 100.0, 451.5)
_ONCE = re.compile(
    r"(?:^|_)(?:normali[sz]e|clean|slugify|trim|strip|dedupe|unique|sort|upper|lower)"
)
_TWICE = re.compile(r"(?:^|_)(?:reverse|invert|flip|rot13|swap)(?:_|$)")
_FREE = re.compile(r"(?:^|_)(?:add|sum|multiply|gcd|lcm|distance|hamming)(?:_|$)")
_COUNT = re.compile(r"^(?!.*convert)(?:.*_)?(?:count|length|number_of|distance|size)(?:_|$)")
_PRIME = re.compile(r"prime_factor")
# What a bad value may end in; anything else is a fault of the program.
_REFUSALS = (
    "ValueError", "ZeroDivisionError", "IndexError", "KeyError", "OverflowError", "Error",
    "RangeError",
)  # fmt: skip


@dataclass(frozen=True)
class PropertyCase:
    """``then`` says what the result of each call is held against: a second call with the same
    arguments, the function itself, its ``partner``, or the arguments the other way round."""

    name: str
    function: str
    path: str
    rule: Rule
    calls: tuple[tuple[Any, ...], ...]
    returns: ResultType
    call_name: str = ""
    partner: str = ""
    partner_path: str = ""
    partner_call_name: str = ""
    is_required: bool = True
    parameters: tuple[str, ...] = ()
    """Their names, for the rule that is about options."""

    @property
    def then(self) -> str:
        return {
            "same_twice": "same",
            "there_and_back": "partner",
            "once_is_enough": "self",
            "twice_is_undone": "self",
            "order_is_free": "swapped",
        }.get(self.rule, "")


def edge_calls(function: FunctionSpec, usual: Sequence[Any]) -> tuple[tuple[Any, ...], ...]:
    """Return calls in which one argument at a time is empty or extreme."""
    calls: list[tuple[Any, ...]] = []
    for index, parameter in enumerate(function.parameters):
        for value in _edges_of(parameter):
            call = (*usual[:index], value, *usual[index + 1 :])
            if call not in calls:
                calls.append(call)
    return tuple(calls[:MOST_CALLS])


def _edges_of(parameter: Parameter) -> tuple[Any, ...]:
    if parameter.choices:
        return parameter.choices
    return _EDGES[parameter.type]


def cases_for(
    built: Sequence[Built], paths: Mapping[str, str], call_names: Mapping[str, str]
) -> tuple[PropertyCase, ...]:
    """Return the properties of what was built; ``paths`` are the files by function."""
    cases: list[PropertyCase] = []
    for one in built:
        if one.is_random:
            cases += _by_chance(one, paths, call_names)
        if one.is_random or not one.examples:
            continue
        function, known = one.function, tuple(example.arguments for example in one.examples)
        cases += _of_signature(function, known, paths, call_names)
        partner = next((other for other in built if are_inverse(function, other.function)), None)
        if partner is not None and not partner.is_random:
            cases.append(_there_and_back(function, partner.function, known, paths, call_names))
    return tuple(cases)


def _case(
    function: FunctionSpec, rule: Rule, title: str, calls: Sequence[tuple[Any, ...]],
    paths: Mapping[str, str], call_names: Mapping[str, str],
) -> PropertyCase:  # fmt: skip
    name = call_names[function.name]
    return PropertyCase(
        name=f"{name}: {title}",
        function=function.name,
        path=paths[function.name],
        rule=rule,
        calls=tuple(calls)[:MOST_CALLS],
        returns=function.returns,
        call_name=name,
        is_required=False,
    )


def _of_signature(
    function: FunctionSpec, known: Sequence[tuple[Any, ...]],
    paths: Mapping[str, str], call_names: Mapping[str, str],
) -> list[PropertyCase]:  # fmt: skip
    def case(rule: Rule, title: str, calls: Sequence[tuple[Any, ...]] = known) -> PropertyCase:
        return _case(function, rule, title, calls, paths, call_names)

    edges = edge_calls(function, known[0])
    twice = case("same_twice", "the same input gives the same result")
    # A call that must be answered comes first: refusing everything is no good answer.
    found = [
        case("answers", "empty and extreme input", (known[0], *edges)),
        _required(twice, function),
    ]
    name, kinds = function.name, [one.type for one in function.parameters]
    is_text = kinds == ["str"] and function.returns == "str"
    if is_text and _ONCE.search(name):
        found.append(case("once_is_enough", "doing it twice changes nothing more"))
    if is_text and _TWICE.search(name):
        found.append(case("twice_is_undone", "doing it twice gives the input back"))
    if len(kinds) == 2 and kinds[0] == kinds[1] and _FREE.search(name):
        found.append(case("order_is_free", "the order of the two values is free"))
    if function.returns in ("int", "float") and _COUNT.search(name):
        found.append(case("not_negative", "the result is never below zero", (*known, *edges)))
    if _PRIME.search(name) and kinds == ["int"] and function.returns == "list[int]":
        numbers = [(one,) for one in (2, 12, 13, 97, 100, 360, 1001)]
        product = case("multiplies_back", "the factors multiply back to the number", numbers)
        found.append(_required(product, function))
    return found


def _by_chance(
    built: Built, paths: Mapping[str, str], call_names: Mapping[str, str]
) -> list[PropertyCase]:
    function = built.function
    if not built.examples or not kinds_of(function):
        return []
    calls = chance.option_calls(function, built.examples[0].arguments)
    case = _case(function, "keeps_options", "each option does what it says", calls, paths,
                 call_names)  # fmt: skip
    names = tuple(one.name for one in function.parameters)
    return [_required(replace(case, parameters=names), function)]


def _required(case: PropertyCase, function: FunctionSpec) -> PropertyCase:
    return replace(case, is_required=function.is_required)


def _there_and_back(
    function: FunctionSpec, partner: FunctionSpec, known: Sequence[tuple[Any, ...]],
    paths: Mapping[str, str], call_names: Mapping[str, str],
) -> PropertyCase:  # fmt: skip
    first = function.parameters[0]
    rest = tuple(known[0][1:])
    numbers = {"int": _USUAL_NUMBERS, "float": _USUAL_REALS}.get(first.type, ())
    calls = [*known, *[(number, *rest) for number in numbers]]
    title = f"{call_names[partner.name]} gives the input back"
    case = _case(function, "there_and_back", title, calls, paths, call_names)
    # A document loses its layout on the way; numbers and plain texts come back.
    is_required = function.is_required and partner.is_required and not first.is_file
    return replace(
        case,
        partner=partner.name,
        partner_path=paths[partner.name],
        partner_call_name=call_names[partner.name],
        is_required=is_required,
    )


# --- judging ---


def task_for(cases: Sequence[PropertyCase], changes: Mapping[str, str]) -> dict[str, Any]:
    """Build the input of the checking program (workspace/blueprints/harness)."""
    return {
        "cases": [
            {
                "path": one.path,
                "function": one.call_name or one.function,
                "calls": [list(call) for call in one.calls],
                "then": one.then,
                "partner_path": one.partner_path,
                "partner": one.partner_call_name or one.partner,
            }
            for one in cases
        ],
        "changes": dict(changes),
        "seconds": 2,
    }


def judge_property(case: PropertyCase, seen: Mapping[str, Any]) -> Check:
    """Read what came out of the calls; the first that breaks the rule is the detail."""
    problem, held = str(seen.get("error") or ""), 0
    for call, result in zip(case.calls, list_of(seen.get("results")), strict=False):
        first, second = result.get("first", {}), result.get("second", {})
        found = _broken(case, call, first, second)
        if found:
            problem = problem or f"{_shown(case, call)} {found}"
        elif "value" in first:
            held += 1
    if case.rule == "keeps_options" and not problem:
        results = [result.get("first", {}) for result in list_of(seen.get("results"))]
        problem = chance.kept_options(case.parameters, case.calls, results)
    if not problem and not held:
        problem = "no call was answered"
    return Check(
        name=case.name,
        kind="property",
        passed=not problem,
        detail=problem[:300] or f"holds for {held} of {len(case.calls)} calls",
        is_required=case.is_required,
        depth={"answers": "edge", "there_and_back": "round trip"}.get(case.rule, "property"),
    )


def _shown(case: PropertyCase, call: Sequence[Any]) -> str:
    plain = FunctionSpec(name=case.function, description="", parameters=())
    return python_call(plain, tuple(call))[:120]


def _broken(
    case: PropertyCase, call: tuple[Any, ...], first: Mapping[str, Any], second: Mapping[str, Any]
) -> str:
    if "value" not in first:
        return _fault(str(first.get("error", "")))
    value = first["value"]
    if not is_of_type(value, case.returns):
        return f"returned {value!r}"[:80] + f", which is no {case.returns}"
    if case.rule == "not_negative":
        return f"returned {value!r}" if value < 0 else ""
    if case.rule == "multiplies_back":
        return "" if _multiplies_back(value, call[0]) else f"returned {value!r}"[:120]
    if case.rule in ("answers", "keeps_options"):
        return ""
    wanted = {"there_and_back": call[0], "twice_is_undone": call[0]}.get(case.rule, value)
    if "value" not in second:
        return f"gave {value!r}"[:80] + f", and then {second.get('error') or 'a refusal'}"
    if not equal(wanted, second["value"]):
        return f"gave {value!r}"[:80] + f", and then {second['value']!r}"[:100]
    return ""


def _multiplies_back(factors: Sequence[Any], number: int) -> bool:
    return all(type(one) is int and one > 1 for one in factors) and math.prod(factors) == number


def _fault(error: str) -> str:
    kind = error.removeprefix("JSException: ").partition(":")[0]
    return "" if not error or kind in _REFUSALS else f"failed: {error}"
