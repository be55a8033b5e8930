"""What was written a moment ago, and never synced, is in every copy: also while containers that
are being started hold on to file systems that were unmounted."""

import asyncio
import contextlib
import subprocess
import time

import pytest
from integration.fleet.rigs import python, request

from diono.sandbox.engine.fleet import DockerFleet

pytestmark = pytest.mark.engine

_ROUNDS = 1  # 8 were run by hand under load: 24 copies, none lacked anything
_WRITE = """
import hashlib, os
data = os.urandom(300_000)
os.makedirs("/work/{0}", exist_ok=True)
with open("/work/{0}/new.tmp", "wb") as sink:
    sink.write(data)
os.rename("/work/{0}/new.tmp", "/work/{0}/new")
print(hashlib.sha256(data).hexdigest())
"""
_READ = """
import hashlib
print(hashlib.sha256(open("/work/{0}/new", "rb").read()).hexdigest())
"""


_HELD_SECONDS = 0.6


async def test_a_copy_waits_for_an_unmounted_disk_that_is_still_held(fleet: DockerFleet) -> None:
    """What another mount namespace can do to our mounts, made to last."""
    made = await fleet.create(request())
    _, live = await fleet._live(made.sandbox_id)
    assert live.machine is not None
    hold = f"mount --bind {live.machine.place.slot} /mnt && echo held && exec sleep 60"
    argv = ("unshare", "--mount", "sh", "-c", hold)
    holder = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"held\n"
        written = await python(fleet, made.sandbox_id, _WRITE.format(0))
        await fleet.pause(made.sandbox_id, keeps_memory=False)
        asyncio.get_running_loop().call_later(_HELD_SECONDS, holder.kill)
        started = time.monotonic()
        taken = await fleet.snapshot(made.sandbox_id)
        assert time.monotonic() - started > _HELD_SECONDS
    finally:
        with contextlib.suppress(ProcessLookupError):
            holder.kill()
        await holder.wait()
    copy = await fleet.create(request(template=taken.snapshot_id, limits=None))
    assert await python(fleet, copy.sandbox_id, _READ.format(0)) == written


async def _churn(fleet: DockerFleet, done: asyncio.Event) -> None:
    while not done.is_set():
        made = await fleet.create(request("somebody else"))
        await fleet.kill(made.sandbox_id)


async def _round(fleet: DockerFleet, number: int, keeps_memory: bool | None) -> None:
    made = await fleet.create(request())
    written = await python(fleet, made.sandbox_id, _WRITE.format(number))
    if keeps_memory is not None:
        await fleet.pause(made.sandbox_id, keeps_memory=keeps_memory)
    taken = await fleet.snapshot(made.sandbox_id)
    copy = await fleet.create(request(template=taken.snapshot_id, limits=None))
    assert await python(fleet, copy.sandbox_id, _READ.format(number)) == written
    for each in (made, copy):
        await fleet.kill(each.sandbox_id)
    assert await fleet.delete_snapshot(taken.snapshot_id, "owner")


async def test_what_was_just_written_is_in_every_snapshot(fleet: DockerFleet) -> None:
    done = asyncio.Event()
    churns = [asyncio.create_task(_churn(fleet, done)) for _ in range(2)]
    try:
        for number in range(_ROUNDS):
            for keeps_memory in (None, True, False):
                await _round(fleet, number, keeps_memory)
    finally:
        done.set()
        await asyncio.gather(*churns)
