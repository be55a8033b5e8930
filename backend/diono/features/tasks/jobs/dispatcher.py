"""Lets admitted runs begin, and finds those that their process has left behind."""

import asyncio
from datetime import timedelta

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from diono.features.tasks.jobs.job import TaskJob
from diono.features.tasks.queue.queue import QUEUE_TOPIC
from diono.infra.bus import Bus
from diono.kernel.errors import DionoError

# Without a wake-up: another process may have queued something, or a question may have expired.
LOOK_SECONDS = 2.0
RECONCILE_SECONDS = 30.0
KEEP_ENDED_SECONDS = 3600.0


class Dispatcher:
    """Any number of processes may have one; what they do is decided under the queue's lock."""

    def __init__(self, job: TaskJob, bus: Bus) -> None:
        self._job = job
        self._house = job.house
        self._bus = bus

    async def dispatch(self) -> None:
        """Give free slots to those who wait."""
        await self._house.queue.expire()
        for admitted in await self._house.queue.admit():
            await self._start(admitted.task_id, is_ending=admitted.is_ending)

    async def reconcile(self) -> None:
        """See that every task with a slot is run by the engine, or started again, or ended with a
        reason."""
        for task_id in await self._house.queue.running():
            match await self._house.engine.status(task_id):
                case "UNKNOWN" | "PARKED":
                    await self._start(task_id)
                case "ENDED":
                    await self._job.abandon(
                        task_id,
                        "The run ended without a result, after the server had stopped in it too "
                        "often. Retry the task.",
                    )
                case "LIVE":
                    pass
        # Nothing goes on from there, and the events tell what happened.
        now = self._house.clock.now()
        await self._house.engine.forget_ended(now - timedelta(seconds=KEEP_ENDED_SECONDS))

    async def _start(self, task_id: str, *, is_ending: bool = False) -> None:
        async with self._house.queue.starting():
            await self._house.engine.start(task_id, is_ending=is_ending)

    async def keep(self) -> None:
        """Dispatch until cancelled; a database that is away is tried again."""
        clock = self._house.clock
        reconciled_at = clock.monotonic()
        with self._bus.subscribe(QUEUE_TOPIC) as changed:
            while True:
                try:
                    await self.dispatch()
                    if clock.monotonic() - reconciled_at > RECONCILE_SECONDS:
                        reconciled_at = clock.monotonic()
                        await self.reconcile()
                except (SQLAlchemyError, OSError, DionoError) as error:
                    logger.warning("the queue stands still: {}", error)
                    reconciled_at = -RECONCILE_SECONDS
                    await asyncio.sleep(LOOK_SECONDS)
                await changed.wait(LOOK_SECONDS)
