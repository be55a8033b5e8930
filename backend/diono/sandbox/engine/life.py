"""The ladder: how a sandbox begins, pauses, wakes and ends. One move at a time per sandbox."""

import asyncio
import time
from datetime import UTC, datetime

from diono.sandbox.engine.deadlines import Deadlines, is_due
from diono.sandbox.engine.endings import Endings
from diono.sandbox.engine.link import GuestLost
from diono.sandbox.engine.live import Live
from diono.sandbox.engine.machines import Machine
from diono.sandbox.engine.records import PAUSED_STAGES, Stage, boot_id
from diono.sandbox.engine.tools import Tools
from diono.sandbox.errors import EngineMissing, SandboxBusy, SandboxMissing
from diono.sandbox.fleet import NetworkPolicy

_AGAIN_SECONDS = 5.0
KILLED = "it was killed"
TIMED_OUT = "its time was up"
OUT_OF_MEMORY = "out of memory"
DIED = "its container ended"


class Life:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._boot = boot_id()
        self._endings = Endings(tools)
        self._deadlines = Deadlines(lambda live: self._endings.later(self._time_up(live)))

    async def begin(self, live: Live) -> None:
        """Give a new sandbox (in the table already) its place, its row and its machine."""
        row = live.row
        try:
            await self._tools.admission.acquire(row.owner)
            live.is_counted = True
            self._check_open()
            async with live.lock:
                await self._tools.ledger.put(row)
                machine = await self._tools.claims.claim(row)
                await self._run_on(live, machine, row.lifetime.timeout)
        except BaseException:
            await asyncio.shield(self._undo(live))
            raise
        finally:
            live.started.set()

    def _check_open(self) -> None:
        if self._endings.is_closing:
            raise EngineMissing("the sandbox service is ending")

    async def _undo(self, live: Live) -> None:
        live.is_ending = True
        self._tools.table.drop(live, "it never started")
        self._endings.discount(live)
        await self._endings.clear(live)

    async def _run_on(self, live: Live, machine: Machine, seconds: float) -> None:
        now = time.monotonic()
        max_age = live.row.lifetime.max_age
        live.machine = machine
        self._watch(live, machine)
        live.touch()
        await self._set_row(
            live,
            stage=Stage.RUNNING,
            machine_id=machine.machine_id,
            boot=self._boot,
            ends_at=now + seconds,
            oldest_at=None if max_age is None else now + max_age,
            paused=None,
        )
        self._deadlines.arm(live)

    async def _set_row(self, live: Live, **changes: object) -> None:
        live.row = live.row.model_copy(update=changes)
        await self._tools.ledger.put(live.row)

    def _watch(self, live: Live, machine: Machine) -> None:
        if machine.process is not None:
            machine.process.exited.add_done_callback(lambda _: self.on_exit(live, machine))

    def on_exit(self, live: Live, machine: Machine) -> None:
        """A machine ended without our doing: so does its sandbox."""
        if live.machine is machine and not live.is_ending:
            # Read at once: the engine often does not know, and then takes the books away.
            is_memory = machine.group is not None and machine.group.usage().memory_kills > 0
            self._endings.later(self._end_dead(live, machine, is_memory))

    async def _end_dead(self, live: Live, machine: Machine, is_memory: bool) -> None:
        is_memory = is_memory or await self._tools.ground.machines.was_out_of_memory(machine)
        async with live.lock:
            if live.machine is not machine or live.is_ending:
                return
            if live.row.stage is Stage.FROZEN:
                await self._stop(live)
                await self._set_row(live, stage=Stage.STOPPED, machine_id="")
            else:
                await self._endings.end(live, OUT_OF_MEMORY if is_memory else DIED)

    def adopt(self, live: Live, machine: Machine | None) -> None:
        """Take over a sandbox of an earlier process."""
        self._tools.table.add(live)
        live.started.set()
        if machine is not None:
            live.machine = machine
            self._watch(live, machine)
        if live.row.is_running:
            self._tools.admission.adopt(live.row.owner)
            live.is_counted = True
            self._deadlines.arm(live)

    async def set_timeout(self, live: Live, seconds: float, is_longer_only: bool = False) -> None:
        ends_at = time.monotonic() + seconds
        if is_longer_only:
            ends_at = max(ends_at, live.row.ends_at)
        await self._set_row(live, ends_at=ends_at)
        self._deadlines.arm(live)

    async def set_network(self, live: Live, policy: NetworkPolicy) -> None:
        self._check(live)
        await self._set_row(live, network=policy)
        if live.machine is not None and live.row.is_running:
            try:
                await self._tools.claims.reconfigure(live.machine, live.row)
            except GuestLost as error:
                raise SandboxBusy(f"the sandbox does not answer: {error}") from error

    async def _time_up(self, live: Live) -> None:
        async with live.lock:
            try:
                if live.row.is_running and not live.is_ending and is_due(live):
                    await self._finish(live)
            finally:
                self._deadlines.arm(live, at_least_seconds=_AGAIN_SECONDS)

    async def _finish(self, live: Live) -> None:
        oldest_at = live.row.oldest_at
        is_too_old = oldest_at is not None and oldest_at <= time.monotonic()
        lifetime = live.row.lifetime
        if lifetime.is_paused_at_end and not is_too_old:
            await self._pause(live, lifetime.keeps_memory)
        else:
            await self._endings.end(live, TIMED_OUT)

    async def rest(self, live: Live) -> None:
        """Make room: put an idle sandbox to sleep if it may sleep, else end it."""
        async with live.lock:
            if live.row.is_running and not live.is_ending:
                if live.row.lifetime.is_paused_at_end:
                    await self._pause(live, live.row.lifetime.keeps_memory)
                else:
                    await self._endings.end(live, "it was idle and its place was needed")

    async def pause(self, live: Live, keeps_memory: bool) -> bool:
        async with live.lock:
            self._check(live)
            if not live.row.is_running:
                return False
            await self._pause(live, keeps_memory)
            return True

    async def _pause(self, live: Live, keeps_memory: bool) -> None:
        machine = live.machine
        if keeps_memory and machine is not None:
            live.hang_up()
            await self._tools.ground.machines.freeze(machine)
            stage = Stage.FROZEN
        else:
            await self._stop(live)
            stage = Stage.STOPPED
        live.disarm()
        live.paused_at = time.monotonic()
        await self._set_row(live, stage=stage, paused=datetime.now(UTC))
        self._endings.discount(live)

    async def _stop(self, live: Live) -> None:
        """Let the machine go; the disk is unmounted, hence written, before this returns."""
        machine = live.machine
        live.hang_up()
        if machine is None:
            return
        try:
            await self._tools.ground.machines.remove(machine)
        except EngineMissing:
            if not machine.has_ended:
                raise
            # Nothing runs there any more; the janitor takes the rest away.
        live.machine = None

    async def demote(self, live: Live) -> None:
        """One step down the ladder for a paused sandbox: frozen to stopped, stopped to archived."""
        async with live.lock:
            if live.is_ending:
                return
            if live.row.stage is Stage.FROZEN:
                await self._stop(live)
                live.paused_at = time.monotonic()
                await self._set_row(live, stage=Stage.STOPPED, machine_id="")
            elif live.row.stage is Stage.STOPPED and self._tools.ground.disks.is_loop:
                await asyncio.to_thread(self._tools.ground.disks.archive, live.row.disk)
                await self._set_row(live, stage=Stage.ARCHIVED)

    def _check(self, live: Live) -> None:
        if live.is_ending:
            raise SandboxMissing(f"sandbox {live.row.sandbox_id} was not found (it ended)")

    async def wake(self, live: Live, seconds: float) -> bool:
        """Bring a paused sandbox back; False if it runs."""
        if live.row.is_running:
            return False
        async with live.lock:
            self._check(live)
            if live.row.is_running:
                return False
            await self._tools.admission.acquire(live.row.owner)
            live.is_counted = True
            try:
                machine = await self._awake_machine(live)
                await self._run_on(live, machine, seconds)
            except BaseException:
                if not live.row.is_running:
                    self._endings.discount(live)
                raise
            return True

    async def _awake_machine(self, live: Live) -> Machine:
        machine = live.machine
        if machine is not None:
            try:
                await self._tools.claims.resume(machine, live.row)
                return machine
            except GuestLost:
                # Its memory is lost, its disk is not.
                await self._stop(live)
                await self._set_row(live, stage=Stage.STOPPED, machine_id="")
        return await self._tools.claims.claim(live.row)

    async def end(self, live: Live, reason: str = KILLED) -> bool:
        async with live.lock:
            if live.is_ending:
                return False
            await self._endings.end(live, reason)
            return True

    async def close(self) -> None:
        """End what runs and let go of frozen memory; disks of paused sandboxes stay."""
        self._endings.is_closing = True
        for live in self._tools.table:
            await live.started.wait()
            if live.row.stage in PAUSED_STAGES:
                if live.row.stage is Stage.FROZEN:
                    self._endings.later(self.demote(live))
            else:
                self._endings.later(self.end(live, "the service ended"))
        await self._endings.wait()

    async def finish_removals(self) -> None:
        """Try again what an engine that was away left undone."""
        await self._endings.finish()
