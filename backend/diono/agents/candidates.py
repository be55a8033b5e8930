"""Judging candidates by what they do: against examples, against each other, against promises."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from diono.agents.parsing import fingerprint
from diono.agents.signatures import flags_of, python_call
from diono.agents.spec import Example, FunctionSpec
from diono.agents.values import equal, is_of_type

CONSENSUS = 3
FIRM_ENOUGH = 3
REFUSED = "(refused)"
_LENGTHS = frozenset({"length", "size", "password_length", "num_characters", "characters"})


@dataclass(frozen=True)
class Verdict:
    """``problem`` is what went wrong, in a sentence for the next try; empty if nothing did."""

    problem: str
    passed: int = 0
    firm: int = 0
    results: tuple[Any, ...] = ()
    is_random: bool = False
    is_broken: bool = False
    is_doubtful: bool = False
    """The problem rests on an example that was not unanimous."""

    @property
    def is_proven(self) -> bool:
        """Enough independent examples agree, or a random function keeps its promises."""
        return not self.problem and (self.is_random or self.firm >= FIRM_ENOUGH)

    @property
    def behaviour(self) -> str:
        return json.dumps([_rounded(one) for one in self.results], sort_keys=True)


@dataclass
class Candidate:
    source: str
    verdict: Verdict
    attempt: int


@dataclass
class Field:
    """All candidates for one function so far; verbatim repeats do not count twice."""

    candidates: list[Candidate] = field(default_factory=list[Candidate])
    seen: set[str] = field(default_factory=set[str])
    repeats: int = 0

    def is_repeat(self, source: str) -> bool:
        mark = fingerprint(source)
        if mark in self.seen:
            self.repeats += 1
            return True
        self.seen.add(mark)
        return False

    def agreed(self) -> tuple[Candidate, int] | None:
        """Return the best candidate of the largest group that behaves alike, and its size."""
        groups: dict[str, list[Candidate]] = {}
        for one in self.candidates:
            if not one.verdict.is_broken and not one.verdict.is_random:
                groups.setdefault(one.verdict.behaviour, []).append(one)
        if not groups:
            return None
        best = max(groups.values(), key=lambda group: (len(group), group[0].verdict.passed))
        return best[0], len(best)

    def settled(self, is_last: bool) -> tuple[Candidate, str] | None:
        """Return the candidate to accept without full agreement with the examples, and why.

        Three different programs that behave alike outvote a wrong example; on the last try two
        do, if most examples are on their side.
        """
        agreed = self.agreed()
        if agreed is None:
            return None
        best, size = agreed
        verdict = best.verdict
        if size >= 2 and 0 < verdict.firm == verdict.passed:
            return best, f"{size} different programs and {verdict.passed} examples agree"
        majority = verdict.passed * 2 > verdict.firm
        if size >= CONSENSUS and (majority or verdict.firm == 0) and verdict.results:
            return best, f"{size} different programs give the same results"
        if is_last and size >= 2 and verdict.passed >= 2 and majority:
            return best, f"{size} different programs and {verdict.passed} examples agree"
        if is_last and verdict.passed >= 3 and verdict.passed * 4 >= verdict.firm * 3:
            return best, f"{verdict.passed} of {verdict.firm} examples agree"
        return None


def judge(function: FunctionSpec, examples: Sequence[Example], probe: dict[str, Any]) -> Verdict:
    """Read what the probe saw and say how good the candidate is."""
    if probe.get("error"):
        return Verdict(problem=f"the code failed: {probe['error']}", is_broken=True)
    results: list[dict[str, Any]] = list(probe.get("results", []))
    firm = [one for one in examples if one.is_firm]
    broken = _first_broken(function, examples, results)
    plain = tuple(one.get("value", REFUSED) for one in results)
    if broken:
        return Verdict(problem=broken, results=plain, firm=len(firm), is_broken=True)
    if probe.get("is_random"):
        problem = _broken_promise(function, examples, results, list(probe.get("idle_flags", [])))
        return Verdict(problem=problem, results=plain, is_random=True)
    wrong = [
        (example, result)
        for example, result in zip(examples, results, strict=True)
        if example.is_firm and not _agrees(example, result)
    ]
    problem, is_doubtful = "", False
    if wrong:
        example, result = max(wrong, key=lambda pair: pair[0].votes)
        is_doubtful = example.votes < example.voters
        call = python_call(function, example.arguments)
        problem = f"{call} gave {_shown(result)}, but {example.expected!r} is expected"
    return Verdict(
        problem=problem,
        passed=len(firm) - len(wrong),
        firm=len(firm),
        results=plain,
        is_doubtful=is_doubtful,
    )


def _first_broken(
    function: FunctionSpec, examples: Sequence[Example], results: list[dict[str, Any]]
) -> str:
    for example, result in zip(examples, results, strict=True):
        call = python_call(function, example.arguments)
        if "error" in result:
            return f"{call} failed: {result['error']}"
        if "value" in result and not is_of_type(result["value"], function.returns):
            kind = "None" if result["value"] is None else type(result["value"]).__name__
            return f"{call} returned {kind}, not {function.returns}"
    if results and all("refused" in result for result in results):
        return f"every call was refused: {results[0]['refused']}"
    return ""


def _broken_promise(
    function: FunctionSpec,
    examples: Sequence[Example],
    results: list[dict[str, Any]],
    idle: list[int],
) -> str:
    """What any function with chance in it promises: its options matter, its length is kept."""
    if idle:
        names = ", ".join(function.parameters[index].name for index in idle)
        return f"these options change nothing: {names}"
    for index, parameter in enumerate(function.parameters):
        if parameter.type != "int" or parameter.name not in _LENGTHS:
            continue
        for example, result in zip(examples, results, strict=True):
            value = result.get("value")
            if isinstance(value, str | list) and len(value) != example.arguments[index]:  # pyright: ignore
                call = python_call(function, example.arguments)
                return f"{call} gave something of the wrong length"
    return ""


def _rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value


def _agrees(example: Example, result: dict[str, Any]) -> bool:
    return "value" in result and equal(example.expected, result["value"])


def _shown(result: dict[str, Any]) -> str:
    return repr(result["value"])[:120] if "value" in result else f"an error ({result['refused']})"


def settle_examples(
    examples: Sequence[Example], results: Sequence[Any], proof: str
) -> tuple[Example, ...]:
    """Keep what the accepted candidate and the votes agree on; where programs agreed against or
    without a vote, their result is what is expected, and the example says so."""
    kept: list[Example] = []
    for example, value in zip(examples, results, strict=True):
        if value == REFUSED:
            continue
        if example.is_firm and equal(example.expected, value):
            kept.append(example.model_copy(update={"expected": value}))
        elif proof:
            kept.append(
                example.model_copy(
                    update={"expected": value, "votes": 0, "voters": 0, "source": proof}
                )
            )
    return tuple(kept)


def probe_task(
    function: FunctionSpec, language: str, name: str, source: str, examples: Sequence[Example]
) -> dict[str, Any]:
    """Build the input of the probing program (workspace/blueprints/harness)."""
    calls = [list(one.arguments) for one in examples]
    flags = flags_of(function.parameters)
    base = list(calls[0]) if calls else []
    for index in flags:
        # Chance is probed with every option on: with all of them off there may be no answer.
        base = [True if position == index else value for position, value in enumerate(base)]
    return {
        "language": language,
        "source": source,
        "function": name,
        "calls": calls,
        "base": base,
        "flags": flags,
        "seconds": 2,
    }
