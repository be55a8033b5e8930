"""Machines kept ready: started, guest healthy, frozen. Each serves one sandbox and is never put
back. Filled one at a time, behind everybody who is waiting for a start."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from diono.kernel.errors import DionoError
from diono.sandbox.engine import link
from diono.sandbox.engine.disks import Disks
from diono.sandbox.engine.link import GuestLost
from diono.sandbox.engine.machines import Blueprint, Machine, Machines
from diono.sandbox.engine.records import new_name
from diono.sandbox.errors import EngineMissing
from diono.sandbox.fleet import Template, Templates

_BACK_OFF_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0)
_LOOK_AGAIN_SECONDS = 60.0
_SPARE_BLANKS = 1
# A new sandbox's first moments are its user's: a refill would take a third of the machine then.
_GRACE_SECONDS = 0.1


class Pool:
    def __init__(
        self, machines: Machines, disks: Disks, templates: Templates, pool_size: int
    ) -> None:
        self._machines = machines
        self._disks = disks
        self._templates = templates
        self._size = pool_size
        self._ready: defaultdict[str, list[Machine]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()
        self._nudge = asyncio.Event()
        self._calm = asyncio.Event()
        self._calm.set()
        self._cold_starts = 0
        self._keeper: asyncio.Task[None] | None = None
        self.problem = ""

    @property
    def is_full(self) -> bool:
        return self._keeper is not None and not self._nudge.is_set() and not self.problem

    def count(self, template_id: str) -> int:
        return len(self._ready[template_id])

    def start(self) -> None:
        if self._keeper is None and self._size > 0:
            self._nudge.set()
            self._keeper = asyncio.create_task(self._keep_full())

    def take(self, template: Template) -> Machine | None:
        """Return a warm machine of this template and image, the oldest first."""
        ready = self._ready[template.template_id]
        runtime = self._machines.runtime_of(template.runtime)
        for machine in [each for each in ready if each.runtime == runtime]:
            ready.remove(machine)
            self._nudge.set()
            if not machine.has_ended and machine.image == template.image:
                return machine
            self._remove_later(machine)
        return None

    @contextmanager
    def yielding(self) -> Generator[None]:
        """While somebody waits for a cold start, the pool starts nothing."""
        self._cold_starts += 1
        self._calm.clear()
        try:
            yield
        finally:
            self._cold_starts -= 1
            if self._cold_starts == 0:
                self._calm.set()

    def _remove_later(self, machine: Machine) -> None:
        task = asyncio.create_task(self._remove(machine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _remove(self, machine: Machine) -> None:
        with contextlib.suppress(EngineMissing):
            await self._machines.remove(machine)

    def _wanted(self, template: Template) -> int:
        is_wanted = template.pool_size > 0 and self._machines.can_be_warm(template.runtime)
        return max(self._size, template.pool_size) if is_wanted else 0

    async def _keep_full(self) -> None:
        failures = 0
        while True:
            try:
                await self._fill()
            except (DionoError, GuestLost, OSError) as error:
                self.problem = str(error)
                delay = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
                failures += 1
                await asyncio.sleep(delay)
                continue
            failures = 0
            self.problem = ""
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), _LOOK_AGAIN_SECONDS)
                await asyncio.sleep(_GRACE_SECONDS)

    async def _fill(self) -> None:
        """Start what is missing, one machine at a time, and take away what has ended."""
        while True:
            self._nudge.clear()
            templates = [each for each in await self._templates.ready() if self._wanted(each)]
            self._drop_dead(templates)
            lacking = [each for each in templates if self._lack(each) > 0]
            if not lacking and not await self._add_blank(templates):
                return
            await self._calm.wait()
            if lacking:
                await self._add(max(lacking, key=self._lack))

    def _lack(self, template: Template) -> int:
        return self._wanted(template) - self.count(template.template_id)

    def _drop_dead(self, templates: Sequence[Template]) -> None:
        images = {template.template_id: template.image for template in templates}
        for template_id, ready in self._ready.items():
            image = images.get(template_id)
            for machine in [each for each in ready if each.has_ended or each.image != image]:
                ready.remove(machine)
                self._remove_later(machine)

    async def _add(self, template: Template) -> None:
        machine_id = new_name()
        place = await self._machines.prepare(machine_id)
        blueprint = Blueprint(
            template.image,
            template.limits,
            preimports=template.preimports,
            runtime=template.runtime,
        )
        try:
            machine = await self._machines.start(machine_id, place, blueprint)
        except BaseException:
            with contextlib.suppress(EngineMissing):
                await asyncio.shield(self._machines.remove_named(machine_id))
            raise
        try:
            await link.warm_up(machine.dialer, bool(template.preimports))
            await self._machines.freeze(machine)
        except BaseException:
            await asyncio.shield(self._remove(machine))
            raise
        if machine.process is not None:
            machine.process.exited.add_done_callback(lambda _: self._nudge.set())
        self._ready[template.template_id].append(machine)

    async def _add_blank(self, templates: Sequence[Template]) -> bool:
        """Make one workspace for the next claims; False if there are enough."""
        wanted: defaultdict[int, int] = defaultdict(int)
        for template in templates:
            wanted[template.limits.disk_mb] += self._wanted(template)
        for size_mb, count in wanted.items():
            have = len(await asyncio.to_thread(self._disks.blanks, size_mb))
            if have < count + _SPARE_BLANKS:
                await self._calm.wait()
                await asyncio.to_thread(self._disks.add_blank, size_mb)
                return True
        return False

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        ready = [machine for machines in self._ready.values() for machine in machines]
        self._ready.clear()
        await asyncio.gather(*(self._remove(machine) for machine in ready), *self._tasks)
