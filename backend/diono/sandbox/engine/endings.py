"""How a sandbox ends: its processes at once, the rest behind the caller's back."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from diono.kernel.errors import DionoError
from diono.sandbox.engine.disks import DiskKind
from diono.sandbox.engine.link import GuestLost
from diono.sandbox.engine.live import Live
from diono.sandbox.engine.records import Stage
from diono.sandbox.engine.tools import Tools
from diono.sandbox.errors import EngineMissing

_REMOVALS_BEHIND = 12


class Endings:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._tasks: set[asyncio.Task[None]] = set()
        self._removals = asyncio.Semaphore(_REMOVALS_BEHIND)
        self._unfinished: list[Live] = []
        self.is_closing = False

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Do ``work`` behind the caller's back; an engine that is away is tried again later."""

        async def run() -> None:
            with contextlib.suppress(DionoError, GuestLost):
                await work

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self, live: Live, reason: str) -> None:
        """Every process is gone when this returns; what is left is taken away behind it."""
        live.is_ending = True
        live.disarm()
        live.hang_up()
        with contextlib.suppress(DionoError):
            await self._tools.ledger.put(live.row.model_copy(update={"stage": Stage.ENDING}))
        machine = live.machine
        is_dead = machine is None or await self._tools.ground.machines.kill(machine)
        self._tools.table.drop(live, reason)
        self.discount(live)
        if is_dead and self._may_lag(live):
            self.later(self.clear(live))
        elif not await self.clear(live) and not is_dead:
            raise EngineMissing("the engine does not answer; the sandbox ends when it does")

    def _may_lag(self, live: Live) -> bool:
        """An engine's volume is free for others only when its container is gone."""
        is_waited_for = live.row.volume is not None and not self._tools.ground.disks.is_loop
        return not (is_waited_for or self._removals.locked() or self.is_closing)

    def discount(self, live: Live) -> None:
        if live.is_counted:
            live.is_counted = False
            self._tools.admission.release(live.row.owner)

    async def clear(self, live: Live) -> bool:
        """Take everything of an ended sandbox away; what fails is tried again by and by."""
        try:
            async with self._removals:
                if live.machine is not None:
                    if live.row.disk.kind is DiskKind.VOLUME:
                        await self._tools.claims.give_back(live.machine)
                    await self._tools.ground.machines.remove(live.machine)
                if live.row.disk.kind is DiskKind.OWN:
                    await self._tools.claims.drop_disk(live.row.disk)
                await self._tools.ledger.drop(live.row.sandbox_id)
        except (DionoError, OSError):
            self._unfinished.append(live)
            return False
        return True

    async def finish(self) -> None:
        unfinished, self._unfinished = self._unfinished, []
        for live in unfinished:
            await self.clear(live)

    async def wait(self) -> None:
        """Return when nothing is left to do behind anybody's back."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))
