"""What the port gained with the E2B wire, on every adapter that speaks it."""

import asyncio

import pytest
from contract.sandbox_rigs import run, spec

from diono.kernel.errors import InvalidInput
from diono.sandbox.errors import SandboxGone, ServiceMissing
from diono.sandbox.port import (
    ExecRequest,
    ExecResult,
    ExitReason,
    OutputChunk,
    RestartPolicy,
    Sandbox,
    Sandboxes,
    ServiceSignal,
    ServiceSpec,
    SnippetRequest,
)

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

TICKER = "import time\nfor n in range(1000): print('tick', n, flush=True); time.sleep(0.02)"
COUNTED_CRASH = """
import pathlib, sys
count = pathlib.Path("/work/count")
seen = int(count.read_text()) if count.exists() else 0
count.write_text(str(seen + 1))
if seen < 2:
    sys.exit(3)
import http.server
http.server.test(http.server.SimpleHTTPRequestHandler, port=9100, bind="127.0.0.1")
"""


async def test_output_comes_while_the_command_runs(sandbox: Sandbox) -> None:
    request = ExecRequest(argv=("python3", "-c", TICKER), timeout_seconds=20)
    chunks: list[OutputChunk] = []
    stream = sandbox.stream(request)
    async for event in stream:
        assert isinstance(event, OutputChunk)
        chunks.append(event)
        if "tick 3" in event.text:
            break
    await stream.aclose()
    assert "".join(chunk.text for chunk in chunks).startswith("tick 0\n")
    left = await run(sandbox, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "tick" not in left.stdout.replace("grep", "")


async def test_a_stream_ends_with_the_result(sandbox: Sandbox) -> None:
    argv = ("sh", "-c", "printf 'caf\\303'; sleep 0.1; printf '\\251'; echo oops >&2; exit 4")
    events = [event async for event in sandbox.stream(ExecRequest(argv=argv))]
    result = events[-1]
    assert isinstance(result, ExecResult)
    assert (result.reason, result.exit_code) == (ExitReason.EXITED, 4)
    assert (result.stdout, result.stderr) == ("café", "oops\n")
    chunks = [event for event in events if isinstance(event, OutputChunk)]
    assert "".join(c.text for c in chunks if c.stream == "stdout") == "café"


async def test_large_input_and_output_do_not_block_each_other(sandbox: Sandbox) -> None:
    payload = bytes(range(32, 127)) * 20_000
    request = ExecRequest(argv=("cat",), stdin=payload, output_limit_bytes=4_000_000)
    result = await sandbox.execute(request)
    assert result.is_success
    assert result.stdout.encode() == payload


async def test_a_deadline_ends_the_whole_tree(sandbox: Sandbox) -> None:
    line = "sleep 76 & (setsid sleep 77 &) ; sleep 78"
    result = await run(sandbox, "sh", "-c", line, seconds=0.5)
    assert result.reason is ExitReason.DEADLINE
    left = await run(sandbox, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "sleep 76" not in left.stdout
    assert "sleep 78" not in left.stdout


async def test_snippets_run_in_a_process_of_their_own(sandbox: Sandbox) -> None:
    code = "import sys; print(sys.stdin.read(), sys.argv[1:]); x = 1; sys.exit(5)"
    first = await sandbox.run_python(SnippetRequest(code=code, stdin="in", args=("a",)))
    assert (first.reason, first.exit_code) == (ExitReason.EXITED, 5)
    assert first.stdout == "in ['a']\n"
    second = await sandbox.run_python(SnippetRequest(code="print(x)"))
    assert second.exit_code == 1
    assert "NameError" in second.stderr
    late = await sandbox.run_python(SnippetRequest(code="while True: pass", timeout_seconds=0.5))
    assert late.reason is ExitReason.DEADLINE
    assert late.exit_code is None


async def test_services_are_listed_signalled_and_restarted(sandbox: Sandbox) -> None:
    web = ServiceSpec(name="web", argv=("python3", "-m", "http.server", "9101"), port=9101)
    assert (await sandbox.start_service(web)).is_healthy
    worker = ServiceSpec(name="worker", argv=("sleep", "60"))
    assert (await sandbox.start_service(worker)).is_healthy
    listed = {status.name: status for status in await sandbox.list_services()}
    assert set(listed) == {"web", "worker"}
    assert listed["web"].port == 9101
    assert listed["worker"].port is None
    await sandbox.signal_service("worker", ServiceSignal.TERMINATE)
    async with asyncio.timeout(5):
        while (await sandbox.service_status("worker")).is_running:
            pass
    assert (await sandbox.restart_service("worker")).is_running
    await sandbox.stop_service("worker")
    assert [status.name for status in await sandbox.list_services()] == ["web"]
    for missing in (
        sandbox.signal_service("worker", ServiceSignal.KILL),
        sandbox.restart_service("worker"),
        sandbox.service_logs("worker"),
    ):
        with pytest.raises(ServiceMissing):
            await missing


async def test_logs_are_read_on_from_a_cursor(sandbox: Sandbox) -> None:
    argv = ("sh", "-c", "echo one; read line < gate; echo two; sleep 60")
    await run(sandbox, "mkfifo", "gate")
    await sandbox.start_service(ServiceSpec(name="talk", argv=argv))
    text, cursor = "", 0
    async with asyncio.timeout(10):
        while "one\n" not in text:
            page = await sandbox.service_logs("talk", cursor)
            text, cursor = text + page.text, page.next_cursor
        await run(sandbox, "sh", "-c", "echo go > gate")
        while "two\n" not in text:
            page = await sandbox.service_logs("talk", cursor)
            text, cursor = text + page.text, page.next_cursor
    assert text == "one\ntwo\n"


async def test_a_crashed_service_is_started_again(kind: str, sandbox: Sandbox) -> None:
    await sandbox.write_file("crash.py", COUNTED_CRASH.encode())
    crash = ServiceSpec(
        name="crash",
        argv=("python3", "crash.py"),
        port=9100,
        restart=RestartPolicy.ON_FAILURE,
    )
    if kind == "foreign":
        with pytest.raises(InvalidInput):
            await sandbox.start_service(crash)
        return
    await sandbox.start_service(crash)
    async with asyncio.timeout(20):
        while not (status := await sandbox.service_status("crash")).is_healthy:
            pass
    assert status.restarts == 2


async def test_a_paused_sandbox_wakes_where_it_was(sandboxes: Sandboxes, sandbox: Sandbox) -> None:
    await sandbox.start_service(ServiceSpec(name="keep", argv=("sleep", "600")))
    assert await sandboxes.pause("owner", "project")
    assert not await sandboxes.pause("owner", "project")
    assert await sandboxes.find("owner", "project") is None
    woken = await sandboxes.open(spec())
    assert woken.sandbox_id == sandbox.sandbox_id
    assert (await woken.service_status("keep")).is_running


async def test_a_sandbox_that_is_gone_is_replaced(sandboxes: Sandboxes, sandbox: Sandbox) -> None:
    await sandbox.write_file("kept.txt", b"kept")
    await sandboxes.kill("owner", "project")
    with pytest.raises(SandboxGone):
        await sandbox.execute(ExecRequest(argv=("true",)))
    fresh = await sandboxes.open(spec())
    assert await fresh.read_file("kept.txt") == b"kept"


async def test_nothing_is_reachable_by_default(sandbox: Sandbox) -> None:
    code = "import urllib.request; urllib.request.urlopen('https://pypi.org', timeout=5)"
    result = await run(sandbox, "python3", "-c", code)
    assert result.exit_code == 1


async def test_what_is_hidden_from_listings(sandbox: Sandbox) -> None:
    await sandbox.write_files({".git/config": b"x", ".packages/a/b.py": b"x", "seen.txt": b"x"})
    await run(sandbox, "ln", "-s", "/etc/passwd", "link")
    await run(sandbox, "mkfifo", "pipe")
    assert [entry.path for entry in await sandbox.list_files()] == ["seen.txt"]
