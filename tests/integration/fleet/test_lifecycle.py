"""What a sandbox lives through: create, talk, time out, pause, wake, end."""

import asyncio

import pytest
from contract.waiting import until
from integration.fleet import rigs
from integration.fleet.rigs import lifetime, python, request, start_program

from diono.kernel.errors import InvalidInput
from diono.sandbox.config import SandboxConfig
from diono.sandbox.engine import link
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.errors import PortClosed, SandboxMissing, SandboxPaused, TemplateMissing
from diono.sandbox.fleet import ENVD_PORT, NetworkPolicy, PauseDepth, SandboxState, Streams

pytestmark = pytest.mark.engine


async def test_a_sandbox_is_created_found_listed_and_killed(fleet: DockerFleet) -> None:
    made = await fleet.create(request(env={"COLOUR": "blue"}, metadata={"a": "b"}))
    assert (await fleet.info(made.sandbox_id)).metadata == {"a": "b"}
    assert [each.sandbox_id for each in await fleet.list("owner")] == [made.sandbox_id]
    assert await fleet.list("somebody else") == []
    assert "blue" in await python(
        fleet, made.sandbox_id, "import os; print(os.environ.get('COLOUR'))"
    )
    assert await fleet.kill(made.sandbox_id)
    assert not await fleet.kill(made.sandbox_id)
    with pytest.raises(SandboxMissing, match="was not found"):
        await fleet.info(made.sandbox_id)


async def test_the_workspace_is_the_tenants_and_has_a_hard_size(fleet: DockerFleet) -> None:
    made = await fleet.create(request())
    code = (
        "import os\nprint(os.getuid(), os.stat('/work').st_uid, os.listdir('/work'))\n"
        "try:\n    open('/work/big', 'wb').write(bytes(64 << 20))\n"
        "except OSError as error:\n    print(error.strerror)"
    )
    said = await python(fleet, made.sandbox_id, code)
    assert "64100 64100 []" in said
    assert "No space left on device" in said


async def test_unknown_templates_and_ids_are_refused(fleet: DockerFleet) -> None:
    with pytest.raises(TemplateMissing):
        await fleet.create(request(template="no-such"))
    for call in (fleet.info, fleet.pause, fleet.metrics):
        with pytest.raises(SandboxMissing):
            await call("../../etc")
    with pytest.raises(SandboxMissing):
        await fleet.dial("nobody", ENVD_PORT)


async def _dial_when_open(fleet: DockerFleet, sandbox_id: str, port: int) -> Streams:
    async with asyncio.timeout(10):
        while True:
            try:
                return await fleet.dial(sandbox_id, port)
            except PortClosed:
                await asyncio.sleep(0.05)


async def test_a_dial_reaches_the_guest_and_open_ports_only(fleet: DockerFleet) -> None:
    made = await fleet.create(request())
    with pytest.raises(InvalidInput):
        await fleet.dial(made.sandbox_id, 70_000)
    with pytest.raises(PortClosed):
        await fleet.dial(made.sandbox_id, 8123)
    code = (
        "import socket; s = socket.create_server(('127.0.0.1', 8123))\n"
        "while True:\n    c, _ = s.accept(); c.sendall(b'hello')"
    )
    _, program = await start_program(fleet, made.sandbox_id, "python3", "-c", code)
    reader, writer = await _dial_when_open(fleet, made.sandbox_id, 8123)
    assert await asyncio.wait_for(reader.readexactly(5), 5) == b"hello"
    writer.close()
    program.close()


async def test_time_ends_a_sandbox_and_connecting_never_shortens(fleet: DockerFleet) -> None:
    made = await fleet.create(request(lifetime=lifetime(timeout=600)))
    info, is_woken = await fleet.connect(made.sandbox_id, 1)
    assert not is_woken
    assert abs((info.ends_at - made.ends_at).total_seconds()) < 2
    await fleet.set_timeout(made.sandbox_id, 0.3)
    await asyncio.sleep(0.5)
    with pytest.raises(SandboxMissing, match="its time was up"):
        await fleet.info(made.sandbox_id)


async def test_idleness_and_age_end_a_sandbox(fleet: DockerFleet) -> None:
    idle = await fleet.create(request(lifetime=lifetime(idle=2.0)))
    old = await fleet.create(request(lifetime=lifetime(idle=50, max_age=4.0)))
    for _ in range(4):
        await asyncio.sleep(0.8)
        await python(fleet, idle.sandbox_id, "print()")
    assert (await fleet.info(idle.sandbox_id)).state is SandboxState.RUNNING
    await asyncio.sleep(4)
    assert await fleet.list() == []
    with pytest.raises(SandboxMissing, match="its time was up"):
        await fleet.info(old.sandbox_id)


async def test_a_sandbox_pauses_at_its_end_and_wakes_on_traffic(fleet: DockerFleet) -> None:
    life = lifetime(timeout=0.5, is_paused_at_end=True, wakes_on_traffic=True)
    made = await fleet.create(request(lifetime=life))
    await asyncio.sleep(0.8)
    paused = await fleet.info(made.sandbox_id)
    assert (paused.state, paused.pause_depth) == (SandboxState.PAUSED, PauseDepth.FROZEN)
    assert "hi" in await python(fleet, made.sandbox_id, "print('hi')")
    assert (await fleet.info(made.sandbox_id)).state is SandboxState.RUNNING


async def test_ten_pauses_lose_no_file_and_no_memory(fleet: DockerFleet) -> None:
    made = await fleet.create(request())
    write = "import os; open('/work/data', 'wb').write(os.urandom(4 << 20))"
    checksum = "import hashlib; print(hashlib.sha256(open('/work/data', 'rb').read()).hexdigest())"
    await python(fleet, made.sandbox_id, write)
    expected = await python(fleet, made.sandbox_id, checksum)
    for round_number in range(10):
        assert await fleet.pause(made.sandbox_id, keeps_memory=round_number % 2 == 0)
        assert not await fleet.pause(made.sandbox_id)
        with pytest.raises(SandboxPaused):
            await fleet.dial(made.sandbox_id, ENVD_PORT)
        assert (await fleet.connect(made.sandbox_id, 60))[1]
        assert await python(fleet, made.sandbox_id, checksum) == expected


async def test_streams_break_at_a_pause(fleet: DockerFleet) -> None:
    made = await fleet.create(request())
    reader, writer = await fleet.dial(made.sandbox_id, ENVD_PORT)
    await fleet.pause(made.sandbox_id)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_the_ladder_goes_down_to_the_archive_and_back(
    fleet: DockerFleet, config: SandboxConfig
) -> None:
    made = await fleet.create(request())
    await python(fleet, made.sandbox_id, "open('/work/kept', 'w').write('yes')")
    await fleet.pause(made.sandbox_id)
    base, live = await fleet._live(made.sandbox_id)
    depths = []
    for _ in range(3):
        depths.append((await fleet.info(made.sandbox_id)).pause_depth)
        await base.life.demote(live)
    assert depths == [PauseDepth.FROZEN, PauseDepth.STOPPED, PauseDepth.ARCHIVED]
    assert rigs.leftovers(config) == []
    (archived,) = (config.state_dir / "archive").iterdir()
    assert archived.stat().st_blocks * 512 < archived.stat().st_size / 4
    await fleet.connect(made.sandbox_id, 60)
    assert "yes" in await python(fleet, made.sandbox_id, "print(open('/work/kept').read())")


async def test_a_container_that_ends_ends_its_sandbox(
    fleet: DockerFleet, config: SandboxConfig
) -> None:
    made = await fleet.create(request())
    (container,) = rigs.containers(config)
    rigs.kill_container(container)
    base = await fleet._ready()
    await until(lambda: base.table.find(made.sandbox_id) is None, "the sandbox is gone")
    with pytest.raises(SandboxMissing, match="its container ended"):
        await fleet.info(made.sandbox_id)
    await until(lambda: not rigs.leftovers(config), "nothing is left")


async def test_metrics_count_what_is_used(fleet: DockerFleet) -> None:
    made = await fleet.create(request())
    await python(fleet, made.sandbox_id, "open('/work/x', 'wb').write(bytes(8 << 20))")
    (sample,) = await fleet.metrics(made.sandbox_id)
    assert sample.memory_total == 256 << 20
    assert 1 << 20 < sample.memory_used < sample.memory_total
    assert 8 << 20 <= sample.disk_used <= sample.disk_total <= 32 << 20


async def test_the_network_policy_can_change(fleet: DockerFleet) -> None:
    made = await fleet.create(request())
    await fleet.set_network(made.sandbox_id, NetworkPolicy(allow_out=("example.org",)))
    assert (await fleet.info(made.sandbox_id)).network.allow_out == ("example.org",)


async def test_health_tells_the_quota_mode_and_the_templates(fleet: DockerFleet) -> None:
    health = await fleet.health()
    assert health.is_ready, health.problem
    assert "ext4 image" in health.quota_mode
    assert "base" in health.templates


async def test_a_guest_that_replaces_its_socket_is_not_followed(
    fleet: DockerFleet, config: SandboxConfig
) -> None:
    made = await fleet.create(request())
    decoy = config.state_dir / "decoy.sock"
    server = await asyncio.start_unix_server(lambda _r, w: w.close(), decoy)
    code = f"import os; s = '/run/diono/guest.sock'; os.unlink(s); os.symlink('{decoy}', s)"
    await python(fleet, made.sandbox_id, code)
    _, live = await fleet._live(made.sandbox_id)
    assert live.machine is not None
    with pytest.raises(link.GuestLost):
        await live.machine.dialer.dial()
    server.close()
    await server.wait_closed()
