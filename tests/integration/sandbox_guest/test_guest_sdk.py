"""The official SDK, unchanged, against the guest alone: commands, files, watch, pty."""

import asyncio
from pathlib import Path

import pytest
from e2b import AsyncSandbox, CommandExitException, PtySize, Sandbox
from e2b.connection_config import ConnectionConfig
from e2b.exceptions import (
    AuthenticationException,
    FileNotFoundException,
    InvalidArgumentException,
    NotFoundException,
    TimeoutException,
)
from integration.sandbox_guest.rig import Guest, wait_until
from packaging.version import Version

OPTIONS = {"sandbox_id": "guest", "sandbox_domain": None, "envd_version": Version("0.6.4")}


@pytest.fixture
def config(url: str) -> ConnectionConfig:
    return ConnectionConfig(api_key="e2b_" + "0" * 40, sandbox_url=url)


@pytest.fixture
def sandbox(config: ConnectionConfig) -> Sandbox:
    return Sandbox(
        **OPTIONS, connection_config=config, envd_access_token=None, traffic_access_token=None
    )


@pytest.fixture
def async_sandbox(config: ConnectionConfig) -> AsyncSandbox:
    return AsyncSandbox(
        **OPTIONS, connection_config=config, envd_access_token=None, traffic_access_token=None
    )


def test_commands(sandbox: Sandbox) -> None:
    assert sandbox.is_running()
    result = sandbox.commands.run("echo hi; echo err >&2", envs={"A": "1"}, cwd="/tmp")
    assert (result.stdout, result.stderr, result.exit_code) == ("hi\n", "err\n", 0)
    with pytest.raises(CommandExitException) as failed:
        sandbox.commands.run("exit 7")
    assert failed.value.exit_code == 7
    with pytest.raises(TimeoutException):
        sandbox.commands.run("sleep 30", timeout=0.5)
    with pytest.raises(InvalidArgumentException):
        sandbox.commands.run("true", cwd="/no/such/folder")
    with pytest.raises(AuthenticationException):
        sandbox.commands.run("true", user="nobody-here")


def test_background_commands(sandbox: Sandbox) -> None:
    handle = sandbox.commands.run("cat", background=True, stdin=True)
    assert [process.pid for process in sandbox.commands.list()] == [handle.pid]
    sandbox.commands.send_stdin(handle.pid, "one\n")
    sandbox.commands.stream_input(handle.pid, ["two\n", b"three\n"])
    sandbox.commands.close_stdin(handle.pid)
    assert handle.wait().stdout == "one\ntwo\nthree\n"
    sleeper = sandbox.commands.run("sleep 100", background=True)
    again = sandbox.commands.connect(sleeper.pid)
    assert again.pid == sleeper.pid
    assert sandbox.commands.kill(sleeper.pid)
    with pytest.raises(CommandExitException):
        again.wait()
    assert not sandbox.commands.kill(sleeper.pid)
    with pytest.raises(NotFoundException):
        sandbox.commands.connect(sleeper.pid)


def test_files(sandbox: Sandbox, guest: Guest, tmp_path: Path) -> None:
    files = sandbox.files
    written = files.write("a/b.txt", "text", metadata={"Kind": "note"})
    assert (written.name, written.path) == ("b.txt", f"{guest.home}/a/b.txt")
    assert files.read("a/b.txt") == "text"
    assert bytes(files.read("a/b.txt", format="bytes", gzip=True)) == b"text"
    with files.read("a/b.txt", format="stream") as stream:
        assert b"".join(stream) == b"text"
    many = [{"path": f"many/{i}.txt", "data": str(i)} for i in range(5)]
    assert len(files.write_files(many)) == 5
    assert files.write("z", b"x" * 100_000, gzip=True).name == "z"
    source = tmp_path / "big"
    source.write_bytes(b"y" * 2_000_000)
    with source.open("rb") as content:
        files.write("big", content)
    assert (guest.home / "big").stat().st_size == 2_000_000
    assert files.get_info("a/b.txt").size == 4
    assert sorted(entry.name for entry in files.list("many")) == [f"{i}.txt" for i in range(5)]
    assert files.make_dir("dir")
    assert not files.make_dir("dir")
    assert files.rename("a/b.txt", "dir/c.txt").path == f"{guest.home}/dir/c.txt"
    assert not files.exists("a/b.txt")
    files.remove("dir")
    for broken in (lambda: files.read("none"), lambda: files.list("none")):
        with pytest.raises(FileNotFoundException):
            broken()


def test_watch(sandbox: Sandbox) -> None:
    sandbox.files.make_dir("w")
    handle = sandbox.files.watch_dir("w", recursive=True, include_entry=True)
    sandbox.files.write("w/deep/file", "x")
    events = handle.get_new_events()
    wait_until(lambda: bool(events.extend(handle.get_new_events()) or "deep/file" in str(events)))
    handle.stop()
    with pytest.raises(FileNotFoundException):
        sandbox.files.watch_dir("none")


def test_pty(sandbox: Sandbox) -> None:
    handle = sandbox.pty.create(PtySize(rows=30, cols=100))
    sandbox.pty.resize(handle.pid, PtySize(rows=40, cols=120))
    sandbox.pty.send_stdin(handle.pid, b"stty size; tty; exit 5\n")
    seen = bytearray()
    with pytest.raises(CommandExitException) as ended:
        handle.wait(on_pty=seen.extend)
    assert ended.value.exit_code == 5
    assert b"40 120" in seen
    assert b"/dev/pts/" in seen


async def test_async_sdk(async_sandbox: AsyncSandbox) -> None:
    sandbox = async_sandbox
    results = await asyncio.gather(*(sandbox.commands.run(f"echo {i}") for i in range(8)))
    assert [result.stdout for result in results] == [f"{i}\n" for i in range(8)]
    await sandbox.files.make_dir("w")
    seen: asyncio.Queue[str] = asyncio.Queue()
    handle = await sandbox.files.watch_dir("w", on_event=lambda event: seen.put_nowait(event.name))
    await sandbox.files.write("w/file", "x")
    assert await asyncio.wait_for(seen.get(), 10) == "file"
    await handle.stop()
    terminal = await sandbox.pty.create(PtySize(rows=24, cols=80), on_data=lambda _: None)
    await sandbox.pty.send_stdin(terminal.pid, b"exit 0\n")
    assert (await terminal.wait()).exit_code == 0
