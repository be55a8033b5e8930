"""Functions that undo each other speak for each other, where examples of neither were sure.

A candidate whose results its partner's candidate takes back for every input, and which another
program agrees with, is more than several programs that agree: these repeat one model's mistake.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from diono.agents import text
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.candidates import CONSENSUS
from diono.agents.engineer import Failure
from diono.agents.examples import are_inverse
from diono.agents.meter import Run
from diono.agents.port import JsonObject
from diono.agents.properties import PropertyCase, judge_property, task_for
from diono.agents.shapes import list_of
from diono.agents.spec import Built, Example, FunctionSpec
from diono.agents.workspace import run_tool

_MOST_DRAFTS = 3
_LEAST_CALLS = 4
_LEAST_RESULTS = 3


@dataclass(frozen=True)
class Files:
    """Where functions are, by name, and what they are called there."""

    paths: Mapping[str, str]
    is_page: bool

    def code_name(self, function: FunctionSpec) -> str:
        return text.camel(function.name) if self.is_page else function.name


@dataclass(frozen=True)
class _Side:
    function: FunctionSpec
    drafts: tuple[tuple[str, int], ...]
    """Sources, and how many programs behave so."""
    calls: tuple[tuple[Any, ...], ...]


async def rescue(
    run: Run,
    catalog: BlueprintCatalog,
    failures: Sequence[Failure],
    built: Sequence[Built],
    files: Files,
) -> list[Built]:
    """Return what was not built and is proven by its inverse, and that inverse if it failed too."""
    found: dict[str, Built] = {}
    ready = {one.function.name: one for one in built}
    for failure in failures:
        partner = next((one for one in (*built, *failures)
                        if are_inverse(failure.function, one.function)), None)  # fmt: skip
        if partner is None or failure.function.name in found:
            continue
        own, other = _side(failure), _side(partner)
        pair = await _proven(run, catalog, own, other, files)
        pair = pair or await _proven(run, catalog, other, own, files)
        found |= {one.function.name: one for one in pair if one.function.name not in ready}
    return list(found.values())


def _side(one: Failure | Built) -> _Side:
    if isinstance(one, Failure):
        return _Side(one.function, one.drafts[:_MOST_DRAFTS], one.calls)
    calls = tuple(example.arguments for example in one.examples)
    return _Side(one.function, () if one.is_random else ((one.source, CONSENSUS),), calls)


async def _proven(
    run: Run, catalog: BlueprintCatalog, there: _Side, back: _Side, files: Files
) -> tuple[Built, ...]:
    """Try the candidates of both on the calls of the first; empty if no two belong together."""
    case = _case(there, back, files)
    pairs = [
        (one[0], other[0])
        for one, other in product(there.drafts, back.drafts)
        if max(one[1], other[1]) > 1
    ]
    if not pairs or len(case.calls) < _LEAST_CALLS:
        return ()

    async def action() -> JsonObject:
        sandbox = await run.stage.sandbox()
        tool = catalog.tool("property_checks.py")
        seen: list[Any] = []
        for sources in pairs:
            changes = dict(zip((case.path, case.partner_path), sources, strict=True))
            try:
                seen += await run_tool(sandbox, tool, task_for([case], changes))
            except ValueError as error:
                seen.append({"error": f"the run ended early: {error}", "results": []})
        return {"seen": seen}

    name = f"pair {there.function.name} with {back.function.name}"
    result = await run.step(name, action, is_alone=True)
    for (source, partner), seen in zip(pairs, list_of(result["seen"]), strict=True):
        calls = _held(case, seen)
        if calls:
            return (
                _built(there.function, source, calls, back.function.name),
                _built(back.function, partner, [_turned(one) for one in calls],
                       there.function.name),
            )  # fmt: skip
    return ()


_Call = tuple[tuple[Any, ...], Any]


def _turned(call: _Call) -> _Call:
    arguments, result = call
    return (result, *arguments[1:]), arguments[0]


def _case(there: _Side, back: _Side, files: Files) -> PropertyCase:
    return PropertyCase(
        name=f"{there.function.name} and back",
        function=there.function.name,
        path=files.paths[there.function.name],
        rule="there_and_back",
        calls=there.calls,
        returns=there.function.returns,
        call_name=files.code_name(there.function),
        partner=back.function.name,
        partner_path=files.paths[back.function.name],
        partner_call_name=files.code_name(back.function),
    )


def _held(case: PropertyCase, seen: Mapping[str, Any]) -> list[_Call]:
    """Return the calls with their results if all came back and they tell something."""
    if not judge_property(case, seen).passed:
        return []
    results = [one["first"] for one in list_of(seen.get("results"))]
    calls = [
        (call, result["value"])
        for call, result in zip(case.calls, results, strict=False)
        if "value" in result
    ]
    moved = {repr(value) for call, value in calls if value != call[0]}
    is_telling = len(calls) >= _LEAST_CALLS and len(moved) >= _LEAST_RESULTS
    return calls if is_telling else []


def _built(function: FunctionSpec, source: str, calls: Sequence[_Call], partner: str) -> Built:
    proof = f"round trip with {partner}"
    examples = tuple(
        Example(arguments=arguments, expected=value, votes=0, voters=0, source=proof)
        for arguments, value in calls
    )
    return Built(function=function, source=source, examples=examples, proof=proof)
