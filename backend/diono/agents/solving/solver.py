"""Solving one function: greedy first, then fresh tries, until a run in the sandbox speaks for one.

Everything that touches the model or the sandbox is a recorded step, so a killed run goes on where
it was.
"""

from dataclasses import dataclass, field, replace

from diono.agents.asking import ask
from diono.agents.candidates import Candidate, Field
from diono.agents.cleaning import is_only_a_stub, python_module
from diono.agents.meter import Meter, Run
from diono.agents.parsing import refusal_of
from diono.agents.solving.adapting import adapted
from diono.agents.solving.checks import Gate, gate_of
from diono.agents.solving.mending import mended
from diono.agents.solving.problem import Problem
from diono.agents.solving.requests import request_for
from diono.agents.solving.trials import Trial, passed_of, run_trial, verdict_of
from diono.kernel.events import EventType

TRIES = 14
OPINIONS = 2
# Two to three plain answers of a small model, or ten short functions.
TOKENS = 700
# So many candidates show what the model keeps missing; then small edits are looked for.
EDITED_AFTER = 5
EDITED_PROOF = ", after a small edit"
# After so many failures an example is often met by chance.
EARLY = 2
REPEATS_ALLOWED = 6


@dataclass(frozen=True)
class Solution:
    """``proof`` says what speaks for the source; empty: nothing does, and ``problem`` says why."""

    source: str
    gate: Gate
    attempts: int
    proof: str = ""
    problem: str = ""
    seen: tuple[bool, ...] = ()
    others: tuple[str, ...] = ()
    """What each call of the gate gave, as text; REFUSED where it raised an error."""

    def passed_checks(self) -> tuple[bool, ...]:
        """Say for each check of the gate whether the source passed it."""
        return self.seen or (False,) * len(self.gate.checks)


@dataclass
class _Hunt:
    """The tries so far."""

    problem: Problem
    gate: Gate
    pool: Field
    meter: Meter
    tokens_before: int
    hint: str = ""
    seen: dict[int, tuple[bool, ...]] = field(default_factory=dict[int, tuple[bool, ...]])
    """Which checks the candidate of each attempt passed."""

    @property
    def passing(self) -> list[Candidate]:
        return [one for one in self.pool.candidates if not one.verdict.problem]

    def wants_more(self, attempts: int) -> bool:
        """Whether another try may still tell something about those that pass."""
        passing = self.passing
        if passing and not self.gate.is_own:
            return attempts - passing[0].attempt < OPINIONS
        return self.meter.tokens_out - self.tokens_before < TOKENS


async def solve_problem(run: Run, problem: Problem, tries: int = TRIES) -> Solution:
    """Try until a candidate passes, at most ``tries`` times.

    Where the checks are easily passed by chance, another program has to agree.
    """
    before = run.meter.tokens_out
    hunt = _Hunt(problem, await gate_of(run, problem), Field(), run.meter, before)
    attempt = 0
    while attempt < tries and hunt.pool.repeats <= REPEATS_ALLOWED and hunt.wants_more(attempt):
        attempt += 1
        run.meter.attempts += 1
        source, trouble, is_over = await _written(run, hunt, attempt)
        if is_over:
            hunt.hint = trouble
            break
        if trouble:
            await _report(run, hunt, attempt, trouble)
        else:
            candidate = await _tried(run, hunt, source, attempt)
            await _report(run, hunt, attempt, candidate.verdict.problem)
        found = _settled(hunt, source if trouble else "", is_last=False)
        if found is None and attempt == EDITED_AFTER:
            found = await _mended(run, hunt, attempt)
        if found is not None:
            return _solution(hunt, found[0], attempt, found[1])
    found = await _mended(run, hunt, attempt)
    return _best(hunt, attempt) if found is None else _solution(hunt, found[0], attempt, found[1])


async def _mended(run: Run, hunt: _Hunt, attempt: int) -> tuple[Candidate, str] | None:
    """Look for a small edit that helps. An example that is easily met by chance does not do."""
    name, failed = hunt.problem.name, [one for one in hunt.pool.candidates if one.verdict.results]
    if hunt.passing or hunt.gate.is_own or not hunt.gate.is_telling or not failed:
        return None
    step = f"edit {name}.{attempt}"
    found = await mended(run, hunt.problem, hunt.gate, failed, step)
    if found is None:
        return None
    hunt.seen[found.attempt] = (True,) * len(hunt.gate.checks)
    return found, f"{found.verdict.passed} of {found.verdict.firm} given examples{EDITED_PROOF}"


async def _written(run: Run, hunt: _Hunt, attempt: int) -> tuple[str, str, bool]:
    """Return (source, what is wrong with it, whether to stop)."""
    can_begin = run.stage.fit.supports_prefill
    name = hunt.problem.name
    asked = request_for(hunt.problem, attempt, hunt.hint, hunt.pool.repeats, can_begin)
    answer = await ask(run, f"write {name}.{attempt}", asked.request, "solution.py")
    if answer.problem:
        return "", answer.problem, True
    source = python_module(asked.begun, answer.text)
    if not source:
        return "", "the code was cut or is not valid Python", False
    trouble = refusal_of(source, name)
    if not trouble and is_only_a_stub(source, name):
        trouble = "the function does nothing"
    if not trouble and hunt.pool.is_repeat(source):
        trouble = "the answer repeats an earlier one"
    return source, trouble, False


async def _tried(run: Run, hunt: _Hunt, source: str, attempt: int) -> Candidate:
    gate, name = hunt.gate, hunt.problem.name
    trial = Trial(source, gate.checks, gate.calls, hunt.problem.preamble)
    outcome = await run_trial(run, f"run {name}.{attempt}", trial)
    verdict = verdict_of(trial, outcome, gate.firm, name)
    shaped = "" if gate.is_own or not verdict.problem else adapted(source, name, outcome)
    if shaped:
        again = replace(trial, source=shaped)
        told = await run_trial(run, f"run {name}.{attempt} in another shape", again)
        better = verdict_of(again, told, gate.firm, name)
        if not better.problem:
            source, outcome, verdict = shaped, told, better
    candidate = Candidate(source, verdict, attempt)
    hunt.pool.candidates.append(candidate)
    hunt.seen[attempt] = tuple(passed_of(outcome))
    hunt.hint = "" if hunt.passing else candidate.verdict.problem
    return candidate


def _settled(hunt: _Hunt, repeated: str, *, is_last: bool) -> tuple[Candidate, str] | None:
    """Return the candidate to accept and what speaks for it, once that is enough."""
    if hunt.gate.is_own:
        found = hunt.pool.settled(is_last=is_last)
        # Programs that agree, and not one check that they pass: that is no proof.
        return found if found is not None and found[0].verdict.passed else None
    if not hunt.passing:
        return None
    first = hunt.passing[0]
    given = f"{first.verdict.passed} of {first.verdict.firm} given examples"
    if hunt.gate.is_telling and first.attempt <= EARLY:
        return first, given
    again = next((one for one in hunt.passing if one.source == repeated), None)
    if again is not None:
        return again, f"{given}, written twice"
    among = Field(hunt.passing)
    settled = among.settled(is_last=False)
    agreed = among.agreed()
    if settled is None and is_last and agreed is not None:
        return agreed[0], given
    return settled


def _best(hunt: _Hunt, attempts: int) -> Solution:
    """Without a proof the candidate with the most passed checks is shown, as unproven."""
    found = _settled(hunt, "", is_last=True)
    if found is not None:
        return _solution(hunt, found[0], attempts, found[1])
    best = max(
        hunt.pool.candidates,
        key=lambda one: (not one.verdict.is_broken, one.verdict.passed, -one.attempt),
        default=None,
    )
    if best is None:
        return Solution("", hunt.gate, attempts, problem=hunt.hint or "no usable answer")
    problem = hunt.hint or "no check could be agreed on"
    return replace(_solution(hunt, best, attempts, ""), problem=problem)


def _solution(hunt: _Hunt, candidate: Candidate, attempts: int, proof: str) -> Solution:
    seen = hunt.seen.get(candidate.attempt, ())
    others = tuple(map(str, candidate.verdict.results[len(hunt.gate.checks) :]))
    return Solution(candidate.source, hunt.gate, attempts, proof, seen=seen, others=others)


async def _report(run: Run, hunt: _Hunt, attempt: int, problem: str) -> None:
    await run.say(
        EventType.CHECK,
        name=f"{hunt.problem.name}, candidate {attempt}",
        kind="unit",
        passed=not problem if problem or not hunt.gate.is_own else None,
        detail=problem or "gives the expected results",
        candidate=attempt,
        is_required=False,
    )
