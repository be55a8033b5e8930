"""Sandboxes' lives through the official SDKs."""

from datetime import UTC, datetime, timedelta

import pytest
from contract.e2b.uniform import Uniform
from e2b import (
    NotFoundException,
    SandboxException,
    SandboxState,
    TimeoutException,
)

pytestmark = pytest.mark.engine


async def test_a_sandbox_is_created_used_and_killed(sdk: Uniform) -> None:
    sandbox = await sdk.create(timeout=60, metadata={"purpose": "test"})
    assert await sandbox.is_running() is True
    info = await sandbox.get_info()
    assert info.sandbox_id == sandbox.sandbox_id
    assert (info.name, info.state, info.metadata) == (
        "base",
        SandboxState.RUNNING,
        {"purpose": "test"},
    )
    assert info.end_at - info.started_at >= timedelta(seconds=55)
    assert await sandbox.kill() is True
    assert await sandbox.is_running() is False
    assert await sdk.kill(sandbox.sandbox_id) is False


async def test_calls_to_a_killed_sandbox_say_so(sdk: Uniform) -> None:
    sandbox = await sdk.create(timeout=60)
    await sandbox.kill()
    with pytest.raises(TimeoutException, match="was not found"):
        await sandbox.commands.run("true")
    with pytest.raises(TimeoutException, match="was not found"):
        await sandbox.files.read("x")
    with pytest.raises(NotFoundException):
        await sandbox.get_info()
    with pytest.raises(NotFoundException):
        await sandbox.set_timeout(10)
    with pytest.raises(NotFoundException):
        await sdk.connect(sandbox.sandbox_id)


async def test_an_unknown_template_is_refused(sdk: Uniform) -> None:
    with pytest.raises(SandboxException, match="404"):
        await sdk.create("no-such-template", timeout=10)


async def test_the_time_limit_is_moved_and_ends_the_sandbox(sandbox: Uniform, sdk: Uniform) -> None:
    await sandbox.set_timeout(300)
    info = await sandbox.get_info()
    assert info.end_at - datetime.now(UTC) > timedelta(seconds=280)
    await sdk.set_timeout(sandbox.sandbox_id, 1)
    handle = await sandbox.commands.run("sleep 30", background=True)
    with pytest.raises((TimeoutException, SandboxException)):
        await handle.wait()
    assert await sandbox.is_running() is False


async def test_connecting_shares_the_sandbox_and_only_lengthens_its_life(
    sandbox: Uniform, sdk: Uniform
) -> None:
    before = await sandbox.get_info()
    again = await sdk.connect(sandbox.sandbox_id, timeout=5)
    await sandbox.files.write("shared.txt", "x")
    assert await again.files.read("shared.txt") == "x"
    assert (await again.get_info()).end_at >= before.end_at - timedelta(seconds=1)
    await again.connect(timeout=600)
    assert (await again.get_info()).end_at > before.end_at + timedelta(seconds=60)


@pytest.mark.parametrize("mode", ["full", "filesystem"])
async def test_a_paused_sandbox_wakes_when_connected(
    sandbox: Uniform, sdk: Uniform, mode: str
) -> None:
    await sandbox.files.write("kept.txt", "kept")
    handle = await sandbox.commands.run("sleep 100", background=True)
    await handle.disconnect()
    assert await sandbox.pause(keep_memory=mode == "full") is True
    assert await sandbox.pause() is False
    assert (await sandbox.get_info()).state is SandboxState.PAUSED
    assert await sandbox.is_running() is False
    woken = await sdk.connect(sandbox.sandbox_id, timeout=60)
    assert (await woken.get_info()).state is SandboxState.RUNNING
    assert await woken.files.read("kept.txt") == "kept"
    pids = [process.pid for process in await woken.commands.list()]
    assert (handle.pid in pids) is (mode == "full")


async def test_a_sandbox_pauses_at_its_end_and_wakes_on_traffic(sdk: Uniform) -> None:
    sandbox = await sdk.create(timeout=60, lifecycle={"on_timeout": "pause", "auto_resume": True})
    try:
        await sandbox.files.write("a.txt", "a")
        info = await sandbox.get_info()
        assert info.lifecycle == {"on_timeout": "pause", "auto_resume": True}
        await sandbox.pause()
        assert await sandbox.files.read("a.txt") == "a"
        assert (await sandbox.get_info()).state is SandboxState.RUNNING
    finally:
        await sandbox.kill()


async def test_metrics_are_measured(sandbox: Uniform) -> None:
    samples = await sandbox.get_metrics()
    assert samples
    last = samples[-1]
    assert last.cpu_count >= 1
    assert 0 < last.mem_used <= last.mem_total
    assert 0 < last.disk_used <= last.disk_total
    past = datetime.now(UTC) - timedelta(days=2)
    assert await sandbox.get_metrics(start=past, end=past + timedelta(hours=1)) == []


async def test_a_host_is_named_for_each_port(sandbox: Uniform) -> None:
    host = sandbox.inner.get_host(3000)
    assert host.startswith(f"3000-{sandbox.sandbox_id}.sandboxes.test:")


async def test_the_same_idempotency_key_gives_the_same_sandbox(sdk: Uniform) -> None:
    try:
        first = await sdk.create(timeout=60, idempotency_key="once-only-1")
    except TypeError:
        pytest.skip("this SDK has no idempotency keys")
    try:
        second = await sdk.create(timeout=60, idempotency_key="once-only-1")
        assert second.sandbox_id == first.sandbox_id
    finally:
        await first.kill()


async def test_snapshots_are_taken_listed_used_and_deleted(sandbox: Uniform, sdk: Uniform) -> None:
    await sandbox.files.write("in-snapshot.txt", "then")
    snapshot = await sandbox.create_snapshot(name="of-test")
    await sandbox.files.write("in-snapshot.txt", "now")
    listed: list[str] = []
    paginator = await sandbox.list_snapshots()
    while paginator.has_next:
        listed += [each.snapshot_id for each in await paginator.next_items()]
    assert snapshot.snapshot_id in listed
    copy = await sdk.create(snapshot.snapshot_id, timeout=60)
    try:
        assert await copy.files.read("in-snapshot.txt") == "then"
    finally:
        await copy.kill()
    assert await sdk.delete_snapshot(snapshot.snapshot_id) is True
    assert await sdk.delete_snapshot(snapshot.snapshot_id) is False


async def test_forks_are_copies(sandbox: Uniform) -> None:
    await sandbox.files.write("origin.txt", "same")
    forks = await sandbox.fork(count=2, timeout=60)
    try:
        assert len({fork.sandbox_id for fork in forks} | {sandbox.sandbox_id}) == 3
        for fork in forks:
            assert await fork.files.read("origin.txt") == "same"
        await forks[0].files.write("origin.txt", "changed")
        assert await sandbox.files.read("origin.txt") == "same"
    finally:
        for fork in forks:
            await fork.kill()
