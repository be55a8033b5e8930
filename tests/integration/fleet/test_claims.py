"""Who gets which sandbox: idempotency, volumes, quotas, snapshots, forks."""

import asyncio
from collections import Counter

import pytest
from integration.fleet import rigs
from integration.fleet.rigs import lifetime, python, request

from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.errors import QuotaReached, TemplateMissing, VolumeBusy
from diono.sandbox.fleet import SandboxInfo, SandboxState, VolumeMount

pytestmark = pytest.mark.engine

VOLUME = VolumeMount(name="project")


async def test_one_key_gives_one_sandbox(fleet: DockerFleet) -> None:
    asked = [fleet.create(request(idempotency_key="k")) for _ in range(5)]
    made = await asyncio.gather(*asked)
    assert len({each.sandbox_id for each in made}) == 1
    other = await fleet.create(request(owner="other", idempotency_key="k"))
    assert other.sandbox_id != made[0].sandbox_id


async def test_a_volume_serves_one_sandbox_at_a_time_and_is_kept(fleet: DockerFleet) -> None:
    first = await fleet.create(request(volume=VOLUME))
    await python(fleet, first.sandbox_id, "open('/work/kept', 'w').write('yes')")
    with pytest.raises(VolumeBusy, match=first.sandbox_id):
        await fleet.create(request(volume=VOLUME))
    with pytest.raises(VolumeBusy):
        await fleet.delete_volume("owner", "project")
    await fleet.kill(first.sandbox_id)
    second = await fleet.create(request(volume=VOLUME))
    assert "yes" in await python(fleet, second.sandbox_id, "print(open('/work/kept').read())")
    assert await fleet.volumes("owner") == ["project"]
    assert await fleet.volumes("other") == []
    await fleet.kill(second.sandbox_id)
    assert await fleet.delete_volume("owner", "project")
    assert not await fleet.delete_volume("owner", "project")


async def test_raced_creates_on_one_volume_give_one_sandbox(fleet: DockerFleet) -> None:
    asked = [fleet.create(request(volume=VOLUME)) for _ in range(8)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    kinds = Counter(type(result) for result in results)
    assert kinds == {SandboxInfo: 1, VolumeBusy: 7}


async def test_fifty_raced_creates_never_exceed_the_quota() -> None:
    config = rigs.new_config(owner_quota=3, total_quota=4, queue_seconds=1.0)
    async with rigs.running_fleet(config) as fleet:
        asked = [fleet.create(request()) for _ in range(50)]
        results = await asyncio.gather(*asked, return_exceptions=True)
        kinds = Counter(type(result) for result in results)
        assert kinds == {SandboxInfo: 3, QuotaReached: 47}
        assert len(rigs.containers(config)) == 3
        refusal = next(each for each in results if isinstance(each, QuotaReached))
        assert refusal.retry_after_seconds > 0
        other = await fleet.create(request(owner="other"))
        with pytest.raises(QuotaReached):
            await fleet.create(request(owner="third"))
        await fleet.kill(other.sandbox_id)
        await fleet.create(request(owner="third"))
    assert rigs.leftovers(config) == []
    rigs.forget(config)


async def test_a_paused_sandbox_leaves_its_place_to_others() -> None:
    config = rigs.new_config(owner_quota=1, queue_seconds=0.5)
    async with rigs.running_fleet(config) as fleet:
        first = await fleet.create(request())
        with pytest.raises(QuotaReached):
            await fleet.create(request())
        await fleet.pause(first.sandbox_id)
        second = await fleet.create(request())
        with pytest.raises(QuotaReached):
            await fleet.connect(first.sandbox_id, 60)
        await fleet.kill(second.sandbox_id)
        await fleet.connect(first.sandbox_id, 60)
    rigs.forget(config)


async def test_an_owners_quiet_sandbox_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diono.sandbox.engine.foundation._QUIET_SECONDS", 0.3)
    config = rigs.new_config(owner_quota=1, queue_seconds=5.0)
    async with rigs.running_fleet(config) as fleet:
        life = lifetime(idle=60, is_paused_at_end=True)
        first = await fleet.create(request(volume=VOLUME, lifetime=life))
        await fleet.create(request(volume=VolumeMount(name="other")))
        assert (await fleet.info(first.sandbox_id)).state is SandboxState.PAUSED
    rigs.forget(config)


async def test_a_snapshot_is_a_template_of_its_owner(fleet: DockerFleet) -> None:
    origin = await fleet.create(request())
    await python(fleet, origin.sandbox_id, "open('/work/kept', 'w').write('yes')")
    snapshot = await fleet.snapshot(origin.sandbox_id, "mine")
    await python(fleet, origin.sandbox_id, "open('/work/kept', 'w').write('no')")
    await fleet.kill(origin.sandbox_id)
    for name in (snapshot.snapshot_id, "mine"):
        copy = await fleet.create(request(template=name, limits=None))
        assert "yes" in await python(fleet, copy.sandbox_id, "print(open('/work/kept').read())")
    with pytest.raises(TemplateMissing):
        await fleet.create(request(owner="other", template=snapshot.snapshot_id))
    assert [each.snapshot_id for each in await fleet.snapshots("owner")] == [snapshot.snapshot_id]
    assert not await fleet.delete_snapshot(snapshot.snapshot_id, "other")
    assert await fleet.delete_snapshot(snapshot.snapshot_id, "owner")
    assert await fleet.snapshots("owner") == []


async def test_forks_go_their_own_way(fleet: DockerFleet) -> None:
    origin = await fleet.create(request(env={"A": "1"}))
    await python(fleet, origin.sandbox_id, "open('/work/x', 'w').write('origin')")
    forks = await fleet.fork(origin.sandbox_id, 2, 60)
    ids = [fork.sandbox_id for fork in forks if isinstance(fork, SandboxInfo)]
    assert len({*ids, origin.sandbox_id}) == 3
    await python(fleet, ids[0], "open('/work/x', 'w').write('fork')")
    said = [await python(fleet, each, "print(open('/work/x').read())") for each in ids]
    assert [each.strip() for each in said] == ["fork", "origin"]
    assert "origin" in await python(fleet, origin.sandbox_id, "print(open('/work/x').read())")
