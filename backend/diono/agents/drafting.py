"""Drafts of one function: what the model is asked, what its answer is, and how that is run."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from diono.agents import candidates as judging
from diono.agents import cleaning, text
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.known.answer import Known
from diono.agents.meter import Run
from diono.agents.port import Action, JsonObject
from diono.agents.product_manager import request_of
from diono.agents.prompting import messages
from diono.agents.signatures import (
    javascript_docstring,
    javascript_signature,
    python_docstring,
    python_signature,
    without_files,
)
from diono.agents.spec import Example, FunctionSpec
from diono.agents.workspace import run_tool
from diono.llm.port import ChatRequest
from diono.sandbox.errors import QuotaReached, SandboxBusy
from diono.sandbox.port import Sandbox

TRIES = 7
SAMPLE_TEMPERATURE = 0.8
ANSWER_TOKENS = 600
SHOWN_EXAMPLES = 3
MOST_HINT = 500
# Characters; what is longer says too little for the room that it takes in the prompt.
MOST_EXAMPLE = 600

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
    at_once: int = 1
    """How many fresh candidates the model can be asked for side by side."""
    allowance: Callable[[], str] | None = None
    """Asked before each further try; says why there is none, or nothing."""
    known: Known | None = None
    """What a definition says about the function; then programs do not outvote the examples."""

    @property
    def code_name(self) -> str:
        name = self.function.name
        return text.camel(name) if self.language == "javascript" else name


@dataclass(frozen=True)
class Draft:
    """The code of one candidate."""

    number: int
    source: str


def _shown(examples: Sequence[Example], attempt: int) -> list[Example]:
    """Choose examples for the docstring: the telling ones among the unanimous ones; every second
    try, those with a mere majority too, for they may carry what the sure ones do not show."""
    usable = [
        one for one in examples if one.is_firm and (one.votes == one.voters or attempt % 2 == 0)
    ]
    usable = [one for one in usable if len(one.model_dump_json()) <= MOST_EXAMPLE]
    weighty = [one for one in usable if one.expected not in ("", [], {}, None)]
    return [*weighty, *[one for one in usable if one not in weighty]][:SHOWN_EXAMPLES]


def request_for(
    run: Run, assignment: Assignment, attempt: int, hint: str, repeats: int
) -> tuple[ChatRequest, str]:
    function = assignment.function
    shown = _shown(assignment.examples, attempt)
    told = f"An earlier attempt went wrong: {hint[:MOST_HINT]}. Avoid that." if hint else ""
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


def source_of(assignment: Assignment, begun: str, answer: str) -> tuple[str, str]:
    """Return the code of an answer, and what is wrong with it."""
    if assignment.language == "javascript":
        return cleaning.javascript_module(answer), ""
    source = cleaning.python_module(begun, answer)
    if not source:
        return "", "the code was cut or is not valid Python"
    if cleaning.is_only_a_stub(source, assignment.code_name):
        return "", "the function does nothing"
    return source, ""


def probing(
    run: Run, catalog: BlueprintCatalog, assignment: Assignment, draft: Draft, slot: int
) -> tuple[str, Action]:
    """Return the step that runs a draft: in the project's sandbox (slot 0), or in another."""
    task = judging.probe_task(
        assignment.function,
        assignment.language,
        assignment.code_name,
        draft.source,
        assignment.examples,
    )
    tool = catalog.tool("probe_functions.py")

    async def action() -> JsonObject:
        sandbox, is_crowded = await _place(run, slot)
        try:
            probe = await run_tool(sandbox, tool, task)
        except ValueError as error:
            probe = {"error": f"the run ended early: {error}"}
        return {"probe": probe, **({"is_crowded": True} if is_crowded else {})}

    return f"run {assignment.function.name}{assignment.round}.{draft.number}", action


async def _place(run: Run, slot: int) -> tuple[Sandbox, bool]:
    """Return where a draft runs, and whether that had to be in the project's sandbox."""
    if not slot:
        return await run.stage.sandbox(), False
    try:
        return await run.stage.side_sandbox(f"candidate-{slot}"), False
    except (QuotaReached, SandboxBusy):
        return await run.stage.sandbox(), True
