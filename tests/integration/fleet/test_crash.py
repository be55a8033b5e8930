"""The process that holds the fleet dies at any step: the next one leaves no orphan."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from integration.fleet import rigs
from integration.fleet.rigs import python, request

from diono.sandbox.config import SandboxConfig
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.engine.live import Live
from diono.sandbox.fleet import PauseDepth, SandboxState

pytestmark = pytest.mark.engine

_BACKEND = Path(__file__).resolve().parents[3] / "backend"


async def _kill_at(config: SandboxConfig, step: str) -> None:
    """Start a fleet in a process of its own and kill it when it has come to ``step``."""
    program = Path(__file__).with_name("doomed.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), str(config.state_dir), step),
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(_BACKEND)},
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"there\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()


def _expected(config: SandboxConfig, fleet_size: int) -> None:
    assert len(rigs.containers(config)) == fleet_size
    assert len(rigs.loops(config)) == fleet_size


@pytest.mark.parametrize("step", ["row", "container", "guest", "claimed"])
async def test_a_start_that_was_cut_leaves_nothing(config: SandboxConfig, step: str) -> None:
    await _kill_at(config, step)
    async with rigs.running_fleet(config) as fleet:
        assert await fleet.list() == []
        assert rigs.leftovers(config) == []
        assert not list((config.state_dir / "disks").glob("own-*"))
        made = await fleet.create(request())
        assert "1" in await python(fleet, made.sandbox_id, "print(1)")


async def test_an_end_that_was_cut_is_finished(config: SandboxConfig) -> None:
    await _kill_at(config, "ending")
    async with rigs.running_fleet(config) as fleet:
        (kept,) = await fleet.list()
        assert kept.volume is not None
        _expected(config, 1)
        assert not list((config.state_dir / "disks").glob("own-*"))


async def test_what_runs_is_taken_over(config: SandboxConfig) -> None:
    await _kill_at(config, "running")
    async with rigs.running_fleet(config) as fleet:
        found = await fleet.list()
        assert [each.state for each in found] == [SandboxState.RUNNING] * 2
        _expected(config, 2)
        for each in found:
            assert "1" in await python(fleet, each.sandbox_id, "print(1)")
        assert 200 < (found[0].ends_at - found[0].started_at).total_seconds() < 310
    assert rigs.leftovers(config) == []


async def test_what_is_paused_survives(config: SandboxConfig) -> None:
    await _kill_at(config, "paused")
    async with rigs.running_fleet(config) as fleet:
        depths = {each.pause_depth for each in await fleet.list()}
        assert depths == {PauseDepth.FROZEN, PauseDepth.STOPPED}
        for each in await fleet.list():
            await fleet.connect(each.sandbox_id, 60)
            assert "1" in await python(fleet, each.sandbox_id, "print(1)")


async def test_a_dead_pool_is_taken_away(config: SandboxConfig) -> None:
    await _kill_at(config, "pool")
    async with rigs.running_fleet(config) as fleet:
        assert len(await fleet.list()) == 2
        _expected(config, 2)


async def test_an_orderly_end_keeps_paused_sandboxes_and_volumes(config: SandboxConfig) -> None:
    async with rigs.running_fleet(config) as fleet:
        made = await fleet.create(request())
        await python(fleet, made.sandbox_id, "open('/work/kept', 'w').write('yes')")
        await fleet.pause(made.sandbox_id)
    assert rigs.leftovers(config) == []
    async with rigs.running_fleet(config) as fleet:
        await fleet.connect(made.sandbox_id, 60)
        assert "yes" in await python(fleet, made.sandbox_id, "print(open('/work/kept').read())")


async def test_the_janitor_finds_what_nobody_knows(
    fleet: DockerFleet, config: SandboxConfig
) -> None:
    made = await fleet.create(request())
    base, live = await fleet._live(made.sandbox_id)
    machines = base.tools.ground.machines
    assert live.machine is not None
    machines._owned.clear()
    base.table.drop(live, "lost on purpose")
    for _ in range(3):
        await base.janitor.round()
    assert rigs.leftovers(config) == []


async def test_a_jump_of_the_wall_clock_ends_nobody(
    fleet: DockerFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await fleet.create(request())
    _, live = await fleet._live(made.sandbox_id)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    assert isinstance(live, Live)
    await asyncio.sleep(0.2)
    assert (await fleet.info(made.sandbox_id)).state is SandboxState.RUNNING
