"""Isolation tiers: which there are, who may have them, and guests that share no socket with us."""

import pytest
from integration.fleet import rigs
from integration.fleet.rigs import python, request, start_program

from diono.kernel.errors import InvalidInput
from diono.sandbox.engine import apart
from diono.sandbox.engine.fleet import DockerFleet

pytestmark = pytest.mark.engine

_UNTRUSTED = """
import http.client
connection = http.client.HTTPConnection("127.0.0.1", 49983)
connection.request("GET", "/health")
print(connection.getresponse().status)
print([line.split()[0] for line in open("/proc/net/dev").readlines()[2:]])
"""
_WAIT_FOR_PORT = """
import socket, time
while socket.socket().connect_ex(("127.0.0.1", 8000)):
    time.sleep(0.05)
"""


async def test_a_runtime_that_is_not_there_is_refused(fleet: DockerFleet) -> None:
    assert "runc" in (await fleet.health()).runtimes
    with pytest.raises(InvalidInput, match=r"'kata-none' is not to be had here; there is: runc"):
        await fleet.create(request(runtime="kata-none"))
    assert await fleet.list() == []
    made = await fleet.create(request(runtime="runc"))
    assert "1" in await python(fleet, made.sandbox_id, "print(1)")


async def test_a_guest_without_a_shared_socket_is_reached_through_its_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apart, "APART_RUNTIMES", frozenset({"runc"}))
    config = rigs.new_config(pool_size=1)
    async with rigs.running_fleet(config) as fleet:
        made = await fleet.create(request(limits=None))
        said = await python(fleet, made.sandbox_id, _UNTRUSTED)
        assert said.splitlines() == ["401", "['lo:']"]
        (place,) = (config.state_dir / "run").iterdir()
        assert list(place.iterdir()) == []
        await python(fleet, made.sandbox_id, "open('/work/kept', 'w').write('yes')")
        argv = ("python3", "-m", "http.server", "8000", "--bind", "127.0.0.1")
        _, writer = await start_program(fleet, made.sandbox_id, *argv)
        writer.close()
        await python(fleet, made.sandbox_id, _WAIT_FOR_PORT)
        _, writer = await fleet.dial(made.sandbox_id, 8000)
        writer.close()
        await fleet.pause(made.sandbox_id)
        await fleet.connect(made.sandbox_id, 60)
        await fleet.pause(made.sandbox_id, keeps_memory=False)
        await fleet.connect(made.sandbox_id, 60)
        assert "yes" in await python(fleet, made.sandbox_id, "print(open('/work/kept').read())")
        async with rigs.running_fleet(config) as heir:  # takes over what runs
            assert "2" in await python(heir, made.sandbox_id, "print(2)")
            assert await heir.kill(made.sandbox_id)
    assert rigs.leftovers(config) == []
    rigs.forget(config)
