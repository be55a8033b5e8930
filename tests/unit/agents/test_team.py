"""The team from its public door, with scripted answers."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from unit.agents.host_stage import ROOT, HostStage, ScriptedModel, Tape

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.port import Receipt
from diono.agents.team import build
from diono.kernel.events import AgentRole, EventType
from diono.llm.errors import ProviderUnreachable
from diono.llm.port import ChatRequest

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
Code = Callable[[int], str]


@pytest.fixture(scope="module")
def catalog() -> BlueprintCatalog:
    return BlueprintCatalog(ROOT / "workspace" / "blueprints")


def answers(code: Code, plan: object = PLAN) -> Callable[[ChatRequest], str]:
    tries = 0

    def answer(request: ChatRequest) -> str:
        nonlocal tries
        asked = request.messages[1].content
        if "Write this function" in asked:
            tries += 1
            return code(tries)
        if "List the Python functions" in asked:
            return json.dumps(plan)
        if "assert lines" in asked:
            return ASSERTS
        if "Write the assert line" in asked:
            call = asked.rsplit("for ", 1)[1].rstrip(".")
            number = int(call.split("(")[1].rstrip(")"))
            return f" {number * 2}"
        return json.dumps({"title": "Doubler", "summary": "Doubles numbers."})

    return answer


async def run(
    root: Path, catalog: BlueprintCatalog, code: Code, plan: object = PLAN
) -> tuple[Receipt, HostStage]:
    stage = HostStage(root, ScriptedModel(answers(code, plan)))
    return await build(PROMPT, stage, catalog), stage


def shell(folder: Path, *argv: str) -> str:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def failing_names(receipt: Receipt) -> list[str]:
    return [one.name for one in receipt.checks if one.is_required and not one.passed]


async def test_a_good_model_ends_in_a_proven_program(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    receipt, stage = await run(tmp_path, catalog, lambda _: GOOD)
    assert (receipt.status, receipt.reason) == ("SUCCEEDED", "")
    assert failing_names(receipt) == []
    assert {"PRD.md", "plan.json", "receipt.json", "core/double_number.py"} <= set(receipt.files)
    assert shell(tmp_path, "python3", "main.py", "21") == "42\n"
    log = shell(tmp_path, "git", "log", "--format=%s").splitlines()
    assert log[0] == "receipt"
    assert "double_number" in log
    assert json.loads(stage.saved["receipt.json"])["status"] == "SUCCEEDED"


async def test_the_roles_take_turns_and_checks_are_announced(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    _, stage = await run(tmp_path, catalog, lambda _: GOOD)
    starts = [one.agent_role for one in stage.drafts if one.event_type is EventType.AGENT_START]
    assert starts == [
        AgentRole.PRODUCT_MANAGER, AgentRole.ARCHITECT, AgentRole.ENGINEER, AgentRole.QA,
    ]  # fmt: skip
    checks = [one for one in stage.drafts if one.event_type is EventType.CHECK]
    assert any(one.payload["kind"] == "cli" and one.payload["passed"] for one in checks)


async def test_a_wrong_candidate_is_replaced_and_its_code_never_shown_again(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    wrong = "    return number + 2\n"
    receipt, stage = await run(tmp_path, catalog, lambda n: wrong if n == 1 else GOOD)
    assert receipt.status == "SUCCEEDED"
    assert receipt.attempts == 2
    second = [
        one for one in stage.model.requests if "Write this function" in one.messages[1].content
    ]
    assert "gave 7, but 10 is expected" in second[1].messages[1].content
    assert all("number + 2" not in message.content for message in second[1].messages)
    assert (second[0].temperature, second[1].temperature) == (0.0, 0.8)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("    # your code here\n    return number * 2\n", "placeholder"),
        ("    pass\n", "does nothing"),
        ("    return number *\n", "does nothing"),
        ("    while True:\n        pass\n", "no answer within"),
    ],
)
async def test_what_is_no_work_is_refused(
    tmp_path: Path, catalog: BlueprintCatalog, bad: str, said: str
) -> None:
    receipt, stage = await run(tmp_path, catalog, lambda n: bad if n == 1 else GOOD)
    assert receipt.status == "SUCCEEDED"
    first = next(one for one in stage.drafts if one.event_type is EventType.CHECK)
    assert said in first.payload["detail"]


async def test_verbatim_repeats_end_early_and_honestly(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    receipt, stage = await run(tmp_path, catalog, lambda _: "    return number + 2\n")
    assert receipt.status == "FAILED"
    assert "Not built: double_number" in receipt.reason
    assert 3 <= receipt.attempts <= 7
    details = [one.payload["detail"] for one in stage.drafts if one.event_type is EventType.CHECK]
    assert "the answer repeats an earlier one" in details
    assert "core/double_number.py" not in receipt.files


async def test_a_model_that_says_nothing_useful_leaves_a_running_blueprint(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    stage = HostStage(tmp_path, ScriptedModel(lambda _: "I am sorry, I cannot do that."))
    receipt = await build(PROMPT, stage, catalog)
    assert receipt.status == "FAILED"
    assert "no usable plan" in receipt.reason
    assert shell(tmp_path, "python3", "main.py") == "Nothing is built yet.\n"


async def test_a_failing_provider_is_a_failed_receipt(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    def refuse(_: ChatRequest) -> str:
        raise ProviderUnreachable("No answer from the model's server. Start it.")

    receipt = await build(PROMPT, HostStage(tmp_path, ScriptedModel(refuse)), catalog)
    assert receipt.status == "FAILED"
    assert "receipt.json" in receipt.files


async def test_without_time_nothing_is_asked(tmp_path: Path, catalog: BlueprintCatalog) -> None:
    stage = HostStage(tmp_path, ScriptedModel(answers(lambda _: GOOD)))
    stage.budget_seconds = 1.0
    receipt = await build(PROMPT, stage, catalog)
    assert receipt.status == "FAILED"
    assert stage.model.requests == []


async def test_a_cancel_ends_in_a_cancelled_receipt(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    tape = Tape()
    tape.cancel_at = "write double_number"
    stage = HostStage(tmp_path, ScriptedModel(answers(lambda _: GOOD)), tape)
    receipt = await build(PROMPT, stage, catalog)
    assert receipt.status == "CANCELLED"
    assert tape.names[-1].startswith("write double_number")


async def test_a_replay_takes_the_same_steps_says_the_same_and_does_nothing(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    code: Code = lambda n: "    return number + 2\n" if n == 1 else GOOD  # noqa: E731
    first, stage = await run(tmp_path / "a", catalog, code)
    tape = Tape(stage.steps.recorded)
    model = ScriptedModel(lambda _: "nothing")
    again = HostStage(tmp_path / "b", model, tape)
    second = await build(PROMPT, again, catalog)
    assert tape.names == stage.steps.names
    assert (tape.actions_run, model.requests) == (0, [])
    assert again.drafts == stage.drafts
    assert second == first


async def test_a_replay_goes_on_where_the_recording_ends(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    first, stage = await run(tmp_path, catalog, lambda _: GOOD)
    tape = Tape(stage.steps.recorded[: len(stage.steps.recorded) // 2])
    again = HostStage(tmp_path, ScriptedModel(answers(lambda _: GOOD)), tape)
    second = await build(PROMPT, again, catalog)
    assert second.status == first.status == "SUCCEEDED"
    assert tape.names == stage.steps.names


async def test_a_model_without_prefill_is_asked_in_plain_words(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    def answer(request: ChatRequest) -> str:
        text = answers(lambda _: GOOD)(request)
        asked = request.messages[-1].content
        assert request.messages[-1].role == "user"
        if "Write this function" in asked:
            return f"Sure!\n```python\ndef double_number(number: int) -> int:\n{GOOD}```\nDone."
        if "assert lines" in asked:
            return f"```python\nassert double_number({text}```"
        if "Write the assert line" in asked:
            call = asked.rsplit("for ", 1)[1].rstrip(".")
            return f"assert {call} == {text}"
        return text

    stage = HostStage(tmp_path, ScriptedModel(answer, supports_prefill=False))
    assert (await build(PROMPT, stage, catalog)).status == "SUCCEEDED"


ONLY_OUTSIDE = "    import sys\n    return number * 2 if 'main.py' not in sys.argv[0] else -1\n"


async def test_a_check_that_fails_only_in_the_program_is_repaired(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    receipt, _ = await run(tmp_path, catalog, lambda n: ONLY_OUTSIDE if n == 1 else GOOD)
    assert receipt.status == "SUCCEEDED"
    assert shell(tmp_path, "python3", "main.py", "21") == "42\n"
    assert "double_number again" in shell(tmp_path, "git", "log", "--format=%s").splitlines()


async def test_a_repair_that_does_not_help_is_rolled_back(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    worse = ONLY_OUTSIDE.replace("-1", "-2")
    receipt, stage = await run(tmp_path, catalog, lambda n: ONLY_OUTSIDE if n == 1 else worse)
    assert receipt.status == "FAILED"
    subjects = shell(tmp_path, "git", "log", "--format=%s").splitlines()
    assert any(subject.startswith("back to the last green state") for subject in subjects)
    assert "else -1" in (tmp_path / "core" / "double_number.py").read_text()
    assert b"else -1" in stage.saved["core/double_number.py"]
    assert receipt.attempts == 2
