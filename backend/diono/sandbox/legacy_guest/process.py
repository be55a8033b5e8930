"""Processes: what the kernel must know about us, and how a whole tree of children is ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Sequence
from types import FrameType

_SET_DUMPABLE = 4
_SET_CHILD_SUBREAPER = 36
_KILL_BUDGET_SECONDS = 0.8
_OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")

_libc = ctypes.CDLL(None, use_errno=True)


def hide_memory(is_hidden: bool) -> None:
    """Keep other processes of the same user out of our memory and descriptors."""
    _libc.prctl(_SET_DUMPABLE, 0 if is_hidden else 1, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every orphan below, so that no daemon leaves the tree."""
    _libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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


def _parents() -> dict[int, int]:
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:
                fields = stat.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] != b"Z":
            parents[int(name)] = int(fields[1])
    return parents


def descendants(root: int) -> list[int]:
    """Return the living processes below ``root``, in no order."""
    parents = _parents()
    found: list[int] = []
    for candidate in parents:
        ancestor: int | None = candidate
        for _ in range(len(parents) + 1):
            ancestor = parents.get(ancestor or 0)
            if ancestor is None or ancestor == root:
                break
        if ancestor == root:
            found.append(candidate)
    return found


def _signal_all(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def reap() -> dict[int, int]:
    """Collect every ended child; return wait statuses by process id."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def kill_descendants(statuses: dict[int, int]) -> int:
    """End everything below this process and reap into ``statuses``; return how many survive.

    All are stopped before any is killed, so that a fork bomb cannot outrun the sweep.
    """
    stop_at = time.monotonic() + _KILL_BUDGET_SECONDS
    while True:
        statuses.update(reap())
        pids = descendants(os.getpid())
        if not pids or time.monotonic() > stop_at:
            return len(pids)
        seen: list[int] = []
        while len(pids) != len(seen) and time.monotonic() < stop_at:
            _signal_all(pids, signal.SIGSTOP)
            seen, pids = pids, descendants(os.getpid())
        _signal_all(pids, signal.SIGKILL)
        time.sleep(0.002)


def wake(_number: int, _frame: FrameType | None) -> None:
    """A handler that does nothing: being called is what writes to the wake-up descriptor."""


def exit_code_of(status: int) -> int:
    """Return the shell's view of a wait status: 128 + N when signal N ended it."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
