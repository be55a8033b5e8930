"""One-shot runs of programs on the real engine."""

import pytest

from diono.sandbox.images.jobs import Readiness
from diono.sandbox.languages import Languages
from diono.sandbox.port import OutputChunk
from diono.sandbox.program_models import RunRequest, RunResult, RunStatus
from diono.sandbox.programs import run_program, stream_program

from .conftest import House
from .language_samples import SAMPLES

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

LANGUAGES = Languages.load()
HEAVY = (pytest.mark.slow, pytest.mark.nightly)
QUICK = ("python", "bash", "c", "javascript", "perl")
CASES = [name if name in QUICK else pytest.param(name, marks=HEAVY) for name in SAMPLES]


def _request(language: str, code: str, **more: object) -> RunRequest:
    return RunRequest.model_validate(
        {"owner": "tester", "language": LANGUAGES.pick(language), "code": code, **more}
    )


async def _prepared(house: House, language: str) -> None:
    state = await house.templates.wait(LANGUAGES.pick(language).template)
    assert state.readiness is Readiness.READY, state.detail


@pytest.mark.parametrize("language", CASES)
async def test_program_greets_with_its_argument_and_input(house: House, language: str) -> None:
    await _prepared(house, language)
    hello, _, _ = SAMPLES[language]
    request = _request(language, hello, stdin=b"INPUT\n", args=("ARGUMENT",))
    result = await run_program(house.sandboxes, request)
    assert result.status is RunStatus.SUCCEEDED, result
    assert result.stdout.split() == ["hello", "ARGUMENT", "INPUT"]
    assert (result.compiled is not None) == bool(LANGUAGES.pick(language).compile)


@pytest.mark.parametrize("language", CASES)
async def test_mistake_of_grammar_is_told_from_a_failure(house: House, language: str) -> None:
    await _prepared(house, language)
    _, mistake, _ = SAMPLES[language]
    result = await run_program(house.sandboxes, _request(language, mistake))
    assert result.status is RunStatus.COMPILE_ERROR, result
    said = result.compiled.stdout + result.compiled.stderr if result.compiled else result.stderr
    assert said.strip()


@pytest.mark.parametrize("language", CASES)
async def test_endless_program_ends_at_its_limit(house: House, language: str) -> None:
    await _prepared(house, language)
    _, _, endless = SAMPLES[language]
    result = await run_program(house.sandboxes, _request(language, endless, run_seconds=1.0))
    assert result.status is RunStatus.DEADLINE, result
    assert result.exit_code is None
    assert result.seconds < 5


async def test_failure_of_a_program_keeps_its_exit_code(house: House) -> None:
    result = await run_program(house.sandboxes, _request("python", "import sys; sys.exit(7)"))
    assert (result.status, result.exit_code) == (RunStatus.FAILED, 7)


async def test_program_that_eats_its_memory_is_told_so(house: House) -> None:
    code = "x = [b'x' * 50_000_000 for _ in range(100)]"
    result = await run_program(house.sandboxes, _request("python", code, run_seconds=20))
    assert result.status is RunStatus.MEMORY, result


async def test_files_go_in_and_come_out(house: House) -> None:
    code = "open('out/b.bin', 'wb').write(open('in.txt', 'rb').read() * 2); open('c.txt', 'w')"
    request = _request(
        "python",
        "import os; os.mkdir('out'); " + code,
        files={"in.txt": b"\xff\x00"},
        collect=("out/*", "*.txt"),
    )
    result = await run_program(house.sandboxes, request)
    assert result.status is RunStatus.SUCCEEDED, result
    assert result.files == {"out/b.bin": b"\xff\x00\xff\x00", "c.txt": b""}


async def test_huge_file_is_left_out_and_named(house: House) -> None:
    request = _request("bash", "head -c 3000000 /dev/zero > big; echo x > small", collect=("*",))
    result = await run_program(house.sandboxes, request)
    assert (set(result.files), result.left_out) == ({"small"}, ("big",))


async def test_warm_interpreter_gives_the_same_result(house: House) -> None:
    hello, mistake, endless = SAMPLES["python"]
    request = _request("python", hello, stdin=b"INPUT\n", args=("ARGUMENT",), may_be_warm=True)
    result = await run_program(house.sandboxes, request)
    assert result.stdout.split() == ["hello", "ARGUMENT", "INPUT"], result
    bad = await run_program(house.sandboxes, _request("python", mistake, may_be_warm=True))
    assert bad.status is RunStatus.COMPILE_ERROR
    stuck = _request("python", endless, may_be_warm=True, run_seconds=1.0)
    assert (await run_program(house.sandboxes, stuck)).status is RunStatus.DEADLINE


async def test_output_comes_while_the_program_runs(house: House) -> None:
    code = "import time\nprint('first', flush=True)\ntime.sleep(1)\nprint('second')"
    request = _request("python", code, may_be_warm=True)
    events = [event async for event in stream_program(house.sandboxes, request)]
    assert isinstance(events[0], OutputChunk)
    assert events[0].text.strip() == "first"
    assert isinstance(events[-1], RunResult)
    assert events[-1].status is RunStatus.SUCCEEDED


async def test_nothing_is_left_of_a_run(house: House) -> None:
    before = await house.sandboxes.health()
    await run_program(house.sandboxes, _request("bash", "echo x > /work/left"))
    result = await run_program(house.sandboxes, _request("bash", "ls -A /work /tmp"))
    assert before.is_ready
    assert "left" not in result.stdout
