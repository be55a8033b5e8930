"""Gets a sandbox its machine: a warm one from the pool, or a new one; with its disk at /work."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

from diono.sandbox.engine import link, mounts
from diono.sandbox.engine.api import EngineApi
from diono.sandbox.engine.disks import Disk, DiskKind, Disks
from diono.sandbox.engine.link import GuestLost
from diono.sandbox.engine.machines import Blueprint, Machine, Machines
from diono.sandbox.engine.places import Place
from diono.sandbox.engine.pool import Pool
from diono.sandbox.engine.records import Row, new_name
from diono.sandbox.engine.undivided import undivided
from diono.sandbox.errors import EngineMissing, StorageFull
from diono.sandbox.fleet import Egress, NetworkPolicy

_COLD_STARTS_AT_ONCE = 4
_FIRST_BACK_OFF_SECONDS = 0.25
_LONGEST_BACK_OFF_SECONDS = 30.0


def lets_anything_out(policy: NetworkPolicy) -> bool:
    return policy.is_open or bool(policy.allow_out)


@dataclass(frozen=True)
class Ground:
    """What sandboxes stand on, once the engine has been reached."""

    engine: EngineApi
    machines: Machines
    disks: Disks
    egress: Egress
    pool: Pool


class BackOff:
    """An image whose machines do not start is not tried at every request."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float, str]] = {}

    def check(self, image: str) -> None:
        count, not_before, detail = self._failures.get(image, (0, 0.0, ""))
        remaining = not_before - time.monotonic()
        if count > 1 and remaining > 0:
            raise EngineMissing(f"{detail} (it is tried again in {remaining:.0f} s)")

    def note_failure(self, image: str, error: EngineMissing) -> None:
        count = self._failures.get(image, (0, 0.0, ""))[0] + 1
        delay = min(_FIRST_BACK_OFF_SECONDS * 2**count, _LONGEST_BACK_OFF_SECONDS)
        self._failures[image] = (count, time.monotonic() + delay, error.detail)

    def note_success(self, image: str) -> None:
        self._failures.pop(image, None)


class Claims:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._back_off = BackOff()
        self._starts = asyncio.Semaphore(_COLD_STARTS_AT_ONCE)

    def _volume_name(self, disk: Disk) -> str:
        return f"diono-{self._ground.machines.instance}-{disk.name}"

    async def claim(self, row: Row) -> Machine:
        """Return a running machine that serves ``row`` and no other, ever."""
        if row.volume is not None:
            disks, name = self._ground.disks, row.volume.name
            await asyncio.to_thread(disks.label, row.disk, row.owner, name)
        machine = self._ground.pool.take(row.template) if self._ground.disks.is_loop else None
        if machine is not None:
            try:
                return await self._claim_warm(machine, row)
            except StorageFull:
                await self._discard(machine)
                raise
            except (EngineMissing, GuestLost):
                await self._discard(machine)
            except BaseException:
                await asyncio.shield(self._discard(machine))
                raise
        self._back_off.check(row.template.image)
        with self._ground.pool.yielding():
            async with self._starts:
                try:
                    machine = await self._start_cold(row)
                except EngineMissing as error:
                    self._back_off.note_failure(row.template.image, error)
                    raise
        self._back_off.note_success(row.template.image)
        return machine

    async def _claim_warm(self, machine: Machine, row: Row) -> Machine:
        if machine.limits.model_copy(update={"disk_mb": row.limits.disk_mb}) != row.limits:
            await self._ground.machines.set_limits(machine, row.limits)
        device = await self._attach(row, machine.place)
        await self._ground.machines.thaw(machine)
        await self._introduce(machine, row, device)
        return machine

    async def _start_cold(self, row: Row) -> Machine:
        ground = self._ground
        machine_id = new_name()
        place = await ground.machines.prepare(machine_id)
        work = "" if ground.disks.is_loop else self._volume_name(row.disk)
        template = row.template
        blueprint = Blueprint(
            template.image, row.limits, work, template.preimports, template.runtime
        )
        device = None
        try:
            if ground.disks.is_loop:
                device = await self._attach(row, place)
            machine = await ground.machines.start(machine_id, place, blueprint)
        except BaseException:
            with contextlib.suppress(EngineMissing):
                await asyncio.shield(ground.machines.remove_named(machine_id))
            raise
        try:
            await self._introduce(machine, row, device)
        except BaseException as error:
            await asyncio.shield(self._discard(machine))
            if isinstance(error, GuestLost):
                raise EngineMissing(f"the new sandbox does not work: {error}") from error
            raise
        return machine

    async def _attach(self, row: Row, place: Place) -> int:
        def attach() -> int:
            self._prepare_disk(row)
            return self._ground.disks.attach(row.disk, place.slot)

        return await undivided(asyncio.to_thread(attach))

    def _prepare_disk(self, row: Row) -> None:
        disks = self._ground.disks
        if row.template.snapshot_of and not disks.has(row.disk):
            disks.copy(Disk(kind=DiskKind.SNAPSHOT, key=row.template.template_id), row.disk)
        disks.ensure(row.disk, row.limits.disk_mb)

    async def _introduce(self, machine: Machine, row: Row, device: int | None) -> None:
        """Tell the guest whom it serves, and check that it sees its own workspace."""
        self._ground.egress.set_policy(machine.machine_id, row.network)
        seen = await link.configure(machine.dialer, settings_of(row))
        is_told = device is not None and not machine.is_apart  # else it has its own numbers
        if is_told and seen.device != device:
            raise EngineMissing(
                "the sandbox does not see its own workspace (is the service in another mount "
                "namespace than the engine?); set the quota mode to 'volume'"
            )

        if row.template.start_command:
            await link.start_program(
                machine.dialer, row.template.start_command, row.template.ready_command
            )

    async def resume(self, machine: Machine, row: Row) -> None:
        """Thaw a machine that serves ``row``. EngineMissing or GuestLost: its memory is lost."""
        await self._ground.machines.thaw(machine)
        await link.configure(machine.dialer, settings_of(row))

    async def reconfigure(self, machine: Machine, row: Row) -> None:
        self._ground.egress.set_policy(machine.machine_id, row.network)
        await link.configure(machine.dialer, settings_of(row))

    async def _discard(self, machine: Machine) -> None:
        with contextlib.suppress(EngineMissing):
            await self._ground.machines.remove(machine)

    async def drop_disk(self, disk: Disk) -> bool:
        """Delete a disk nobody uses; False if there was none."""
        if not self._ground.disks.is_loop:
            await self._ground.engine.drop_volume(self._volume_name(disk))
        return await asyncio.to_thread(self._ground.disks.delete, disk)

    async def give_back(self, machine: Machine) -> None:
        """A kept disk costs what it holds while no sandbox runs on it."""
        if self._ground.disks.is_loop:
            with contextlib.suppress(OSError, mounts.MountProblem):
                await asyncio.to_thread(self._ground.disks.give_back, machine.place.slot)

    async def sync(self, machine: Machine) -> None:
        """Write the workspace out, so that a kill of the machine loses nothing."""
        if self._ground.disks.is_loop:
            with contextlib.suppress(OSError, mounts.MountProblem):
                await asyncio.to_thread(mounts.sync_filesystem, machine.place.slot)


def settings_of(row: Row) -> dict[str, object]:
    return {
        "env": dict(row.env),
        "access_token": row.access_token,
        "egress": lets_anything_out(row.network),
        "user": "user",
        "hostname": row.sandbox_id,
    }
