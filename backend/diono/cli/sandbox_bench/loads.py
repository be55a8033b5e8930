"""Many at once: a hundred idle sandboxes, creates as fast as they come, four times too many."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from diono.cli.sandbox_bench import memory
from diono.cli.sandbox_bench.service import Service
from diono.cli.sandbox_bench.wire import Json, Machine, Wire, WireProblem

_CALLERS_A_CORE = 4
_REST_SECONDS = 10.0
_SETTLE_SECONDS = 20.0
_POLL_SECONDS = 0.2
_OVERLOAD = 4
_SMALL: Json = {"diono": {"limits": {"cpus": 0.5, "memory_mb": 128, "pids": 64, "disk_mb": 64}}}


Item = TypeVar("Item")


class Crowd:
    """Callers with a connection each; what they make is killed at the end."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._callers = _CALLERS_A_CORE * (os.cpu_count() or 1)
        self.machines: list[Machine] = []
        self.refused: list[str] = []

    @property
    def callers(self) -> int:
        return self._callers

    def create(self, count: int) -> float:
        """Ask for ``count`` sandboxes from all callers at once; return the seconds it took."""
        started = time.perf_counter()
        self._spread(list(range(count)), self._create_one)
        return time.perf_counter() - started

    def _create_one(self, wire: Wire, _number: int) -> None:
        try:
            made = wire.create(more=_SMALL)
        except WireProblem as error:
            self.refused.append(error.detail)
            return
        self.machines.append(made)

    def end(self) -> None:
        identities = [machine.sandbox_id for machine in self.machines]
        self._spread(identities, lambda wire, identity: Machine(wire, identity, "").kill())
        self.machines.clear()

    def _spread(self, items: list[Item], action: Callable[[Wire, Item], None]) -> None:
        shares = [items[number :: self._callers] for number in range(self._callers)]

        def work(share: list[Item]) -> None:
            wire = Wire(self._service.url, self._service.key)
            try:
                for item in share:
                    action(wire, item)
            finally:
                wire.close()

        with ThreadPoolExecutor(self._callers) as pool:
            for done in [pool.submit(work, share) for share in shares if share]:
                done.result()


def measure_idle(service: Service, count: int) -> dict[str, Any]:
    crowd = Crowd(service)
    before = memory.look()
    try:
        crowd.create(count)
        live = len(crowd.machines)
        time.sleep(2.0)
        figures = memory.cost(before, memory.look(), max(1, live), service.process_id)
    finally:
        crowd.end()
    return figures | {"refused": crowd.refused[:1]}


def measure_load(service: Service, creates: int) -> dict[str, Any]:
    """Create ``creates`` sandboxes at once, kill them, then ask for four times the quota."""
    crowd = Crowd(service)
    try:
        seconds = crowd.create(creates)
        made = len(crowd.machines)
    finally:
        crowd.end()
    time.sleep(_REST_SECONDS)  # until the pool is as full as it is meant to be
    baseline = _leftovers(service)
    asked = _OVERLOAD * service.quota
    try:
        crowd.refused.clear()
        crowd.create(asked)
        overload_made = len(crowd.machines)
        refused = sum(": 429 " in reason for reason in crowd.refused)
    finally:
        crowd.end()
    return {
        "creates": made,
        "callers": crowd.callers,
        "creates_a_second": round(made / seconds, 2),
        "creates_a_second_a_core": round(made / seconds / (os.cpu_count() or 1), 2),
        "overload_asked": asked,
        "overload_made": overload_made,
        "overload_refused": refused,
        "overload_failed": len(crowd.refused) - refused,
        "left_behind": _settled(service, baseline),
    }


def _leftovers(service: Service) -> dict[str, int]:
    """Return what a leak would show in: mounts, memory groups, open files of the service."""
    counts = {"memory groups": len(memory.look().groups)}
    if service.state_dir is not None:
        points = Path("/proc/self/mountinfo").read_text()
        counts["mounts"] = points.count(str(service.state_dir))
    if service.process_id is not None:
        counts["open files"] = len(os.listdir(f"/proc/{service.process_id}/fd"))
    return counts


def _settled(service: Service, baseline: dict[str, int]) -> dict[str, int]:
    """Wait until the counts are back (the pool may refill meanwhile); return what is over."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        now = _leftovers(service)
        over = {name: max(0, now[name] - count) for name, count in baseline.items()}
        if not any(over.values()) or time.monotonic() > deadline:
            return over
        time.sleep(_POLL_SECONDS)
