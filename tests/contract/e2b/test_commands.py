"""sandbox.commands of the official SDKs."""

import asyncio

import pytest
from contract.e2b.uniform import Uniform
from e2b import (
    CommandExitException,
    InvalidArgumentException,
    NotFoundException,
    SandboxException,
    TimeoutException,
)

pytestmark = pytest.mark.engine


async def test_a_command_gives_its_output_and_exit_code(sandbox: Uniform) -> None:
    result = await sandbox.commands.run("echo out; echo err >&2")
    assert (result.stdout, result.stderr, result.exit_code) == ("out\n", "err\n", 0)


async def test_a_failed_command_raises_with_its_output(sandbox: Uniform) -> None:
    with pytest.raises(CommandExitException) as caught:
        await sandbox.commands.run("echo before; echo why >&2; exit 3")
    assert caught.value.exit_code == 3
    assert caught.value.stdout == "before\n"
    assert caught.value.stderr == "why\n"


async def test_working_folder_environment_and_user(sandbox: Uniform) -> None:
    result = await sandbox.commands.run("pwd; echo $NAME; whoami", cwd="/tmp", envs={"NAME": "a b"})
    assert result.stdout == "/tmp\na b\nuser\n"
    result = await sandbox.commands.run("whoami", user="root")
    assert result.stdout == "root\n"


async def test_environment_of_the_sandbox_reaches_every_command(sdk: Uniform) -> None:
    sandbox = await sdk.create(envs={"OF_ALL": "1"}, timeout=60)
    try:
        assert (await sandbox.commands.run("echo $OF_ALL")).stdout == "1\n"
        assert (await sandbox.commands.run("echo $OF_ALL", envs={"OF_ALL": "2"})).stdout == "2\n"
    finally:
        await sandbox.kill()


async def test_output_arrives_while_the_command_runs(sandbox: Uniform) -> None:
    seen: list[str] = []
    errors: list[str] = []
    await sandbox.commands.run(
        "echo one; echo two >&2", on_stdout=seen.append, on_stderr=errors.append
    )
    assert "".join(seen) == "one\n"
    assert "".join(errors) == "two\n"


async def test_unicode_and_large_output_are_whole(sandbox: Uniform) -> None:
    result = await sandbox.commands.run("python3 -c \"print('Grüße 你好 🎉' * 20000)\"")
    assert result.stdout == "Grüße 你好 🎉" * 20000 + "\n"


async def test_a_background_command_is_waited_for(sandbox: Uniform) -> None:
    handle = await sandbox.commands.run("sleep 0.2; echo done", background=True)
    assert handle.pid > 0
    result = await handle.wait()
    assert result.stdout == "done\n"


async def test_a_background_command_is_listed_connected_and_killed(sandbox: Uniform) -> None:
    handle = await sandbox.commands.run("echo started; sleep 60", background=True)
    pids = [process.pid for process in await sandbox.commands.list()]
    assert handle.pid in pids
    again = await sandbox.commands.connect(handle.pid)
    assert again.pid == handle.pid
    assert await sandbox.commands.kill(handle.pid) is True
    with pytest.raises(CommandExitException):
        await handle.wait()
    with pytest.raises(CommandExitException):
        await again.wait()
    assert await sandbox.commands.kill(handle.pid) is False


async def test_a_handle_kills_its_command(sandbox: Uniform) -> None:
    handle = await sandbox.commands.run("sleep 60", background=True)
    assert await handle.kill() is True
    with pytest.raises(CommandExitException):
        await handle.wait()
    assert await handle.kill() is False


async def test_input_reaches_a_command_and_ends(sandbox: Uniform) -> None:
    handle = await sandbox.commands.run("cat", background=True, stdin=True)
    await sandbox.commands.send_stdin(handle.pid, "first ")
    await handle.send_stdin("second")
    await handle.close_stdin()
    assert (await handle.wait()).stdout == "first second"


async def test_input_without_stdin_is_refused(sandbox: Uniform) -> None:
    handle = await sandbox.commands.run("sleep 60", background=True)
    with pytest.raises(SandboxException):
        await sandbox.commands.send_stdin(handle.pid, "text")
    await handle.kill()
    await handle.disconnect()


async def test_a_command_ends_at_its_time_limit(sandbox: Uniform) -> None:
    with pytest.raises(TimeoutException):
        await sandbox.commands.run("sleep 60", timeout=0.5)


async def test_a_command_without_time_limit_runs_on(sandbox: Uniform) -> None:
    assert (await sandbox.commands.run("sleep 0.1; echo ok", timeout=0)).stdout == "ok\n"


async def test_a_connection_to_no_process_is_not_found(sandbox: Uniform) -> None:
    with pytest.raises(NotFoundException):
        await sandbox.commands.connect(999_999)


async def test_a_missing_working_folder_is_named(sandbox: Uniform) -> None:
    with pytest.raises((InvalidArgumentException, NotFoundException)):
        await sandbox.commands.run("pwd", cwd="/no/such/folder")


async def test_commands_run_side_by_side(sandbox: Uniform) -> None:
    works = [sandbox.commands.run(f"sleep 0.2; echo {number}") for number in range(10)]
    results = await asyncio.gather(*works)
    assert [result.stdout for result in results] == [f"{number}\n" for number in range(10)]


async def test_a_disconnected_command_lives_on(sandbox: Uniform) -> None:
    handle = await sandbox.commands.run("sleep 60", background=True)
    await handle.disconnect()
    assert handle.pid in [process.pid for process in await sandbox.commands.list()]
    assert await sandbox.commands.kill(handle.pid) is True
