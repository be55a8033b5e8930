"""What an earlier process left behind: sandboxes that still live are taken over, everything else
of this installation is taken away. Nothing of another installation is touched."""

import asyncio
import time

from diono.sandbox.engine import link
from diono.sandbox.engine.claims import Ground
from diono.sandbox.engine.disks import DiskKind
from diono.sandbox.engine.ledger import Ledger
from diono.sandbox.engine.life import Life
from diono.sandbox.engine.live import Live
from diono.sandbox.engine.machines import INSTANCE_LABEL, MACHINE_LABEL, Blueprint, Machine
from diono.sandbox.engine.places import Places
from diono.sandbox.engine.records import PAUSED_STAGES, Row, Stage, boot_id
from diono.sandbox.engine.tools import Tools


async def _adopted(ground: Ground, row: Row) -> Machine | None:
    """Return the machine of a row if it is as the row says: healthy, or frozen."""
    if not row.machine_id or row.boot != boot_id():
        return None
    blueprint = Blueprint(row.template.image, row.limits, runtime=row.template.runtime)
    machine = await ground.machines.adopt(row.machine_id, blueprint)
    if machine is None:
        return None
    if row.stage is Stage.FROZEN:
        return machine if machine.is_frozen else None
    if machine.is_frozen:  # killed in the middle of a pause or a wake
        await ground.machines.thaw(machine)
    if not await link.is_healthy(machine.dialer, seconds=5.0):
        return None
    ground.egress.set_policy(machine.machine_id, row.network)
    return machine


async def _settle(tools: Tools, life: Life, row: Row) -> str:
    """Take a row over or end it; return the id of the machine to keep, or nothing."""
    ground = tools.ground
    if row.stage in (Stage.RUNNING, Stage.FROZEN):
        machine = await _adopted(ground, row)
        if machine is not None:
            live = Live(row)
            live.paused_at = time.monotonic()
            life.adopt(live, machine)
            return row.machine_id
    has_disk = not ground.disks.is_loop or await asyncio.to_thread(ground.disks.has, row.disk)
    if row.stage in PAUSED_STAGES and has_disk:
        stage = Stage.ARCHIVED if row.stage is Stage.ARCHIVED else Stage.STOPPED
        kept = row.model_copy(update={"stage": stage, "machine_id": ""})
        await tools.ledger.put(kept)
        live = Live(kept)
        live.paused_at = time.monotonic()
        life.adopt(live, None)
    else:
        if row.disk.kind is DiskKind.OWN and not ground.disks.is_loop:
            await tools.claims.drop_disk(row.disk)
        await tools.ledger.drop(row.sandbox_id)
    return ""


async def _drop_containers(ground: Ground, kept: set[str]) -> None:
    label = f"{INSTANCE_LABEL}={ground.machines.instance}"
    for container in await ground.engine.list(label):
        machine_id = container.labels.get(MACHINE_LABEL, "")
        if machine_id not in kept:
            await ground.engine.remove(container.id)


async def reconcile(tools: Tools, life: Life, places: Places, ledger: Ledger) -> None:
    """Bring the engine, the mounts, the disks and the ledger to one story."""
    kept: set[str] = set()
    for row in await ledger.rows():
        machine_id = await _settle(tools, life, row)
        if machine_id:
            kept.add(machine_id)
    await _drop_containers(tools.ground, kept)
    await asyncio.to_thread(places.drop_all_but, kept)
    known = {live.row.disk.name for live in tools.table}
    known |= {row.disk.name for row in await ledger.snapshots()}
    await asyncio.to_thread(tools.ground.disks.drop_unknown, known)
