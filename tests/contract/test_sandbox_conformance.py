"""One suite for every adapter of the sandbox port, on a real engine."""

import asyncio

import pytest
from contract.sandbox_rigs import python, run, spec

from diono.kernel.errors import InvalidInput
from diono.sandbox.errors import (
    FileMissing,
    FileTooLarge,
    PathRefused,
    PortClosed,
    PortTaken,
    RequirementRefused,
    SandboxGone,
    ServiceMissing,
    TemplateMissing,
    WorkspaceFull,
)
from diono.sandbox.port import (
    ExecRequest,
    ExitReason,
    Sandbox,
    Sandboxes,
    SandboxSpec,
    ServiceSpec,
)

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

ECHO_SERVER = """
import socket
server = socket.create_server(("127.0.0.1", 9000))
print("listening", flush=True)
while True:
    connection, _ = server.accept()
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
    connection.sendall(data)
    connection.close()
"""


async def test_health_names_the_engine_and_how_size_is_enforced(
    kind: str, sandboxes: Sandboxes
) -> None:
    health = await sandboxes.health()
    assert health.is_ready
    assert health.problem == ""
    if kind == "foreign":
        return  # somebody else's server tells nothing of its engine
    assert health.engine.startswith("Docker")
    assert health.quota_mode
    assert "base" in health.templates


async def test_opening_twice_gives_the_same_sandbox(sandboxes: Sandboxes) -> None:
    first, second = await asyncio.gather(sandboxes.open(spec()), sandboxes.open(spec()))
    found = await sandboxes.find("owner", "project")
    other = await sandboxes.open(spec(owner="another"))
    assert found is not None
    assert first.sandbox_id == second.sandbox_id == found.sandbox_id
    assert other.sandbox_id != first.sandbox_id
    assert await sandboxes.find("nobody", "project") is None


async def test_files_outlive_the_sandbox_but_not_the_workspace(sandboxes: Sandboxes) -> None:
    first = await sandboxes.open(spec())
    await first.write_file("kept.txt", b"kept")
    await sandboxes.kill("owner", "project")
    assert await sandboxes.find("owner", "project") is None
    with pytest.raises(SandboxGone):
        await first.read_file("kept.txt")
    second = await sandboxes.open(spec())
    assert await second.read_file("kept.txt") == b"kept"
    await sandboxes.delete_workspace("owner", "project")
    third = await sandboxes.open(spec())
    assert await third.list_files() == []


async def test_unknown_template_and_empty_names_are_refused(sandboxes: Sandboxes) -> None:
    with pytest.raises((InvalidInput, TemplateMissing)):
        await sandboxes.open(SandboxSpec(owner="o", project="p", template="none"))
    with pytest.raises(InvalidInput):
        await sandboxes.open(SandboxSpec(owner="", project="p"))


async def test_a_sandbox_ends_at_its_age(sandboxes: Sandboxes) -> None:
    sandbox = await sandboxes.open(SandboxSpec(owner="o", project="short", max_age_seconds=1))
    result = await run(sandbox, "sleep", "20")
    assert result.reason is ExitReason.LOST
    assert result.seconds < 5


async def test_execute_passes_everything_in_and_out(sandbox: Sandbox) -> None:
    await sandbox.write_file("sub/x.txt", b"x")
    code = "import os,sys; print(os.getcwd(), os.environ['A'], sys.stdin.read()); sys.exit(3)"
    result = await sandbox.execute(
        ExecRequest(argv=("python3", "-c", code), cwd="sub", env={"A": "b c"}, stdin=b"in\xc3\xa9")
    )
    assert (result.reason, result.exit_code) == (ExitReason.EXITED, 3)
    assert result.stdout == "/work/sub b c iné\n"
    assert not result.is_success
    assert not result.is_truncated


async def test_execute_says_what_cannot_be_run(sandbox: Sandbox) -> None:
    missing = await run(sandbox, "no-such-program")
    assert missing.exit_code == 127
    assert "no-such-program" in missing.stderr
    await sandbox.write_file("plain.txt", b"")
    assert (await run(sandbox, "/work/plain.txt")).exit_code == 126
    with pytest.raises(FileMissing):
        await sandbox.execute(ExecRequest(argv=("true",), cwd="nowhere"))
    with pytest.raises(PathRefused):
        await sandbox.execute(ExecRequest(argv=("true",), cwd="../etc"))


async def test_deadline_keeps_the_output_so_far(sandbox: Sandbox) -> None:
    result = await run(sandbox, "sh", "-c", "echo begun; sleep 60", seconds=0.5)
    assert result.reason is ExitReason.DEADLINE
    assert result.exit_code is None
    assert result.stdout == "begun\n"
    assert result.seconds < 3
    assert (await run(sandbox, "true")).is_success


async def test_output_keeps_head_and_tail(sandbox: Sandbox) -> None:
    code = "print('first'); print('x' * 3_000_000); print('last')"
    result = await sandbox.execute(
        ExecRequest(argv=("python3", "-c", code), output_limit_bytes=1000)
    )
    assert result.is_success
    assert result.is_truncated
    assert result.stdout.startswith("first\n")
    assert result.stdout.endswith("last\n")
    assert "bytes cut" in result.stdout
    assert len(result.stdout) < 1100


async def test_memory_is_reported_and_the_sandbox_goes_on(kind: str, sandbox: Sandbox) -> None:
    result = await python(sandbox, "x = bytearray(2_000_000_000)")
    assert not result.is_success
    assert result.reason is ExitReason.MEMORY or (kind == "foreign" and result.exit_code == 137)
    assert (await run(sandbox, "true")).is_success


async def test_cancelling_stops_the_command(sandbox: Sandbox) -> None:
    task = asyncio.create_task(run(sandbox, "sh", "-c", "touch begun; exec sleep 77"))
    async with asyncio.timeout(5):
        while not any(entry.path == "begun" for entry in await sandbox.list_files()):
            pass
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    left = await run(sandbox, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "sleep 77" not in left.stdout


async def test_files_round_trip(sandbox: Sandbox) -> None:
    content = bytes(range(256)) * 400
    await sandbox.write_files({"a/b/c.bin": content, "top.txt": b"one"})
    await sandbox.write_file("a/run.sh", b"#!/bin/sh\necho hi\n", mode=0o755)
    await sandbox.write_file("top.txt", b"two")
    assert await sandbox.read_file("a/b/c.bin") == content
    assert await sandbox.read_file("./top.txt") == b"two"
    assert (await run(sandbox, "/work/a/run.sh")).stdout == "hi\n"
    entries = {entry.path: entry for entry in await sandbox.list_files()}
    assert set(entries) == {"a", "a/b", "a/b/c.bin", "a/run.sh", "top.txt"}
    assert entries["a"].is_dir
    assert entries["a/b/c.bin"].size == len(content)
    assert entries["a/run.sh"].mode == 0o755
    assert {entry.path for entry in await sandbox.list_files(depth=1)} == {"a", "top.txt"}
    assert [entry.path for entry in await sandbox.list_files("a/b")] == ["a/b/c.bin"]
    await sandbox.remove("a")
    await sandbox.remove("top.txt")
    assert await sandbox.list_files() == []


async def test_missing_and_oversized_files(sandbox: Sandbox) -> None:
    with pytest.raises(FileMissing):
        await sandbox.read_file("none.txt")
    with pytest.raises(FileMissing):
        await sandbox.remove("none.txt")
    with pytest.raises(FileMissing):
        await sandbox.list_files("none")
    await sandbox.write_file("big.bin", b"x" * 2000)
    with pytest.raises(FileTooLarge):
        await sandbox.read_file("big.bin", limit_bytes=1999)
    assert len(await sandbox.read_file("big.bin", limit_bytes=2000)) == 2000


async def test_a_full_workspace_is_said_and_heals(kind: str, sandbox: Sandbox) -> None:
    if kind == "foreign":
        pytest.skip("the size of a foreign server's disk is its own affair")
    await sandbox.write_file("kept.txt", b"kept")
    filled = await run(sandbox, "sh", "-c", "head -c 200000000 /dev/zero > fill; ls -s fill")
    assert "No space left" in filled.stderr
    with pytest.raises(WorkspaceFull):
        await sandbox.write_file("more.bin", b"x" * 3_000_000)
    with pytest.raises(WorkspaceFull):
        await sandbox.write_file("kept.txt", b"x" * 3_000_000)
    assert await sandbox.read_file("kept.txt") == b"kept"
    await sandbox.remove("fill")
    await sandbox.write_file("more.bin", b"x" * 3_000_000)


async def test_service_life(sandbox: Sandbox) -> None:
    await sandbox.write_file("echo.py", ECHO_SERVER.encode())
    echo = ServiceSpec(name="echo", argv=("python3", "echo.py"), port=9000)
    with pytest.raises(ServiceMissing):
        await sandbox.service_status("echo")
    started = await sandbox.start_service(echo)
    assert started.is_running
    assert started.is_healthy
    with pytest.raises(PortTaken):
        await sandbox.start_service(echo.model_copy(update={"name": "second"}))
    again = await sandbox.start_service(echo)
    assert again.is_healthy
    assert "listening" in (await sandbox.service_status("echo")).log_tail
    await sandbox.stop_service("echo")
    await sandbox.stop_service("echo")
    with pytest.raises(PortClosed):
        await sandbox.connect(9000)


async def test_a_new_start_waits_until_the_old_service_let_go(sandbox: Sandbox) -> None:
    """It has much memory to give back, which takes longer than hearing the signal."""
    heavy = "kept = b'x' * 150_000_000\n" + ECHO_SERVER
    await sandbox.write_file("echo.py", heavy.encode())
    echo = ServiceSpec(name="echo", argv=("python3", "echo.py"), port=9000)
    for _ in range(3):
        assert (await sandbox.start_service(echo)).is_healthy


async def test_a_service_that_fails_says_why(sandbox: Sandbox) -> None:
    code = "import sys; print('no such table'); sys.exit(4)"
    status = await sandbox.start_service(
        ServiceSpec(name="bad", argv=("python3", "-c", code), port=9001)
    )
    assert not status.is_running
    assert not status.is_healthy
    assert status.exit_code == 4
    assert "no such table" in status.log_tail


async def test_a_service_that_never_listens_is_unhealthy(sandbox: Sandbox) -> None:
    status = await sandbox.start_service(
        ServiceSpec(name="idle", argv=("sleep", "60"), port=9002, start_timeout_seconds=0.3)
    )
    assert status.is_running
    assert not status.is_healthy


async def test_streams_carry_bytes_both_ways(sandbox: Sandbox) -> None:
    await sandbox.write_file("echo.py", ECHO_SERVER.encode())
    await sandbox.start_service(ServiceSpec(name="echo", argv=("python3", "echo.py"), port=9000))
    payload = bytes(range(256)) * 4000
    for _ in range(3):
        reader, writer = await sandbox.connect(9000)
        writer.write(payload)
        writer.write_eof()
        assert await reader.read(-1) == payload
        writer.close()


async def test_what_the_image_has_is_installed_without_a_network(sandbox: Sandbox) -> None:
    result = await sandbox.install(["fastapi", "httpx>=0.20", "uvicorn"])
    assert result.is_success
    assert "Collecting" not in result.stdout


async def test_install_refuses_all_but_names(sandbox: Sandbox) -> None:
    with pytest.raises(RequirementRefused):
        await sandbox.install(["requests @ https://example.org/x.whl"])


async def test_install_fetches_wheels(sandbox: Sandbox) -> None:
    result = await sandbox.install(["itsdangerous==2.2.0"])
    assert result.is_success, result.stderr
    shown = await python(sandbox, "import itsdangerous; print(itsdangerous.__file__)")
    assert shown.stdout.startswith("/work/.packages/")
    nothing = await sandbox.install(["diono-no-such-package-0"], timeout_seconds=60)
    assert nothing.reason is ExitReason.EXITED
    assert nothing.exit_code != 0
    assert "diono-no-such-package-0" in nothing.stderr
