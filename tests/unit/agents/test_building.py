"""A build's rounds of work: candidates side by side, budgets, roles from files, prompts."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from unit.agents.host_stage import ROOT, Action, FolderSandbox, HostStage, ScriptedModel, Tape

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.drafting import Assignment, request_for
from diono.agents.errors import BudgetSpent, RoleBroken
from diono.agents.meter import Run
from diono.agents.port import Decision, JsonObject, Receipt
from diono.agents.roles.library import RoleLibrary
from diono.agents.roles.prompting import begun_text, material_of, role_request
from diono.agents.spec import Example, FunctionSpec, Parameter, Spec
from diono.agents.team import build
from diono.kernel.events import EventType
from diono.llm.port import ChatRequest
from diono.llm.streaming import estimate_tokens, prompt_characters
from diono.sandbox.errors import QuotaReached

PROMPT = "A command-line program that doubles a number"
PLAN = {
    "functions": [
        {
            "name": "double_number",
            "description": "Doubles a number.",
            "parameters": [{"name": "number", "type": "int"}],
            "returns": "int",
        }
    ]
}
ASSERTS = "2) == 4\nassert double_number(5) == 10\nassert double_number(-3) == -6\n"
GOOD = "    return number * 2\n"
MOST_PROMPT_TOKENS = 3000
BLUEPRINTS = ROOT / "workspace" / "blueprints"
Code = Callable[[int], str]


@pytest.fixture(scope="module")
def catalog() -> BlueprintCatalog:
    return BlueprintCatalog(BLUEPRINTS)


def answers(code: Code) -> Callable[[ChatRequest], str]:
    tries = 0

    def answer(request: ChatRequest) -> str:
        nonlocal tries
        asked = request.messages[1].content
        if "Write this" in asked:
            tries += 1
            return code(tries)
        if "List the Python functions" in asked:
            return json.dumps(PLAN)
        if "assert lines" in asked:
            return ASSERTS
        if "Write the assert line" in asked:
            call = asked.rsplit("for ", 1)[1].rstrip(".")
            return f" {int(call.split('(')[1].rstrip(')')) * 2}"
        if "user manual" in asked:
            return "# Doubler\n\nSay `python3 main.py 2`; it prints 4.\n" + "More. " * 3000
        if "plain sentences" in asked:
            return "It doubles whole numbers. " * 2000
        if "main table" in asked:
            return json.dumps({"name": "todo", "fields": [{"name": "title", "type": "text"}]})
        return json.dumps({"title": "Doubler", "summary": "Doubles numbers."})

    return answer


class Crowd(Tape):
    """Notes which steps ran together."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[list[str]] = []

    async def run_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int = 2
    ) -> list[JsonObject]:
        self.together.append([name for name, _ in branches])
        return await super().run_together(branches, at_once)


class WideStage(HostStage):
    """A model that answers several questions at once, and room for one sandbox more."""

    def __init__(self, root: Path, code: Code) -> None:
        super().__init__(root, ScriptedModel(answers(code)), Crowd())
        self.fit = self.fit.model_copy(update={"is_local": False})
        self.sides: list[str] = []

    async def side_sandbox(self, name: str, template: str = "base") -> FolderSandbox:
        self.sides.append(name)
        if len(self.sides) > 1:
            raise QuotaReached("Two sandboxes run already. Stop one.")
        return await super().side_sandbox(name, template)


async def test_fresh_candidates_are_asked_for_and_run_side_by_side(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    # What code says about itself may have any length; the third answer begins in a comment.
    said = {
        1: "    return {}['x' * 1_000_000]\n",
        2: "    return number + 3\n",
        3: " turn it round\n    return -number\n",
        4: "    return number * 2 + 0\n",
    }
    stage = WideStage(tmp_path / "a", lambda n: said.get(n, GOOD))
    receipt = await build(PROMPT, stage, catalog)
    assert (receipt.status, receipt.attempts) == ("SUCCEEDED", 5)
    assert isinstance(stage.steps, Crowd)
    assert stage.steps.together == [
        ["write double_number.2", "write double_number.3"],
        ["run double_number.2", "run double_number.3"],
        ["write double_number.4", "write double_number.5"],
        ["run double_number.4", "run double_number.5"],
    ]
    # Without room for a second one, all further candidates share the project's.
    assert stage.sides == ["candidate-1", "candidate-2"]
    hints = [one.messages[1].content for one in stage.model.requests if asks_for_code(one)]
    assert "attempt went wrong: double_number(2) failed: KeyError: 'xxx" in hints[1]
    assert "attempt went wrong: double_number(2) gave -2, but 4" in hints[-1]
    assert all("turn it round" not in one for one in hints)
    assert max(map(prompt_tokens, stage.model.requests)) < MOST_PROMPT_TOKENS
    assert all(len(json.dumps(one.payload)) < 10_000 for one in stage.drafts)


def asks_for_code(request: ChatRequest) -> bool:
    return "Write this function" in request.messages[1].content


def prompt_tokens(request: ChatRequest) -> int:
    return estimate_tokens(prompt_characters(request))


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_the_longest_prompt_for_a_function_stays_below_3000_tokens(
    tmp_path: Path, language: str
) -> None:
    function = FunctionSpec(
        name="shorten",
        description="Shortens a text. " * 30,
        parameters=(Parameter(name="text", type="str"),),
        returns="str",
    )
    shown = [Example(arguments=("a" * 900 + str(n),), expected="b" * 900, votes=2, voters=2)
             for n in range(5)]  # fmt: skip
    assignment = Assignment("Why? " * 3000, function, language, "core/shorten.py", tuple(shown))
    stage = HostStage(tmp_path, ScriptedModel(answers(lambda _: GOOD)))
    request, _ = request_for(Run(stage), assignment, 2, "It went wrong. " * 1000, 0)
    assert prompt_tokens(request) <= MOST_PROMPT_TOKENS


@pytest.mark.parametrize("name", ["manual_writer", "reviewer"])
def test_the_longest_prompt_of_a_role_stays_below_3000_tokens(name: str) -> None:
    library = RoleLibrary.beside(BLUEPRINTS)
    role = library.load("documented").roles[name]
    spec = Spec(name="a", title="A", summary="s", blueprint="python-cli", shape="functions")
    much = "Because it is so. " * 5000
    material = material_of(spec, much, [much], {"README.md": much}, much)
    request = role_request(role, material, begun_text(role, material), much, 2)
    assert prompt_tokens(request) <= MOST_PROMPT_TOKENS


async def test_a_spent_budget_ends_mending_and_keeps_what_was_proven(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    only_outside = "    import sys\n    return number * 2 if 'main.py' not in sys.argv[0] else -1\n"

    def code(attempt: int) -> str:
        if attempt == 1:
            return only_outside
        raise BudgetSpent("The budget does not suffice. Retry the task with a larger one.")

    stage = HostStage(tmp_path, ScriptedModel(answers(code)))
    receipt = await build(PROMPT, stage, catalog)
    assert receipt.status == "FAILED"
    assert "required checks failed" in receipt.reason
    assert "receipt.json" in receipt.files
    assert any("No repair" in str(one.payload.get("text")) for one in stage.drafts)


async def test_the_iterations_of_a_run_are_capped(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    stage = HostStage(tmp_path, ScriptedModel(answers(lambda n: f"    return number + {n + 2}\n")))
    receipt = await build(PROMPT, stage, catalog, {"max_iterations": 6})
    assert receipt.status == "FAILED"
    assert "iterations for backend are used up (5 of 6)" in receipt.reason
    assert sum(receipt.details["iterations"].values()) <= 6
    assert receipt.attempts == 2


def write(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


WORKFLOW = """
items:
  - {name: spec, role: product_manager}
  - {name: plan, role: architect, depends_on: [spec]}
  - {name: program, role: engineer, depends_on: [plan]}
  - {name: proof, role: qa, depends_on: [program]}
  - {name: extra, role: %s, depends_on: [%s]}
"""
SPOILER = """
description: You improve main.py.
produces: {files: [main.py]}
tries: 3
prompt: Write a better main.py.
"""


async def played(
    root: Path, catalog: BlueprintCatalog, answer: Callable[[ChatRequest], str]
) -> tuple[Receipt, HostStage]:
    roles = write(root / "roles", spoiler__yaml=SPOILER)
    workflows = write(root / "flows", own__yaml=WORKFLOW % ("spoiler", "proof"))
    stage = HostStage(root / "work", ScriptedModel(answer))
    library = RoleLibrary.beside(BLUEPRINTS, roles, workflows)
    request = PROMPT + ", and this is why. " + "Because it is so. " * 800
    return await build(request, stage, catalog, {"workflow": "own"}, library), stage


async def test_a_role_that_breaks_what_was_green_is_taken_back_and_found_stuck(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    usual = answers(lambda _: GOOD)

    def answer(request: ChatRequest) -> str:
        is_spoiler = "better main.py" in request.messages[1].content
        code = "\n".join(f"print({number})" for number in range(20))
        return f"```python\n{code}\n```" if is_spoiler else usual(request)

    receipt, stage = await played(tmp_path, catalog, answer)
    assert receipt.status == "FAILED"
    assert "extra (spoiler) was not done: stuck:" in receipt.reason
    ending = receipt.details["schedule"][-1]
    assert (ending["end"], ending["tries"]) == ("failed", 2)
    assert all(one.passed for one in receipt.checks if one.is_required)
    assert "shell" in (stage.box.root / "main.py").read_text()
    sizes = [prompt_tokens(one) for one in stage.model.requests]
    assert len(sizes) > 8
    assert max(sizes) <= MOST_PROMPT_TOKENS


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("own", WORKFLOW % ("spoiler", "program"), "writes code before it is proven"),
        ("own", WORKFLOW % ("qa", "proof"), "more than one item for qa"),
        ("own", "items: []", "line 1: items: "),
        ("own", "name: other\nitems: []", "line 1: the name 'other' is not that of the file"),
        ("own", "colour: red\nitems: [{name: a, role: qa}]", "line 1: colour: "),
    ],
)
def test_a_workflow_that_cannot_work_is_refused_by_line(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    roles = write(tmp_path / "roles", spoiler__yaml=SPOILER)
    workflows = write(tmp_path / "flows", **{f"{name}__yaml": text})
    with pytest.raises(RoleBroken, match=said):
        RoleLibrary.beside(BLUEPRINTS, roles, workflows).load(name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SPOILER.replace("main.py]", "../main.py]"), "not a path inside the project"),
        (SPOILER + "begins: $secret", "there is no \\$secret; known are"),
        (SPOILER + "tools: [shell]", "Known here: name, description"),
        (SPOILER.replace("prompt:", "words:"), "prompt: Field required"),
    ],
)
def test_a_role_that_cannot_be_played_is_refused_by_line(
    tmp_path: Path, text: str, said: str
) -> None:
    roles = write(tmp_path / "roles", spoiler__yaml=text)
    workflows = write(tmp_path / "flows", own__yaml=WORKFLOW % ("spoiler", "proof"))
    with pytest.raises(RoleBroken, match=said):
        RoleLibrary.beside(BLUEPRINTS, roles, workflows).load("own")


def test_the_shipped_workflows_can_be_played() -> None:
    library = RoleLibrary.beside(BLUEPRINTS)
    assert library.workflow_names() == ("build", "documented")
    for name in library.workflow_names():
        assert library.load(name).workflow.name == name


async def test_a_plan_that_cannot_be_used_is_asked_for_once_more(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    stage = HostStage(tmp_path, ScriptedModel(answers(lambda _: GOOD)))
    stage.decisions = [Decision(is_approved=True, details={"plan": {"items": "none"}})]
    receipt = await build(PROMPT, stage, catalog, {"approval": "plan"})
    assert receipt.status == "FAILED"
    assert "The edited plan cannot be used" in receipt.reason
    assert [one.key for one in stage.questions] == ["plan", "plan.2"]
    waits = [one for one in stage.drafts if "WAITING" in json.dumps(one.payload.get("agents", {}))]
    assert waits
    assert stage.drafts[-1].event_type is EventType.STATE
    agents = stage.drafts[-1].payload["agents"]
    assert all(one["state"] not in ("WAITING", "WORKING") for one in agents.values())
