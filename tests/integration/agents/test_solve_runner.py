"""The solve runner with a scripted model and a real sandbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from diono.agents.port import Receipt
from diono.agents.runner import Work
from diono.agents.runners.resources import Resources
from diono.agents.runners.solve import make
from diono.cli.bench_solve_stage import BenchStage, open_stage
from diono.settings import Settings

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

TRIPLE = "Three times a text.\nassert triple('ab') == 'ababab'"
THRICE = TRIPLE.replace("triple", "thrice")
RULES = [
    {"when": "assert lines for shout", "reply": "'a') == 'A!'\nassert shout('b c') == 'B C!'"},
    {
        "when": "shout",
        "reply": ["a):\n    return a.upper() + '!'", "a):\n    return f'{a.upper()}!'"],
    },
    {"when": "went wrong: .*'abab'", "reply": "text):\n    return text + text + text"},
    {
        "when": "triple",
        "reply": [
            "    return 'ababab'",
            " for ever\n    while True: pass",
            " the text comes twice\n    return text * 2",
            "    return ''.join([text] * 3)",
        ],
    },
    {
        "when": "is_big",
        "reply": ["    return n > 1", " five\n    return n >= 5", " more\n    return n > 4"],
    },
    {"when": "every_other", "reply": ["    return items[:n]", "\n    return items[: n + 1]"]},
    {"when": "both_of", "reply": "    return [items[0], items[-1]]"},
    {"when": "thrice", "reply": "    return text * 3"},
    {"when": "treble", "reply": ["    return 'ababab'", "    return text * 2"]},
    {"when": "quit", "reply": "    import os; os._exit(0)"},
    {"when": "", "reply": "I do not know."},
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BenchStage]:
    script = tmp_path_factory.mktemp("solve") / "script.yaml"
    script.write_text(yaml.safe_dump(RULES))
    async with open_stage(Settings(script=script), "scripted/script") as opened:
        yield opened


async def solved(stage: BenchStage, prompt: str, tries: int = 10) -> Receipt:
    runner = make(Resources(Path()), "")
    work = Work(task_id="t", project_id="p", kind="solve", prompt=prompt, options={"tries": tries})
    return await runner.start(work, stage)


async def test_fresh_tries_are_run_until_one_is_right(stage: BenchStage) -> None:
    receipt = await solved(stage, TRIPLE)
    assert (receipt.status, receipt.attempts) == ("SUCCEEDED", 5)
    assert receipt.details["proof"] == "2 different programs and 1 examples agree"
    assert receipt.answer == receipt.details["source"]
    assert "text + text + text" in receipt.answer
    assert receipt.files == ("solution.py", "test_solution.py")
    assert all(check.passed for check in receipt.checks)
    assert {check.depth for check in receipt.checks} == {"example", "edge", "property"}
    box = await stage.sandbox()
    assert (await box.read_file("solution.py")).decode() == receipt.answer
    assert receipt.tokens_out > 0


async def test_unverified_is_not_done(stage: BenchStage) -> None:
    receipt = await solved(stage, TRIPLE.replace("triple", "treble"), tries=3)
    assert receipt.status == "FAILED"
    assert receipt.reason
    assert receipt.unproven


async def test_a_candidate_that_ends_the_process_proves_nothing(stage: BenchStage) -> None:
    receipt = await solved(stage, "Quits.\nassert quit_now(1) == 12", tries=2)
    assert receipt.status == "FAILED"


async def test_a_right_result_in_the_wrong_shape_is_repaired_without_the_model(
    stage: BenchStage,
) -> None:
    receipt = await solved(stage, "First and last.\nassert both_of([1, 2, 3]) == (1, 3)")
    assert (receipt.status, receipt.attempts, receipt.details["calls"]) == ("SUCCEEDED", 1, 1)
    assert "return tuple(both_of_unshaped(items))" in receipt.answer


async def test_a_small_edit_is_found_where_every_try_misses(stage: BenchStage) -> None:
    prompt = "Each n-th item.\nassert every_other([1, 2, 3, 4, 5], 2) == [1, 3, 5]"
    receipt = await solved(stage, prompt)
    assert receipt.status == "SUCCEEDED", receipt.reason
    assert "return items[::n]" in receipt.answer
    assert receipt.details["proof"] == "1 of 1 given examples, after a small edit"
    assert any("edit" in one for one in receipt.unproven)
    assert all(check.passed is not False for check in receipt.checks)


async def test_an_easy_example_needs_programs_that_agree(stage: BenchStage) -> None:
    receipt = await solved(stage, "More than four?\nassert is_big(5) == True")
    assert receipt.status == "SUCCEEDED"
    assert receipt.attempts == 3
    assert "n > 4" in receipt.answer or "n >= 5" in receipt.answer
    assert "agree" in receipt.details["proof"]
    assert any("chance" in one for one in receipt.unproven)


async def test_without_examples_the_model_writes_checks(stage: BenchStage) -> None:
    receipt = await solved(stage, "Write `shout(text)`, which makes a text loud.")
    assert receipt.status == "SUCCEEDED"
    assert any(check.name == "shout('b c') == 'B C!'" for check in receipt.checks)
    assert any("own" in one for one in receipt.unproven)


async def test_a_check_that_cannot_fail_is_not_counted(stage: BenchStage) -> None:
    receipt = await solved(stage, f"{THRICE}\nassert thrice('a') is None or True")
    idle = [check for check in receipt.checks if check.passed is None]
    assert [check.is_required for check in idle] == [False]


async def test_what_is_no_function_is_refused(stage: BenchStage) -> None:
    receipt = await solved(stage, "Make me rich")
    assert receipt.status == "FAILED"
    assert "signature" in receipt.reason
