"""The Engineer: writes one function at a time and keeps the candidate that the runs speak for.

Greedy first, then fresh samples that are told what went wrong but never shown the old code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field

from diono.agents import candidates as judging
from diono.agents import text
from diono.agents.asking import Ask, ask_together
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.drafting import TRIES, Assignment, Draft, Voter, probing, request_for, source_of
from diono.agents.meter import Run
from diono.agents.parsing import refusal_of
from diono.agents.port import JsonObject
from diono.agents.spec import Built, FunctionSpec
from diono.kernel.events import EventType

__all__ = ["TRIES", "Assignment", "Failure", "Voter", "check_candidate", "write_function"]

TRIES_FOR_EXTRAS = 3
REPEATS_ALLOWED = 3
MOST_PROBLEM = 300


@dataclass(frozen=True)
class Failure:
    """Why a function was not built."""

    function: FunctionSpec
    problem: str
    attempts: int


async def write_function(
    run: Run, catalog: BlueprintCatalog, assignment: Assignment, hint: str = ""
) -> Built | Failure:
    """Try until the examples or several programs agree, at most ``tries`` times. Where all tries
    fail and the function is known by definition, it is generated, and held against the same."""
    result = await _Writing(run, catalog, assignment, hint).result()
    known = assignment.known
    if isinstance(result, Failure) and known is not None and known.source:
        candidate = await _tried(run, catalog, assignment, known.source)
        if not candidate.verdict.problem:
            built = _built(assignment, candidate, "", candidate.attempt)
            note = f"generated from {known.authority}; {built.proof}"
            return built.model_copy(update={"proof": note})
    return result


@dataclass
class _Writing:
    """One function being written: one greedy candidate; if that fails, rounds of fresh ones, side
    by side where the model can answer so."""

    run: Run
    catalog: BlueprintCatalog
    assignment: Assignment
    hint: str
    field: judging.Field = dataclass_field(default_factory=judging.Field)
    attempts: int = 0
    is_over: bool = False
    is_crowded: bool = False
    """There is no room for sandboxes beside the project's."""

    async def result(self) -> Built | Failure:
        while numbers := self._numbers():
            drafts = await self._drafts(numbers)
            for draft, seen in zip(drafts, await self._seen(drafts), strict=True):
                built = await self._judged(draft, seen)
                if built is not None:
                    return built
        assignment = self.assignment
        return self._settled(is_last=True) or Failure(
            assignment.function,
            self.hint or "no usable answer",
            self.attempts,
        )

    def _numbers(self) -> list[int]:
        """Number the next round's candidates; there are none once it is time to stop."""
        if self.is_over or self.field.repeats > REPEATS_ALLOWED:
            return []
        assignment = self.assignment
        most = assignment.at_once if self.attempts else 1
        numbers: list[int] = []
        for _ in range(min(most, assignment.tries - self.attempts)):
            may = assignment.allowance
            refusal = may() if may is not None and self.attempts else ""
            if refusal:
                self.hint = f"{self.hint}; {refusal}" if self.hint else refusal
                self.is_over = True
                break
            self.attempts += 1
            self.run.meter.attempts += 1
            numbers.append(self.attempts)
        return numbers

    async def _drafts(self, numbers: Sequence[int]) -> list[Draft]:
        """Ask for candidates and return those that are worth a run."""
        run, assignment = self.run, self.assignment
        asked = [request_for(run, assignment, n, self.hint, self.field.repeats) for n in numbers]
        step = f"write {assignment.function.name}{assignment.round}"
        asks = [
            Ask(f"{step}.{number}", request, assignment.path)
            for number, (request, _) in zip(numbers, asked, strict=True)
        ]
        answers = await ask_together(run, asks)
        drafts: list[Draft] = []
        for number, (_, begun), answer in zip(numbers, asked, answers, strict=True):
            if answer.problem:
                self.hint = self.hint or answer.problem
                self.is_over = True
                continue
            source, problem = source_of(assignment, begun, answer.text)
            problem = problem or refusal_of(source, assignment.code_name)
            if problem:
                self.hint = problem
            elif self.field.is_repeat(source):
                problem = "the answer repeats an earlier one"
            if problem:
                await _report(run, assignment, number, problem)
            else:
                drafts.append(Draft(number, source))
        return drafts

    async def _seen(self, drafts: Sequence[Draft]) -> list[JsonObject]:
        """Run the drafts, side by side in sandboxes of their own."""
        if not drafts:
            return []
        is_alone = len(drafts) == 1 or self.is_crowded
        branches = [
            probing(self.run, self.catalog, self.assignment, draft, 0 if is_alone else slot)
            for slot, draft in enumerate(drafts, 1)
        ]
        results = await self.run.together(branches)
        self.is_crowded = self.is_crowded or any(one.get("is_crowded") for one in results)
        return [one["probe"] for one in results]

    async def _judged(self, draft: Draft, seen: JsonObject) -> Built | None:
        """Return the accepted candidate, if this one settles it."""
        function, assignment = self.assignment.function, self.assignment
        verdict = judging.judge(function, assignment.examples, seen)
        if assignment.vote is not None and not verdict.is_broken and not verdict.is_random:
            voted = await assignment.vote()
            self.assignment = assignment = replace(assignment, examples=voted, vote=None)
            verdict = judging.judge(function, voted, seen)
        candidate = judging.Candidate(draft.source, verdict, draft.number)
        self.field.candidates.append(candidate)
        # Code can put anything of any length into its errors and results.
        problem = text.one_line(verdict.problem, MOST_PROBLEM)
        await _report(self.run, assignment, draft.number, problem, verdict.is_proven)
        self.hint = "" if verdict.is_doubtful and draft.number % 2 == 0 else problem
        if verdict.is_proven:
            return _built(assignment, candidate, "", self.attempts)
        return self._settled(is_last=False)

    def _settled(self, is_last: bool) -> Built | None:
        """Return what several programs agree on, unless a definition says what is right."""
        settled = self.field.settled(is_last) if self.assignment.known is None else None
        return _built(self.assignment, *settled, self.attempts) if settled is not None else None


async def check_candidate(
    run: Run, catalog: BlueprintCatalog, assignment: Assignment, source: str
) -> Built | None:
    """Hold one ready source against the examples; None if it does not meet most of them."""
    candidate = await _tried(run, catalog, assignment, source)
    verdict = candidate.verdict
    if verdict.is_broken or verdict.passed < 2 or verdict.passed * 4 < verdict.firm * 3:
        return None
    proof = "" if verdict.passed == verdict.firm else "a proven inverse"
    return _built(assignment, candidate, proof, candidate.attempt)


async def _tried(
    run: Run, catalog: BlueprintCatalog, assignment: Assignment, source: str
) -> judging.Candidate:
    """Run a source that no model was asked for, after all that it was asked for."""
    attempt = assignment.tries + 1
    step, action = probing(run, catalog, assignment, Draft(attempt, source), 0)
    seen: JsonObject = (await run.step(step, action))["probe"]
    verdict = judging.judge(assignment.function, assignment.examples, seen)
    await _report(run, assignment, attempt, verdict.problem)
    return judging.Candidate(source, verdict, attempt)


async def _report(
    run: Run, assignment: Assignment, attempt: int, problem: str, is_proven: bool = True
) -> None:
    unclear = "it runs, but too few examples are sure; another program has to agree"
    await run.say(
        EventType.CHECK,
        name=f"{assignment.function.name}, candidate {attempt}",
        kind="unit",
        passed=False if problem else is_proven or None,
        detail=problem or ("gives the expected results" if is_proven else unclear),
        candidate=attempt,
        is_required=False,
    )


def _built(
    assignment: Assignment, candidate: judging.Candidate, proof: str, attempts: int
) -> Built:
    verdict = candidate.verdict
    examples = (
        assignment.examples
        if verdict.is_random
        else judging.settle_examples(assignment.examples, verdict.results, proof)
    )
    reason = proof or f"{verdict.passed} of {verdict.firm} examples"
    return Built(
        function=assignment.function,
        source=candidate.source,
        examples=examples,
        is_random=verdict.is_random,
        proof="keeps its promises over many runs" if verdict.is_random else reason,
        attempts=attempts,
    )
