"""``fleet.Fleet`` on this machine's container engine. Lives in the sandbox service only."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from diono.kernel.errors import InvalidInput
from diono.sandbox.config import SandboxConfig
from diono.sandbox.engine import link
from diono.sandbox.engine.disks import Disk, DiskKind, volume_disk
from diono.sandbox.engine.foundation import Foundation, lay
from diono.sandbox.engine.link import GuestLost
from diono.sandbox.engine.live import Live
from diono.sandbox.engine.records import PAUSED_STAGES, Row, new_name
from diono.sandbox.errors import (
    EngineMissing,
    SandboxBusy,
    SandboxPaused,
    VolumeBusy,
)
from diono.sandbox.fleet import (
    GUEST_PORTS,
    CreateRequest,
    Egress,
    Metrics,
    NetworkPolicy,
    SandboxInfo,
    SnapshotInfo,
    Streams,
    Template,
    Templates,
)
from diono.sandbox.port import EngineHealth

_HIGHEST_PORT = 65535
_AGAIN_SECONDS = 1.0


class DockerFleet:
    """Reaches the engine when it is first needed, and again after it was away."""

    def __init__(self, config: SandboxConfig, templates: Templates, egress: Egress) -> None:
        self._config = config
        self._templates = templates
        self._egress = egress
        self._foundation: Foundation | None = None
        self._lock = asyncio.Lock()
        self._problem: str | None = None
        self._not_before = 0.0

    async def _ready(self) -> Foundation:
        if self._foundation is not None:
            return self._foundation
        async with self._lock:
            if self._foundation is not None:
                return self._foundation
            if self._problem is not None and time.monotonic() < self._not_before:
                raise EngineMissing(self._problem)
            try:
                self._foundation = await lay(self._config, self._templates, self._egress)
            except EngineMissing as error:
                self._problem = error.detail
                self._not_before = time.monotonic() + _AGAIN_SECONDS
                raise
            return self._foundation

    async def create(self, request: CreateRequest) -> SandboxInfo:
        base = await self._ready()
        if request.idempotency_key:
            known = base.table.asked_before(request.owner, request.idempotency_key)
            if known is not None:
                await known.started.wait()
                if known.is_known:
                    return known.row.info()
        template = await base.snapshots.template(request.template, request.owner)
        if template is None:
            template = await self._templates.find(request.template, request.owner)
        chosen = request.runtime or template.runtime or self._config.runtime
        base.check_runtime(chosen)
        template = template.model_copy(update={"runtime": chosen})
        return await self._begin(base, _row_of(request, template))

    async def _begin(self, base: Foundation, row: Row) -> SandboxInfo:
        """Nothing is awaited between the look at the table and the entry in it."""
        again = row.idempotency_key and base.table.asked_before(row.owner, row.idempotency_key)
        if again:
            await again.started.wait()
            return base.table.get(again.row.sandbox_id).row.info()
        user = base.table.user_of(row.disk)
        if user is not None:
            raise VolumeBusy(
                f"sandbox {user.row.sandbox_id} uses this volume; end it or connect to it"
            )
        live = Live(row)
        base.table.add(live)
        await base.life.begin(live)
        return live.row.info()

    async def _live(self, sandbox_id: str) -> tuple[Foundation, Live]:
        base = await self._ready()
        return base, base.table.get(sandbox_id)

    async def info(self, sandbox_id: str) -> SandboxInfo:
        _, live = await self._live(sandbox_id)
        return live.row.info()

    async def list(self, owner: str | None = None) -> Sequence[SandboxInfo]:
        base = await self._ready()
        return [live.row.info() for live in base.table.of_owner(owner)]

    async def kill(self, sandbox_id: str) -> bool:
        base = await self._ready()
        live = base.table.find(sandbox_id)
        return live is not None and await base.life.end(live)

    async def set_timeout(self, sandbox_id: str, seconds: float) -> None:
        if seconds < 0:
            raise InvalidInput("a timeout is not negative")
        base, live = await self._live(sandbox_id)
        if live.row.stage in PAUSED_STAGES:
            raise SandboxPaused("the sandbox is paused; connect to it first")
        await base.life.set_timeout(live, seconds)

    async def connect(self, sandbox_id: str, timeout: float) -> tuple[SandboxInfo, bool]:
        base, live = await self._live(sandbox_id)
        is_woken = await base.life.wake(live, timeout)
        if not is_woken:
            live.touch()
            await base.life.set_timeout(live, timeout, is_longer_only=True)
        return live.row.info(), is_woken

    async def pause(self, sandbox_id: str, keeps_memory: bool = True) -> bool:
        base, live = await self._live(sandbox_id)
        return await base.life.pause(live, keeps_memory)

    async def dial(self, sandbox_id: str, port: int) -> Streams:
        if not 0 < port <= _HIGHEST_PORT:
            raise InvalidInput(f"a port is between 1 and {_HIGHEST_PORT}")
        base, live = await self._live(sandbox_id)
        if not live.row.is_running:
            if not live.row.lifetime.wakes_on_traffic:
                raise SandboxPaused(f"sandbox {sandbox_id} is paused; connect to it first")
            await base.life.wake(live, live.row.lifetime.timeout)
        live.touch()
        streams = await self._dial(live, port)
        live.writers.add(streams[1])
        return streams

    async def _dial(self, live: Live, port: int) -> Streams:
        machine = live.machine
        if machine is None:
            raise SandboxPaused("the sandbox was paused just now; connect to it first")
        try:
            if port in GUEST_PORTS:
                return await machine.dialer.dial(live.touch)
            return await link.tunnel(machine.dialer, port, live.row.access_token, live.touch)
        except (OSError, GuestLost) as error:
            raise SandboxBusy(f"the sandbox does not answer: {error}") from error

    async def metrics(
        self, sandbox_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[Metrics]:
        base, live = await self._live(sandbox_id)
        await base.gauges.sample(live)
        found = [sample for _, sample in live.samples]
        return [
            sample
            for sample in found
            if (since is None or sample.at >= since) and (until is None or sample.at <= until)
        ]

    async def set_network(self, sandbox_id: str, policy: NetworkPolicy) -> None:
        base, live = await self._live(sandbox_id)
        async with live.lock:
            await base.life.set_network(live, policy)

    async def snapshot(self, sandbox_id: str, name: str = "") -> SnapshotInfo:
        base, live = await self._live(sandbox_id)
        return await base.snapshots.take(live, name)

    async def snapshots(self, owner: str, sandbox_id: str = "") -> Sequence[SnapshotInfo]:
        base = await self._ready()
        return await base.snapshots.list(owner, sandbox_id)

    async def delete_snapshot(self, snapshot_id: str, owner: str) -> bool:
        base = await self._ready()
        return await base.snapshots.delete(snapshot_id, owner)

    async def fork(
        self, sandbox_id: str, count: int, timeout: float
    ) -> Sequence[SandboxInfo | Exception]:
        base, live = await self._live(sandbox_id)
        disks = await base.snapshots.copies(live, count)
        rows = [_fork_of(live.row, disk, timeout) for disk in disks]
        begun = await asyncio.gather(
            *(self._begin(base, row) for row in rows), return_exceptions=True
        )
        results: list[SandboxInfo | Exception] = []
        for row, result in zip(rows, begun, strict=True):
            if isinstance(result, SandboxInfo | Exception):
                results.append(result)
            else:
                raise result
            if isinstance(result, Exception):
                await base.claims.drop_disk(row.disk)
        return results

    async def volumes(self, owner: str) -> Sequence[str]:
        base = await self._ready()
        return await asyncio.to_thread(base.disks.volumes, owner)

    async def delete_volume(self, owner: str, name: str) -> bool:
        base = await self._ready()
        disk = volume_disk(owner, name)
        user = base.table.user_of(disk)
        if user is not None:
            raise VolumeBusy(f"sandbox {user.row.sandbox_id} uses this volume; end it first")
        return await base.claims.drop_disk(disk)

    async def health(self) -> EngineHealth:
        try:
            base = await self._ready()
            return await base.report(self._config, self._templates)
        except EngineMissing as error:
            return EngineHealth(is_ready=False, problem=error.detail)

    async def close(self) -> None:
        async with self._lock:
            if self._foundation is not None:
                with contextlib.suppress(EngineMissing):
                    await self._foundation.close()
                self._foundation = None


def _row_of(request: CreateRequest, template: Template) -> Row:
    sandbox_id = new_name()
    disk = Disk(kind=DiskKind.OWN, key=sandbox_id)
    if request.volume is not None:
        disk = volume_disk(request.owner, request.volume.name)
    return Row(
        sandbox_id=sandbox_id,
        owner=request.owner,
        template=template,
        metadata=request.metadata,
        env=request.env,
        lifetime=request.lifetime,
        limits=request.limits or template.limits,
        network=request.network,
        volume=request.volume,
        disk=disk,
        idempotency_key=request.idempotency_key,
    )


def _fork_of(row: Row, disk: Disk, timeout: float) -> Row:
    """A new sandbox on a copy of the disk: other id, other tokens, no named volume."""
    return Row(
        sandbox_id=disk.key,
        owner=row.owner,
        template=row.template,
        metadata=row.metadata,
        env=row.env,
        lifetime=row.lifetime.model_copy(update={"timeout": timeout}),
        limits=row.limits,
        network=row.network,
        volume=None,
        disk=disk,
        started=datetime.now(UTC),
    )
