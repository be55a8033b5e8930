"""Judging candidates by what they do: against examples, against each other, against promises."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from diono.agents.chance import broken_promise, is_usual
from diono.agents.parsing import fingerprint
from diono.agents.shapes import list_of
from diono.agents.signatures import flags_of, python_call
from diono.agents.spec import Example, FunctionSpec
from diono.agents.values import equal, is_of_type

CONSENSUS = 3
FIRM_ENOUGH = 3
MANY = 3
REFUSED = "(refused)"


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
        if is_last and size > CONSENSUS > verdict.firm:
            # Too few examples to outweigh so many programs; with more of them the examples are
            # right more often, for a small model repeats its mistake in every program.
            return best, f"{size} different programs give the same results, few examples were sure"
        if is_last and verdict.passed >= 3 and verdict.passed * 4 >= verdict.firm * 3:
            return best, f"{verdict.passed} of {verdict.firm} examples agree"
        return None


def judge(function: FunctionSpec, examples: Sequence[Example], probe: dict[str, Any]) -> Verdict:
    """Read what the probe saw and say how good the candidate is."""
    if probe.get("error"):
        return Verdict(problem=f"the code failed: {probe['error']}", is_broken=True)
    results: list[dict[str, Any]] = list(probe.get("results", []))
    firm = [one for one in examples if one.is_firm]
    failures = [_failure(function, *pair) for pair in zip(examples, results, strict=True)]
    problem = next((one for one in failures if one), "")
    plain = tuple(
        REFUSED if failure else one.get("value", REFUSED)
        for one, failure in zip(results, failures, strict=True)
    )
    if sum(map(bool, failures)) * 2 >= max(len(failures), 1):
        problem = problem or "there was no input to run it on"
        return Verdict(problem=problem, results=plain, firm=len(firm), is_broken=True)
    if all(value == REFUSED for value in plain):
        return Verdict(problem="every call was refused", results=plain, is_broken=True)
    if probe.get("is_random"):
        problem = broken_promise(function, examples, results, list_of(probe.get("flags")))
        return Verdict(problem=problem, results=plain, is_random=True)
    idle = _does_nothing(function, examples, plain)
    if idle:
        return Verdict(problem=idle, results=plain, firm=len(firm), is_broken=True)
    wrong = [
        (example, value)
        for example, value in zip(examples, plain, strict=True)
        if example.is_firm and (value == REFUSED or not equal(example.expected, value))
    ]
    worst = max(wrong, key=lambda pair: pair[0].votes, default=None)
    if worst is not None and not problem:
        call = python_call(function, worst[0].arguments)
        shown = "an error" if worst[1] == REFUSED else repr(worst[1])[:120]
        problem = f"{call} gave {shown}, but {worst[0].expected!r} is expected"
    return Verdict(
        problem=problem if worst else "",
        passed=len(firm) - len(wrong),
        firm=len(firm),
        results=plain,
        is_doubtful=worst is not None and worst[0].votes < worst[0].voters,
    )


def _failure(function: FunctionSpec, example: Example, result: dict[str, Any]) -> str:
    """Say how one call went wrong in itself: an exception, or a result of the wrong type."""
    call = python_call(function, example.arguments)
    if "error" in result:
        return f"{call} failed: {result['error']}"
    if "value" in result and not is_of_type(result["value"], function.returns):
        kind = "None" if result["value"] is None else type(result["value"]).__name__
        return f"{call} returned {kind}, not {function.returns}"
    return ""


def _does_nothing(
    function: FunctionSpec, examples: Sequence[Example], results: Sequence[Any]
) -> str:
    pairs = zip(examples, results, strict=True)
    values = [(one.arguments, value) for one, value in pairs if value != REFUSED]
    if len(values) < MANY:
        return ""
    if all(value in arguments for arguments, value in values if value is not None):
        return f"{function.name} gives its input back unchanged"
    distinct = {json.dumps(value, sort_keys=True) for _, value in values}
    if len(distinct) == 1 and function.returns != "bool":
        return f"{function.name} gives the same result for every input"
    return ""


def _rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value


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
    usual = [one for one in calls if is_usual(one)]
    base = list((usual or calls or [[]])[0])
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
