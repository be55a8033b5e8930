"""The Engineer: writes one function at a time and keeps the candidate that the runs speak for.

Greedy first, then fresh samples that are told what went wrong but never shown the old code.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from diono.agents import candidates as judging
from diono.agents import cleaning, text
from diono.agents.asking import ask
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.meter import Run
from diono.agents.parsing import refusal_of
from diono.agents.port import JsonObject
from diono.agents.product_manager import request_of
from diono.agents.prompting import messages
from diono.agents.signatures import (
    javascript_docstring,
    javascript_signature,
    python_docstring,
    python_signature,
    without_files,
)
from diono.agents.spec import Built, Example, FunctionSpec
from diono.agents.workspace import run_tool
from diono.kernel.events import EventType
from diono.llm.port import ChatRequest

TRIES = 7
TRIES_FOR_EXTRAS = 3
REPEATS_ALLOWED = 3
SAMPLE_TEMPERATURE = 0.8
ANSWER_TOKENS = 600
SHOWN_EXAMPLES = 3


@dataclass(frozen=True)
class Failure:
    """Why a function was not built."""

    function: FunctionSpec
    problem: str
    attempts: int


Voter = Callable[[], Awaitable[tuple[Example, ...]]]


@dataclass(frozen=True)
class Assignment:
    """One function to write, and what it is held against."""

    prompt: str
    function: FunctionSpec
    language: str
    path: str
    examples: tuple[Example, ...]
    tries: int = TRIES
    vote: Voter | None = None
    """Puts the examples to the vote, once the function has shown that chance plays no part."""
    round: str = ""
    allowance: Callable[[], str] | None = None
    """Asked before each further try; says why there is none, or nothing."""

    @property
    def code_name(self) -> str:
        name = self.function.name
        return text.camel(name) if self.language == "javascript" else name


async def write_function(
    run: Run, catalog: BlueprintCatalog, assignment: Assignment, hint: str = ""
) -> Built | Failure:
    """Try until the examples or several programs agree, at most ``tries`` times."""
    field = judging.Field()
    attempt = 0
    while attempt < assignment.tries and field.repeats <= REPEATS_ALLOWED:
        refusal = assignment.allowance() if attempt and assignment.allowance else ""
        if refusal:
            hint = f"{hint}; {refusal}" if hint else refusal
            break
        attempt += 1
        run.meter.attempts += 1
        source, problem, is_over = await _attempt(run, assignment, attempt, hint, field)
        if is_over:
            break
        problem = problem or refusal_of(source, assignment.code_name)
        if not problem and field.is_repeat(source):
            problem = "the answer repeats an earlier one"
        if problem:
            await _report(run, assignment, attempt, problem)
            hint = problem if not problem.startswith("the answer repeats") else hint
            continue
        seen = await _probe(run, catalog, assignment, source, attempt)
        verdict = judging.judge(assignment.function, assignment.examples, seen)
        if assignment.vote is not None and not verdict.is_broken and not verdict.is_random:
            assignment = replace(assignment, examples=await assignment.vote(), vote=None)
            verdict = judging.judge(assignment.function, assignment.examples, seen)
        candidate = judging.Candidate(source, verdict, attempt)
        field.candidates.append(candidate)
        await _report(run, assignment, attempt, verdict.problem, verdict.is_proven)
        hint = "" if verdict.is_doubtful and attempt % 2 == 0 else verdict.problem
        if verdict.is_proven:
            return _built(assignment, candidate, "", attempt)
        settled = field.settled(is_last=False)
        if settled is not None:
            return _built(assignment, settled[0], settled[1], attempt)
    settled = field.settled(is_last=True)
    if settled is not None:
        return _built(assignment, settled[0], settled[1], attempt)
    return Failure(assignment.function, hint or "no usable answer", attempt)


async def check_candidate(
    run: Run, catalog: BlueprintCatalog, assignment: Assignment, source: str
) -> Built | None:
    """Hold one ready source against the examples; None if it does not meet most of them."""
    attempt = assignment.tries + 1
    seen = await _probe(run, catalog, assignment, source, attempt)
    verdict = judging.judge(assignment.function, assignment.examples, seen)
    await _report(run, assignment, attempt, verdict.problem)
    if verdict.is_broken or verdict.passed < 2 or verdict.passed * 4 < verdict.firm * 3:
        return None
    proof = "" if verdict.passed == verdict.firm else "a proven inverse"
    return _built(assignment, judging.Candidate(source, verdict, attempt), proof, attempt)


async def _attempt(
    run: Run, assignment: Assignment, attempt: int, hint: str, field: judging.Field
) -> tuple[str, str, bool]:
    """Return (source, problem, is it time to stop)."""
    request, begun = _request(run, assignment, attempt, hint, field.repeats)
    step = f"write {assignment.function.name}{assignment.round}.{attempt}"
    answer = await ask(run, step, request, assignment.path)
    if answer.problem:
        return "", answer.problem, True
    if assignment.language == "javascript":
        return cleaning.javascript_module(answer.text), "", False
    source = cleaning.python_module(begun, answer.text)
    if not source:
        return "", "the code was cut or is not valid Python", False
    if cleaning.is_only_a_stub(source, assignment.code_name):
        return "", "the function does nothing", False
    return source, "", False


def _shown(examples: Sequence[Example], attempt: int) -> list[Example]:
    """Choose examples for the docstring: the telling ones among the unanimous ones; every second
    try, those with a mere majority too, for they may carry what the sure ones do not show."""
    usable = [
        one for one in examples if one.is_firm and (one.votes == one.voters or attempt % 2 == 0)
    ]
    weighty = [one for one in usable if one.expected not in ("", [], {}, None)]
    return [*weighty, *[one for one in usable if one not in weighty]][:SHOWN_EXAMPLES]


def _request(
    run: Run, assignment: Assignment, attempt: int, hint: str, repeats: int
) -> tuple[ChatRequest, str]:
    function = assignment.function
    shown = _shown(assignment.examples, attempt)
    told = f"An earlier attempt went wrong: {hint}. Avoid that." if hint else ""
    request_text = request_of(assignment.prompt)
    if any(one.is_file for one in function.parameters):
        request_text = without_files(request_text)
    values = {"request": request_text, "hint": told}
    begun = ""
    if assignment.language == "javascript":
        chat = messages(
            "javascript_function",
            signature=javascript_signature(function),
            docstring=javascript_docstring(function, tuple(shown)),
            **values,
        )
    else:
        docstring = python_docstring(function, tuple(shown))
        signature = python_signature(function)
        if run.stage.model.profile.supports_prefill:
            # A comment begun now and then makes the model say its rule first.
            said = "    #" if attempt % 3 == 0 else ""
            begun = f"```python\n{signature}\n    {docstring}\n{said}"
        chat = messages(
            "python_function", begun=begun, signature=signature, docstring=docstring, **values
        )
    request = ChatRequest(
        messages=chat,
        max_tokens=ANSWER_TOKENS,
        temperature=0.0
        if attempt == 1 and not assignment.round
        else min(SAMPLE_TEMPERATURE + 0.1 * repeats, 1.2),
        seed=attempt + (100 if assignment.round else 0),
        stop=("\n```",) if begun else (),
    )
    return request, begun


async def _probe(
    run: Run, catalog: BlueprintCatalog, assignment: Assignment, source: str, attempt: int
) -> JsonObject:
    task = judging.probe_task(
        assignment.function, assignment.language, assignment.code_name, source, assignment.examples
    )
    tool = catalog.tool("probe_functions.py")

    async def action() -> JsonObject:
        sandbox = await run.stage.sandbox()
        try:
            return {"probe": await run_tool(sandbox, tool, task)}
        except ValueError as error:
            return {"probe": {"error": f"the run ended early: {error}"}}

    result = await run.step(f"run {assignment.function.name}{assignment.round}.{attempt}", action)
    probe: JsonObject = result["probe"]
    return probe


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
