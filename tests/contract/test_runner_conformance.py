"""One suite for every runner: what the interface promises holds for each."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from contract.runner_rigs import RIGS, RUNNERS, TEAM, Rig, RunnerStage, RunnerTape

from diono.agents.errors import Cancelled
from diono.agents.port import Receipt
from diono.agents.runner import AgentRunner
from diono.agents.runners.registry import UnknownRunner
from diono.kernel.errors import Conflict
from diono.kernel.events import EventType
from diono.llm.errors import ProviderUnreachable
from diono.llm.port import ChatRequest


@pytest.fixture(params=RIGS, ids=[rig.runner for rig in RIGS])
def rig(request: pytest.FixtureRequest) -> Rig:
    return request.param


@dataclass(frozen=True)
class Recording:
    """A run that went well, and what it left."""

    rig: Rig
    runner: AgentRunner
    stage: RunnerStage
    receipt: Receipt
    root: Path


def _record(rig: Rig, root: Path) -> Recording:
    runner, stage = RUNNERS.of(rig.runner), RunnerStage(root, rig.answer)
    receipt = asyncio.run(runner.start(rig.work, stage))
    return Recording(rig, runner, stage, receipt, root)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return _record(TEAM, tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module", params=RIGS, ids=[rig.runner for rig in RIGS])
def recording(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, build: Recording
) -> Recording:
    rig: Rig = request.param
    if rig is TEAM:
        return build
    root = tmp_path_factory.mktemp("recording")
    if rig.needs_app:
        shutil.copytree(build.root, root, dirs_exist_ok=True, symlinks=True)
    return _record(rig, root)


def _unreachable(_request: ChatRequest) -> str:
    raise ProviderUnreachable("The model's server is away. Start it.")


def test_a_run_ends_with_a_receipt_and_says_what_it_did(recording: Recording) -> None:
    receipt, state = recording.receipt, recording.runner.state()
    assert receipt.status == "SUCCEEDED", receipt.reason
    assert receipt.tokens_in > 0
    assert receipt.tokens_out > 0
    assert receipt.checks or receipt.unproven or not receipt.files
    drafts = recording.stage.drafts
    assert drafts
    assert all(draft.event_type is not EventType.RESULT for draft in drafts)
    assert state.is_ended
    assert state.iterations == len(recording.stage.steps.names)
    assert "working" not in state.agents.values()


async def test_a_replay_asks_nothing_again_and_says_the_same(recording: Recording) -> None:
    rig = recording.rig
    tape = RunnerTape(recording.stage.steps.recorded)
    stage = RunnerStage(recording.root, _unreachable, tape)
    assert await RUNNERS.of(rig.runner).start(rig.work, stage) == recording.receipt
    assert tape.actions_run == 0
    assert stage.model.requests == []


async def test_a_run_goes_on_after_a_crash_before_its_end(recording: Recording) -> None:
    rig, whole = recording.rig, recording.stage.steps
    done = max(0, len(whole.recorded) - 2)
    tape = RunnerTape(whole.recorded[:done])
    receipt = await RUNNERS.of(rig.runner).start(
        rig.work, RunnerStage(recording.root, rig.answer, tape)
    )
    assert receipt.status == "SUCCEEDED", receipt.reason
    assert tape.actions_run == len(tape.names) - done


async def test_a_stop_ends_the_run_at_its_next_step(rig: Rig, tmp_path: Path) -> None:
    runner = RUNNERS.of(rig.runner)
    stage = RunnerStage(tmp_path, rig.answer)
    await runner.stop("The worker goes away.")
    receipt = await runner.start(rig.work, stage)
    assert (receipt.status, receipt.reason) == ("CANCELLED", "The worker goes away.")
    assert stage.steps.names == []
    assert runner.state().is_ended


async def test_a_cancel_by_the_host_gives_a_cancelled_receipt(rig: Rig, tmp_path: Path) -> None:
    tape = RunnerTape()

    async def cancelled(name: str, action: object) -> dict[str, object]:
        raise Cancelled("The task was cancelled.")

    tape.run = cancelled  # type: ignore[method-assign]
    receipt = await RUNNERS.of(rig.runner).start(rig.work, RunnerStage(tmp_path, rig.answer, tape))
    assert receipt.status == "CANCELLED"
    assert "cancelled" in receipt.reason


async def test_a_model_that_is_away_ends_in_a_reason(rig: Rig, tmp_path: Path) -> None:
    runner = RUNNERS.of(rig.runner)
    receipt = await runner.start(rig.work, RunnerStage(tmp_path, _unreachable))
    assert receipt.status == "FAILED"
    assert receipt.reason
    assert receipt.checks or receipt.unproven or not receipt.files
    assert runner.state().is_ended


async def test_a_runner_runs_once(rig: Rig, tmp_path: Path) -> None:
    runner = RUNNERS.of(rig.runner)
    await runner.stop("not this time")
    await runner.start(rig.work, RunnerStage(tmp_path, rig.answer))
    with pytest.raises(Conflict, match="started already"):
        await runner.start(rig.work, RunnerStage(tmp_path, rig.answer))


def test_every_runner_is_named_and_an_unknown_one_refused() -> None:
    assert {rig.runner for rig in RIGS} <= set(RUNNERS.names())
    with pytest.raises(UnknownRunner, match="langgraph:example"):
        RUNNERS.of("langgraph:nothing")
    with pytest.raises(UnknownRunner):
        RUNNERS.of("../team")
