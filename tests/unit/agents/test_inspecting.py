"""What is found in the files, from the team's public door: mended, rolled back, left alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from unit.agents.host_stage import ROOT, HostStage, ScriptedModel, Tape

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.inspecting import inspected
from diono.agents.port import Receipt
from diono.agents.team import build
from diono.inspection.models import Finding, Inspection, Severity
from diono.kernel.events import EventType
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
GOOD = "    return number * 2\n"
RISKY = '    return eval("number * 2")\n'
OTHERWISE = '    return eval("number + number")\n'
PATH = "core/double_number.py"


@pytest.fixture(scope="module")
def catalog() -> BlueprintCatalog:
    return BlueprintCatalog(ROOT / "workspace" / "blueprints")


def _answers(codes: list[str]) -> Callable[[ChatRequest], str]:
    left = list(codes)

    def answer(request: ChatRequest) -> str:
        asked = request.messages[1].content
        if "Write this function" in asked:
            return left.pop(0) if len(left) > 1 else left[0]
        if "List the Python functions" in asked:
            return json.dumps(PLAN)
        if "assert lines" in asked:
            return "2) == 4\nassert double_number(5) == 10\nassert double_number(-3) == -6\n"
        if "Write the assert line" in asked:
            number = int(asked.rsplit("for ", 1)[1].split("(")[1].rstrip(")."))
            return f" {number * 2}"
        return json.dumps({"title": "Doubler", "summary": "Doubles numbers."})

    return answer


def _eval_is_grave(root: Path) -> Inspection:
    source = (root / PATH).read_text() if (root / PATH).exists() else ""
    risk = Finding(
        rule="bandit:B307",
        kind="security",
        severity=Severity.HIGH,
        path=PATH,
        line=4,
        explanation="Use of eval.",
        way_out="Parse what is expected.",
    )
    return Inspection(state="examined", findings=(risk,) if "eval(" in source else ())


async def _built(
    root: Path, catalog: BlueprintCatalog, codes: list[str], tape: Tape | None = None
) -> tuple[Receipt, HostStage]:
    stage = HostStage(root, ScriptedModel(_answers(codes)), tape)
    stage.inspect_files = _eval_is_grave
    return await build(PROMPT, stage, catalog), stage


def _logs(stage: HostStage) -> list[str]:
    return [str(one.payload["text"]) for one in stage.drafts if one.event_type is EventType.LOG]


async def test_a_grave_finding_is_written_again_and_a_replay_takes_the_same_way(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    receipt, stage = await _built(tmp_path, catalog, [RISKY, GOOD])
    assert receipt.status == "SUCCEEDED"
    assert receipt.inspection is not None
    assert (receipt.inspection.high, receipt.inspection.state) == (0, "examined")
    assert "eval" not in (tmp_path / PATH).read_text()
    asked = [one.messages[1].content for one in stage.model.requests]
    assert any("Use of eval." in one for one in asked)
    tape = Tape(stage.steps.recorded)
    again, other = await _built(tmp_path / "replay", catalog, ["    raise ValueError\n"], tape)
    assert other.steps.names == stage.steps.names
    assert tape.actions_run == 0
    assert again == receipt


async def test_what_is_no_better_is_rolled_back_and_nothing_turns_red(
    tmp_path: Path, catalog: BlueprintCatalog
) -> None:
    receipt, stage = await _built(tmp_path, catalog, [RISKY, OTHERWISE])
    assert receipt.status == "SUCCEEDED"
    assert all(one.passed for one in receipt.checks if one.is_required)
    assert RISKY.strip() in (tmp_path / PATH).read_text()
    assert receipt.inspection is not None
    assert receipt.inspection.high == 1
    assert any("was not better" in one for one in _logs(stage))


async def test_the_receipt_of_any_runner_is_completed_once(tmp_path: Path) -> None:
    stage = HostStage(tmp_path, ScriptedModel(_answers([GOOD])))
    bare = Receipt(
        status="SUCCEEDED", spec={}, blueprint="", files=("a.py",), checks=(), attempts=1,
        tokens_in=0, tokens_out=0, seconds=1.0,
    )  # fmt: skip
    unseen = await inspected(stage, "build", bare)
    assert unseen.inspection is not None
    assert unseen.inspection.not_examined == ("all files: this stage has no analysers",)
    stage.inspect_files = _eval_is_grave
    full = await inspected(stage, "change", bare)
    assert full.inspection is not None
    assert full.inspection.state == "examined"
    assert await inspected(stage, "build", full) is full
    for left in (
        bare.model_copy(update={"files": ()}),
        bare.model_copy(update={"status": "CANCELLED"}),
    ):
        assert (await inspected(stage, "build", left)).inspection is None
    assert (await inspected(stage, "chat", bare)).inspection is None
    stage.steps.cancel_at = "inspect"
    cancelled = await inspected(stage, "build", bare)
    assert cancelled.status == "SUCCEEDED"
    assert cancelled.inspection is not None
    assert cancelled.inspection.not_examined == ("all files: The task was cancelled.",)
