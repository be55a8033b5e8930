"""Memory: a sandbox that takes too much, and frozen ones when the machine has too little."""

import contextlib

import pytest
from contract.waiting import until
from integration.fleet import rigs
from integration.fleet.rigs import python, request

from diono.sandbox.engine import janitor, link
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.engine.link import GuestLost
from diono.sandbox.errors import SandboxMissing
from diono.sandbox.fleet import PauseDepth, VolumeMount
from diono.sandbox.port import Limits

pytestmark = pytest.mark.engine

_TIGHT = Limits(memory_mb=64, disk_mb=32, pids=64)


async def test_a_guest_out_of_memory_ends_its_sandbox_and_says_so(fleet: DockerFleet) -> None:
    volume = VolumeMount(name="kept")
    made = await fleet.create(request(limits=_TIGHT, volume=volume))
    await python(fleet, made.sandbox_id, "open('/work/file', 'w').write('safe')")
    _, live = await fleet._live(made.sandbox_id)
    assert live.machine is not None
    with contextlib.suppress(GuestLost):
        content = {"unknown": "#" * (40 << 20)}
        await link.call(live.machine.dialer, "POST", "/diono/configure", content)
    with pytest.raises(SandboxMissing, match="it ended: out of memory"):
        await until_gone(fleet, made.sandbox_id)
    again = await fleet.create(request(volume=volume))
    assert "safe" in await python(fleet, again.sandbox_id, "print(open('/work/file').read())")


async def until_gone(fleet: DockerFleet, sandbox_id: str) -> None:
    """Return by raising SandboxMissing."""
    base = await fleet._ready()
    await until(lambda: base.table.find(sandbox_id) is None, "the sandbox has ended", 10)
    await fleet.info(sandbox_id)


async def test_a_snippet_out_of_memory_leaves_its_sandbox(fleet: DockerFleet) -> None:
    made = await fleet.create(request(limits=_TIGHT))
    with pytest.raises(AssertionError, match=r"Killed|-9|137"):
        await python(fleet, made.sandbox_id, "hoard = b'x' * (200 << 20)")
    assert "1" in await python(fleet, made.sandbox_id, "print(1)")


async def test_frozen_sandboxes_give_their_memory_when_it_is_short(
    fleet: DockerFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = await fleet._ready()
    made = [await fleet.create(request()) for _ in range(2)]
    for each in made:
        await python(fleet, each.sandbox_id, "open('/work/file', 'w').write('safe')")
        await fleet.pause(each.sandbox_id)
    shares = iter([0.05, 0.5])
    monkeypatch.setattr(janitor, "free_memory_share", lambda: next(shares))
    await base.janitor.round()
    depths = [(await fleet.info(each.sandbox_id)).pause_depth for each in made]
    assert depths == [PauseDepth.STOPPED, PauseDepth.FROZEN]  # the longest asleep first
    assert len(rigs.containers(fleet._config)) == 1
    await fleet.connect(made[0].sandbox_id, 60)
    said = await python(fleet, made[0].sandbox_id, "print(open('/work/file').read())")
    assert "safe" in said
