"""Who is alive among the processes that run workflows, and what the dead have left behind.

The open core of DBOS recovers a run only when the same executor starts again; moving it to a
living one is ours to do.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

from loguru import logger
from sqlalchemy import String, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra.clock import Clock
from diono.infra.database import Base, Database, UtcDateTime

BEAT_SECONDS = 5.0
STALE_SECONDS = 30.0
# Names of processes that are long gone.
FORGET_SECONDS = 24 * 3600.0
_TAKE_LOCK = 0x74616B65


class Executor(Base):
    __tablename__ = "executors"

    executor_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    heartbeat_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Runs(Protocol):
    async def unfinished(self) -> dict[str, str]: ...

    async def resume(self, run_id: str) -> None: ...


class Heartbeats:
    def __init__(
        self,
        database: Database,
        executor_id: str,
        clock: Clock,
        beat_seconds: float = BEAT_SECONDS,
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        self._beat_seconds = beat_seconds
        self._stale_seconds = stale_seconds
        self._database = database
        self._executor_id = executor_id
        self._clock = clock

    async def beat(self) -> None:
        now = self._clock.now()
        long_ago = now - timedelta(seconds=FORGET_SECONDS)
        async with self._database.write() as session:
            await session.merge(Executor(executor_id=self._executor_id, heartbeat_at=now))
            await session.execute(delete(Executor).where(Executor.heartbeat_at < long_ago))

    async def leave(self) -> None:
        """Say good-bye, so that others take over at once what is left here."""
        async with self._database.write() as session:
            await session.execute(delete(Executor).where(Executor.executor_id == self._executor_id))

    async def living(self) -> set[str]:
        """Return the executors that were heard of lately."""
        since = self._clock.now() - timedelta(seconds=self._stale_seconds)
        query = select(Executor.executor_id).where(Executor.heartbeat_at >= since)
        async with self._database.read() as session:
            return set(await session.scalars(query))

    async def take_over(self, runs: Runs) -> list[str]:
        """Queue again the runs of executors that have been silent too long; return their ids.

        A frozen executor that wakes up later finishes the step it is in and stops, so a step can
        run twice but a run cannot end twice.
        """
        if not await self._orphans(runs):
            return []
        # Looked at again: another process may have seen the same, and its resume must not be
        # followed by a second one, which would break off what has begun by then.
        async with self._database.exclusive(_TAKE_LOCK):
            orphans = await self._orphans(runs)
            for run_id in orphans:
                logger.warning("run {} had lost its executor and goes on with another", run_id)
                await runs.resume(run_id)
        return orphans

    async def _orphans(self, runs: Runs) -> list[str]:
        # In this order: an executor is alive before it takes its first run.
        unfinished = await runs.unfinished()
        # We live, however late our own sign of life is on a busy machine.
        living = {self._executor_id, *(await self.living() if unfinished else ())}
        return [run for run, executor in unfinished.items() if executor not in living]

    async def keep(self, runs: Runs) -> None:
        """Beat and look for orphans until cancelled; a database that is away is tried again."""
        while True:
            await asyncio.sleep(self._beat_seconds)
            try:
                await self.beat()
                await self.take_over(runs)
            except (SQLAlchemyError, OSError) as error:
                logger.warning("heartbeat failed: {}", error)
