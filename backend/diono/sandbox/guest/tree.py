"""Trees of processes: who is below whom, and how all of them are ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence

KILL_BUDGET_SECONDS = 2.0
_OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def out_of_memory_kills() -> int:
    """Return how many processes of this sandbox the kernel has ended for memory."""
    for name in _OOM_FILES:
        try:
            with open(name, encoding="ascii") as lines:
                for line in lines:
                    key, _, value = line.partition(" ")
                    if key == "oom_kill":
                        return int(value)
        except (OSError, ValueError):
            continue
    return 0


def parents() -> dict[int, int]:
    """Return the parent of every living process that can be seen."""
    found: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb", 0) as stat:
                fields = stat.read(512).rpartition(b")")[2].split()
            if fields[0] not in (b"Z", b"X"):
                found[int(name)] = int(fields[1])
        except (OSError, IndexError, ValueError):
            continue
    return found


def descendants(root: int) -> list[int]:
    """Return the living processes below ``root``, in no order."""
    parent_of = parents()
    below: set[int] = {root}
    above: set[int] = {0}
    for candidate in parent_of:
        chain: list[int] = []
        current = candidate
        while current not in below and current not in above and len(chain) <= len(parent_of):
            chain.append(current)
            current = parent_of.get(current, 0)
        (below if current in below else above).update(chain)
    below.discard(root)
    return list(below)


def _signal_all(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def kill_below(root: int, budget_seconds: float = KILL_BUDGET_SECONDS) -> int:
    """End everything below ``root``; return how many survive.

    All are stopped before any is killed, so that a fork bomb cannot outrun the sweep.
    """
    stop_at = time.monotonic() + budget_seconds
    while True:
        pids = descendants(root)
        if not pids or time.monotonic() > stop_at:
            return len(pids)
        seen: list[int] = []
        while len(pids) != len(seen) and time.monotonic() < stop_at:
            _signal_all(pids, signal.SIGSTOP)
            seen, pids = pids, descendants(root)
        _signal_all(pids, signal.SIGKILL)
        time.sleep(0.001)


def kill_strays(root: int, kept: Sequence[int]) -> int:
    """End what hangs directly below us and nobody waits for; return how many survive.

    The last resort after a tenant has killed the keeper of its own tree.
    """
    stop_at = time.monotonic() + KILL_BUDGET_SECONDS
    while True:
        parent_of = parents()
        strays = [pid for pid, parent in parent_of.items() if parent == root and pid not in kept]
        if not strays or time.monotonic() > stop_at:
            return len(strays)
        _signal_all(strays, signal.SIGSTOP)
        for stray in strays:
            kill_below(stray, 0.2)
        _signal_all(strays, signal.SIGKILL)
        time.sleep(0.001)
