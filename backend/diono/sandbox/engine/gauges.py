"""What a sandbox uses, from the kernel's own books: control group and file system."""

import asyncio
import os
import time
from datetime import UTC, datetime

from diono.sandbox.engine.disks import Disks
from diono.sandbox.engine.live import Live
from diono.sandbox.engine.machines import Machine
from diono.sandbox.fleet import Metrics
from diono.sandbox.port import Limits

_MIB = 1024 * 1024
_FRESH_SECONDS = 1.0


class Gauges:
    def __init__(self, disks: Disks) -> None:
        self._disks = disks
        self._before: dict[str, tuple[float, float]] = {}

    async def sample(self, live: Live) -> None:
        """Add one sample, unless the last is fresh or the sandbox does not run."""
        machine = live.machine
        if machine is None or machine.group is None or not live.row.is_running:
            return
        now = time.monotonic()
        if live.samples and now - live.samples[-1][0] < _FRESH_SECONDS:
            return
        sample = await asyncio.to_thread(self._read, machine, live.row.limits, now)
        live.samples.append((now, sample))

    def _read(self, machine: Machine, limits: Limits, now: float) -> Metrics:
        assert machine.group is not None  # noqa: S101 - the caller has looked
        usage = machine.group.usage()
        disk_used, disk_total = 0, limits.disk_mb * _MIB
        if self._disks.is_loop and machine.place.slot.is_mount():
            room = os.statvfs(machine.place.slot)
            disk_total = room.f_blocks * room.f_frsize
            disk_used = (room.f_blocks - room.f_bfree) * room.f_frsize
        before_at, before = self._before.get(machine.machine_id, (now, usage.cpu_seconds))
        self._before[machine.machine_id] = (now, usage.cpu_seconds)
        share = (usage.cpu_seconds - before) / (now - before_at) if now > before_at else 0.0
        return Metrics(
            at=datetime.now(UTC),
            cpu_count=limits.cpus,
            cpu_used_percent=round(max(0.0, min(100.0, 100 * share / limits.cpus)), 2),
            memory_used=usage.held_bytes,
            memory_total=limits.memory_mb * _MIB,
            memory_cache=usage.cache_bytes,
            disk_used=disk_used,
            disk_total=disk_total,
        )

    def forget(self, kept: set[str]) -> None:
        for machine_id in set(self._before) - kept:
            del self._before[machine_id]
