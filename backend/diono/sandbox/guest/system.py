"""What the host tells the guest at the claim, and what the guest says of itself."""

from __future__ import annotations

import importlib
import os
import time

from . import libc, seed, tree
from .http import Request, Response
from .messages import environment_of
from .tenant import PROXY_PORT, Tenant
from .wire import Json, decode, text_of

EGRESS_SOCKET = "/run/diono-egress/proxy.sock"
_MEMORY_FILES = (
    ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.max"),
    (
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ),
)
_CPU_FILES = (
    ("/sys/fs/cgroup/cpuacct/cpuacct.usage", 1),
    ("/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", 1),
)


def _number(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as text:
            return int(text.read().strip())
    except (OSError, ValueError):
        return None


def _cpu_seconds() -> float:
    """Return the processor time that the sandbox has used."""
    for path, _ in _CPU_FILES:
        nanoseconds = _number(path)
        if nanoseconds is not None:
            return nanoseconds / 1e9
    try:
        with open("/sys/fs/cgroup/cpu.stat", encoding="ascii") as lines:
            for line in lines:
                key, _, value = line.partition(" ")
                if key == "usage_usec":
                    return int(value) / 1e6
    except (OSError, ValueError):
        pass
    return 0.0


def _cpu_count() -> float:
    """Return how many processors the sandbox may use, by its quota."""
    quota = _number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    period = _number("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as text:
            first, second = text.read().split()
            quota, period = (None if first == "max" else int(first)), int(second)
    except (OSError, ValueError):
        pass
    return quota / period if quota and quota > 0 and period else float(os.cpu_count() or 1)


def _memory() -> tuple[int, int]:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for used_file, limit_file in _MEMORY_FILES:
        used = _number(used_file)
        if used is not None:
            return used, min(total, _number(limit_file) or total)
    return 0, total


class SystemService:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._started_at = time.monotonic()
        self._last_cpu = (self._started_at, _cpu_seconds())
        self._is_relayed = False
        self._is_seeded = False

    def configure(self, request: Request, response: Response) -> None:
        """POST /diono/configure: fields that are missing stay as they are."""
        message = decode(request.body())
        tenant = self._tenant
        if "env" in message:
            tenant.env = environment_of(message["env"])
        if message.get("user"):
            tenant.user = text_of(message["user"], "user")
        if not self._is_seeded:
            self._is_seeded = True
            seed.plant(tenant.workspace)
        if "egress" in message:
            tenant.has_egress = bool(message["egress"])
        if tenant.has_egress and not self._is_relayed:
            egress = importlib.import_module(".egress", __package__)
            egress.start_relay(PROXY_PORT, EGRESS_SOCKET)
            self._is_relayed = True
        response.json(200, {**self._state(), "pid": os.getpid()})

    def _state(self) -> Json:
        device = os.stat(self._tenant.workspace).st_dev
        return {"device": device, "home": self._tenant.home}

    def healthy(self, _request: Request, response: Response) -> None:
        response.send(204)

    def health(self, _request: Request, response: Response) -> None:
        state: Json = {
            **self._state(),
            "memory_kills": tree.out_of_memory_kills(),
            "processes": len(tree.parents()),
            "uptime": round(time.monotonic() - self._started_at, 3),
        }
        response.json(200, state)

    def metrics(self, _request: Request, response: Response) -> None:
        """GET /metrics (and /diono/metrics): bytes, and percent of the processors allowed."""
        now, seconds = time.monotonic(), _cpu_seconds()
        before, seconds_before = self._last_cpu
        self._last_cpu = (now, seconds)
        count = _cpu_count()
        passed = max(now - before, 1e-3)
        disk = os.statvfs(self._tenant.workspace)
        used, total = _memory()
        sample: Json = {
            "ts": int(time.time()),
            "cpu_count": count,
            "cpu_used_pct": round(100 * (seconds - seconds_before) / passed / count, 2),
            "cpu_seconds": round(seconds, 3),
            "mem_used": used,
            "mem_total": total,
            "mem_used_mib": used >> 20,
            "mem_total_mib": total >> 20,
            "disk_used": (disk.f_blocks - disk.f_bfree) * disk.f_frsize,
            "disk_total": disk.f_blocks * disk.f_frsize,
        }
        response.json(200, sample)

    def environment(self, request: Request, response: Response) -> None:
        request.body()
        response.json(200, self._tenant.env)

    def trim(self, _request: Request, response: Response) -> None:
        """POST /diono/trim: give spare memory back, before a freeze."""
        libc.trim_memory()
        response.send(204)
