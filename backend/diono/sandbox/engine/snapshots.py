"""Copies of workspaces: snapshots to start others from, and forks. The rest of a machine is
read-only and comes from its template, so a disk is all there is to copy."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from diono.kernel.errors import Conflict, InvalidInput
from diono.sandbox.engine import mounts
from diono.sandbox.engine.claims import Ground
from diono.sandbox.engine.disks import Disk, DiskKind
from diono.sandbox.engine.ledger import Ledger
from diono.sandbox.engine.live import Live, Table
from diono.sandbox.engine.machines import Machine
from diono.sandbox.engine.records import SnapshotRow, new_name
from diono.sandbox.fleet import SnapshotInfo, Template

_FORKS_AT_ONCE = 20
_NAME_LIMIT = 128


class Snapshots:
    def __init__(self, ground: Ground, ledger: Ledger, table: Table) -> None:
        self._ground = ground
        self._ledger = ledger
        self._table = table
        self._lock = asyncio.Lock()

    async def _named(self, name_or_id: str, owner: str) -> SnapshotRow | None:
        name = name_or_id.removesuffix(":default")
        for row in reversed(await self._ledger.snapshots()):
            if row.owner == owner and name in (row.snapshot_id, row.name):
                return row
        return None

    async def template(self, name_or_id: str, owner: str) -> Template | None:
        """Return a snapshot of ``owner`` as the template it can be used as."""
        row = await self._named(name_or_id, owner) if name_or_id else None
        return None if row is None else row.as_template()

    async def list(self, owner: str, sandbox_id: str) -> Sequence[SnapshotInfo]:
        rows = [row for row in await self._ledger.snapshots() if row.owner == owner]
        return [row.info() for row in rows if sandbox_id in ("", row.sandbox_id)]

    async def take(self, live: Live, name: str) -> SnapshotInfo:
        if len(name) > _NAME_LIMIT:
            raise InvalidInput(f"a snapshot's name has at most {_NAME_LIMIT} characters")
        snapshot_id = f"snap{new_name()}"
        disk = Disk(kind=DiskKind.SNAPSHOT, key=snapshot_id)
        row = SnapshotRow(
            snapshot_id=snapshot_id,
            name=name,
            owner=live.row.owner,
            sandbox_id=live.row.sandbox_id,
            template=live.row.template,
            disk=disk,
            size_mb=live.row.limits.disk_mb,
            created=datetime.now(UTC),
        )
        await self._ledger.put_snapshot(row)
        try:
            async with self._still(live) as is_frozen:
                copy = self._ground.disks.copy
                await asyncio.to_thread(copy, live.row.disk, disk, True, is_frozen)
        except BaseException:
            await asyncio.shield(self._drop(row))
            raise
        return row.info()

    async def copies(self, live: Live, count: int) -> Sequence[Disk]:
        """Copy a sandbox's disk for its forks, all of the same moment."""
        if not 1 <= count <= _FORKS_AT_ONCE:
            raise InvalidInput(f"a sandbox is forked 1 to {_FORKS_AT_ONCE} times at once")
        copies: list[Disk] = []
        try:
            async with self._still(live) as is_frozen:
                for _ in range(count):
                    disk = Disk(kind=DiskKind.OWN, key=new_name())
                    copies.append(disk)
                    copy = self._ground.disks.copy
                    await asyncio.to_thread(copy, live.row.disk, disk, False, is_frozen)
        except BaseException:
            for disk in copies:
                await asyncio.to_thread(self._ground.disks.delete, disk)
            raise
        return copies

    @asynccontextmanager
    async def _still(self, live: Live) -> AsyncGenerator[bool]:
        """Nobody writes to the sandbox's disk meanwhile, and all that was written is in it: it is
        mounted and frozen (True), or not mounted."""
        if not self._ground.disks.is_loop:
            raise Conflict(
                "workspaces cannot be copied in the weak quota mode; run the service as root"
            )
        async with live.lock:
            self._table.get(live.row.sandbox_id)
            machine = live.machine
            if machine is None:
                yield False
                return
            async with self._held(machine):
                yield True

    @asynccontextmanager
    async def _held(self, machine: Machine) -> AsyncGenerator[None]:
        was_frozen = machine.is_frozen
        if not was_frozen:
            await self._ground.machines.freeze(machine)
        try:
            await asyncio.to_thread(mounts.freeze_filesystem, machine.place.slot)
            try:
                yield
            finally:
                await asyncio.to_thread(mounts.thaw_filesystem, machine.place.slot)
        finally:
            if not was_frozen:
                await asyncio.shield(self._ground.machines.thaw(machine))

    async def delete(self, snapshot_id: str, owner: str) -> bool:
        row = await self._named(snapshot_id, owner)
        if row is None:
            return False
        await self._drop(row)
        return True

    async def _drop(self, row: SnapshotRow) -> None:
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(self._ground.disks.delete, row.disk)
        await self._ledger.drop_snapshot(row.snapshot_id)
