"""What a sandbox costs while it idles: three views, because none of them sees everything."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diono.cli import measure

_PROC = Path("/proc")
_CGROUPS = (
    "/sys/fs/cgroup/memory/docker",
    "/sys/fs/cgroup/docker",
    "/sys/fs/cgroup/system.slice",
)
_MIB = 2**20


@dataclass(frozen=True)
class Snapshot:
    """The machine at one moment: free bytes, processes, the engine's memory groups."""

    available: int
    processes: frozenset[int]
    groups: frozenset[Path]


def look() -> Snapshot:
    match = re.search(r"MemAvailable:\s+(\d+) kB", (_PROC / "meminfo").read_text())
    processes = frozenset(int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return Snapshot(int(match[1]) * 1024 if match else 0, processes, frozenset(_groups()))


def _groups() -> list[Path]:
    found: list[Path] = []
    for root in map(Path, _CGROUPS):
        if root.is_dir():
            found += [
                entry
                for entry in root.iterdir()
                if entry.is_dir() and re.search(r"[0-9a-f]{64}", entry.name)
            ]
    return found


def cost(before: Snapshot, after: Snapshot, count: int, service_pid: int | None) -> dict[str, Any]:
    """Return MiB a machine (those that wait in the pool count too): less available memory, its
    processes and the engine's for it (PSS), its memory group."""
    ours = measure.tree_of(service_pid) if service_pid else frozenset[int]()
    proportional = sum(_pss(process) for process in after.processes - before.processes - ours)
    grouped = [_group_bytes(group) for group in after.groups - before.groups]
    machines = max(count, len(grouped))
    return {
        "sandboxes": count,
        "available_mib": round((before.available - after.available) / machines / _MIB, 2),
        "processes_pss_mib": round(proportional / machines / 1024, 2),
        "group_mib": round(sum(grouped) / max(1, len(grouped)) / _MIB, 2),
        "groups": len(grouped),
    }


def _pss(process: int) -> int:
    """Return kilobytes; 0 for a kernel thread or one that has ended."""
    try:
        return measure.kilobytes("Pss", (_PROC / str(process) / "smaps_rollup").read_text())
    except OSError:
        return 0


def _group_bytes(group: Path) -> int:
    """Return what the group uses but for the page cache that is given back on demand."""
    for usage, reclaimable in (
        ("memory.usage_in_bytes", "total_inactive_file"),
        ("memory.current", "inactive_file"),
    ):
        try:
            used = int((group / usage).read_text())
            statistics = (group / "memory.stat").read_text()
        except OSError:
            continue
        match = re.search(rf"^{reclaimable} (\d+)", statistics, re.MULTILINE)
        return used - (int(match[1]) if match else 0)
    return 0
