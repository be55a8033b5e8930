"""Looks after what has no event of its own: samples, the lower steps of the ladder, leftovers.
And listens to the engine for containers that end or run out of memory."""

import asyncio
import contextlib
import time
from pathlib import Path

from diono.kernel.errors import DionoError
from diono.sandbox.engine.api import EngineRefused
from diono.sandbox.engine.gauges import Gauges
from diono.sandbox.engine.life import Life
from diono.sandbox.engine.live import Live
from diono.sandbox.engine.machines import INSTANCE_LABEL, MACHINE_LABEL
from diono.sandbox.engine.places import Places
from diono.sandbox.engine.records import Stage
from diono.sandbox.engine.tools import Tools

_ROUND_SECONDS = 10.0
_FROZEN_SECONDS = 1800.0
_STOPPED_SECONDS = 24 * 3600.0
_LEAST_FREE_SHARE = 0.1
_EVENTS_AGAIN_SECONDS = 2.0
_ORPHAN_ROUNDS = 3
_LAST_ATTEMPTS = 3


def free_memory_share() -> float:
    """Return the share of this machine's memory that is still to be had."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    fields = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return fields["MemAvailable"] / fields["MemTotal"]


class Janitor:
    def __init__(self, tools: Tools, life: Life, places: Places, gauges: Gauges) -> None:
        self._tools = tools
        self._life = life
        self._places = places
        self._gauges = gauges
        self._tasks: list[asyncio.Task[None]] = []
        self._suspects: dict[str, int] = {}

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._rounds()), asyncio.create_task(self._listen())]

    async def _rounds(self) -> None:
        while True:
            await asyncio.sleep(_ROUND_SECONDS)
            with contextlib.suppress(DionoError, OSError):
                await self.round()

    async def round(self) -> None:
        for live in self._tools.table:
            await self._gauges.sample(live)
        await self._life.finish_removals()
        await self._step_down()
        await self._sweep()

    async def _step_down(self) -> None:
        now = time.monotonic()
        paused = sorted(self._tools.table.paused(), key=lambda live: live.paused_at)
        for live in paused:
            limit = {Stage.FROZEN: _FROZEN_SECONDS, Stage.STOPPED: _STOPPED_SECONDS}
            if now - live.paused_at > limit.get(live.row.stage, float("inf")):
                await self._life.demote(live)
        frozen = [live for live in paused if live.row.stage is Stage.FROZEN]
        while frozen and free_memory_share() < _LEAST_FREE_SHARE:
            await self._life.demote(frozen.pop(0))

    async def _sweep(self) -> None:
        """Remove containers of ours that nobody has known for several rounds, and end sandboxes
        whose container went without a word."""
        machines = self._tools.ground.machines
        label = f"{INSTANCE_LABEL}={machines.instance}"
        found = await self._tools.ground.engine.list(label)
        seen = {row.labels.get(MACHINE_LABEL, ""): row for row in found}
        owned = machines.owned()
        self._suspects = {
            machine_id: self._suspects.get(machine_id, 0) + 1
            for machine_id in {*seen, *await asyncio.to_thread(self._places.known)} - owned
        }
        for machine_id, rounds in self._suspects.items():
            if rounds >= _ORPHAN_ROUNDS:
                await machines.remove_named(machine_id)
        for live in self._tools.table:
            row = None if live.machine is None else seen.get(live.machine.machine_id)
            if live.machine is not None and (row is None or row.state in ("exited", "dead")):
                self._life.on_exit(live, live.machine)
        self._gauges.forget(owned)

    async def _listen(self) -> None:
        label = f"{INSTANCE_LABEL}={self._tools.ground.machines.instance}"
        while True:
            with contextlib.suppress(DionoError, ValueError):
                async with self._tools.ground.engine.events(label) as events:
                    async for event in events:
                        self._on_event(event.action, event.labels.get(MACHINE_LABEL, ""))
            await asyncio.sleep(_EVENTS_AGAIN_SECONDS)

    def _on_event(self, action: str, machine_id: str) -> None:
        live = self._owner_of(machine_id)
        if live is None or live.machine is None:
            return
        if action == "die":
            self._life.on_exit(live, live.machine)

    def _owner_of(self, machine_id: str) -> Live | None:
        for live in self._tools.table:
            if live.machine is not None and live.machine.machine_id == machine_id:
                return live
        return None

    async def leave(self) -> None:
        """Take away what an engine that stumbled left of machines that all have ended."""
        machines = self._tools.ground.machines
        label = f"{INSTANCE_LABEL}={machines.instance}"
        engine = self._tools.ground.engine
        for _ in range(_LAST_ATTEMPTS):
            if not await asyncio.to_thread(self._places.known):
                return
            for row in await engine.list(label):
                with contextlib.suppress(EngineRefused):
                    await engine.remove(row.id)
            if not await engine.list(label):
                await asyncio.to_thread(self._places.drop_all_but, set[str]())

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
