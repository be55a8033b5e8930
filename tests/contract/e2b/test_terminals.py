"""sandbox.pty of the official SDKs."""

from typing import Any

import pytest
from contract.e2b.uniform import Uniform
from contract.waiting import until
from e2b import CommandExitException, PtySize

pytestmark = pytest.mark.engine


class Terminal:
    def __init__(self) -> None:
        self.seen = bytearray()

    async def start(self, sandbox: Uniform, is_async: bool, **options: Any) -> Any:
        size = PtySize(rows=24, cols=80)
        if is_async:
            return await sandbox.pty.create(size, on_data=self.seen.extend, **options)
        return await sandbox.pty.create(size, **options)


async def test_a_terminal_echoes_and_ends(sandbox: Uniform, is_async: bool) -> None:
    terminal = Terminal()
    handle = await terminal.start(sandbox, is_async, envs={"NAME": "value"}, cwd="/tmp")
    await sandbox.pty.send_stdin(handle.pid, b"echo [$NAME] $(pwd) $(stty size)\n")
    await sandbox.pty.resize(handle.pid, PtySize(rows=40, cols=120))
    await sandbox.pty.send_stdin(handle.pid, b"stty size; exit 0\n")
    if is_async:
        result = await handle.wait()
    else:
        result = await handle.wait(on_pty=terminal.seen.extend)
    assert result.exit_code == 0
    assert b"[value] /tmp 24 80" in terminal.seen or b"[value] /tmp 40 120" in terminal.seen
    assert b"40 120" in terminal.seen


async def test_a_terminal_is_killed(sandbox: Uniform, is_async: bool) -> None:
    handle = await Terminal().start(sandbox, is_async)
    assert await sandbox.pty.kill(handle.pid) is True
    with pytest.raises(CommandExitException):
        await handle.wait()
    assert await sandbox.pty.kill(handle.pid) is False


async def test_a_terminal_is_connected_to_again(sandbox: Uniform, is_async: bool) -> None:
    handle = await Terminal().start(sandbox, is_async)
    again = Terminal()
    if is_async:
        second = await sandbox.pty.connect(handle.pid, again.seen.extend)
        await sandbox.pty.send_stdin(handle.pid, b"echo two-$((1+1))\n")
        await until(lambda: b"two-2" in again.seen, "the second connection sees the output")
        await second.disconnect()
    else:
        second = await sandbox.pty.connect(handle.pid)
        assert second.pid == handle.pid
    await sandbox.pty.kill(handle.pid)
    await handle.disconnect()
