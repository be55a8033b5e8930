"""Claims jobs, runs a few at a time, and says how they ended."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from diono.drives.errors import DriveBusy
from diono.features.drives.jobs.held import Held, JobLost, Pace
from diono.features.drives.store import jobs as rows
from diono.features.drives.tables import DriveJob
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.kernel.ids import new_id

Work = Callable[[Held], Awaitable[None]]
# Jobs of dead processes are looked for so often.
_LOOK_SECONDS = 30.0


class Keeper:
    def __init__(self, database: Database, clock: Clock, work: Work, pace: Pace) -> None:
        self._database = database
        self._clock = clock
        self._work = work
        self._pace = pace
        self._worker = new_id("wrk")
        self._woken = asyncio.Event()
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._works: dict[str, asyncio.Task[None]] = {}
        self._is_closing = False
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep())

    def wake(self) -> None:
        self._woken.set()

    def stop(self, job_id: str) -> None:
        """Break off a job that runs here; what others run they stop at their next beat."""
        work = self._works.get(job_id)
        if work is not None:
            work.cancel()

    async def close(self) -> None:
        """Break off what runs; it goes on with another worker, or at the next start."""
        self._is_closing = True
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        for work in self._works.values():
            work.cancel()
        await asyncio.gather(*self._runs.values(), return_exceptions=True)

    async def _keep(self) -> None:
        has_begun = False
        while True:
            self._woken.clear()
            seconds: float = _LOOK_SECONDS
            try:
                if not has_begun and self._database.is_sqlite:
                    # One process at a time has the file: whoever held a lease is dead.
                    async with self._database.write() as session:
                        await rows.let_go(session, self._clock.now())
                has_begun = True
                seconds = await self._fill()
            except (SQLAlchemyError, OSError) as error:
                logger.warning("drives' jobs could not be looked at: {}", type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()

    async def _fill(self) -> float:
        """Begin what is due; return the seconds until there may be more."""
        while len(self._runs) < self._pace.parallel:
            job = await self._claim()
            if job is None:
                break
            run = asyncio.create_task(self._run(job))
            self._runs[job.job_id] = run
            run.add_done_callback(self._ended)
        else:
            return _LOOK_SECONDS
        async with self._database.read() as session:
            due = await rows.next_due(session)
        if due is None:
            return _LOOK_SECONDS
        # A moment later: a lease that ends now has not ended before now.
        wait = (due - self._clock.now()).total_seconds() + 0.05
        return min(max(wait, 0.05), _LOOK_SECONDS)

    async def _claim(self) -> DriveJob | None:
        now = self._clock.now()
        until = now + timedelta(seconds=self._pace.lease_seconds)
        async with self._database.write() as session:
            return await rows.claim(session, self._worker, now, until)

    def _ended(self, run: asyncio.Task[None]) -> None:
        for job_id, each in list(self._runs.items()):
            if each is run:
                del self._runs[job_id]
        if not run.cancelled() and run.exception() is not None:
            # Its lease ends; a job that kills its runs is given up after some attempts.
            logger.opt(exception=run.exception()).error("a transfer over a drive failed inside")
        self._woken.set()

    async def _run(self, job: DriveJob) -> None:
        held = Held(self._database, self._clock, job, self._pace)
        if job.attempts >= self._pace.attempts:
            await self._finish(held, "FAILED", error="drive_job_lost", detail=_GIVEN_UP)
            return
        work = asyncio.ensure_future(self._work(held))
        self._works[job.job_id] = work
        beat = asyncio.create_task(self._beat(held, work))
        try:
            await self._until_over(held, work)
        except JobLost:
            logger.info("the transfer {} goes on elsewhere, or was ended", job.job_id)
        finally:
            del self._works[job.job_id]
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)

    async def _until_over(self, held: Held, work: "asyncio.Future[None]") -> None:
        try:
            await work
        except asyncio.CancelledError:
            if self._is_closing:
                await held.note(state="QUEUED", due_at=self._clock.now())
            else:
                await self._finish(held, "CANCELLED")
        except JobLost:
            raise
        except DriveBusy as error:
            await self._later(held, error, error.retry_after)
        except DionoError as error:
            await self._finish(held, "FAILED", error=error.code, detail=error.detail)
        except (SQLAlchemyError, OSError) as error:
            logger.opt(exception=error).warning("a transfer over a drive was interrupted")
            await self._later(held, _interrupted(error), None)
        else:
            await self._finish(held, _outcome(held.job))

    async def _finish(self, held: Held, state: str, **values: Any) -> None:
        await held.note(state=state, finished_at=self._clock.now(), lease_until=None, **values)

    async def _later(self, held: Held, error: DionoError, asked: float | None) -> None:
        attempts = held.job.attempts + 1
        if attempts >= self._pace.attempts:
            await self._finish(
                held, "FAILED", attempts=attempts, error=error.code, detail=error.detail
            )
            return
        wait = self._pace.wait_seconds(held.job.attempts, asked)
        await held.note(
            state="QUEUED",
            attempts=attempts,
            due_at=self._clock.now() + timedelta(seconds=wait),
            error=error.code,
            detail=error.detail,
        )

    async def _beat(self, held: Held, work: "asyncio.Future[None]") -> None:
        """Say that the worker lives, and look whether it should stop."""
        while True:
            await asyncio.sleep(self._pace.beat_seconds)
            try:
                if await held.is_cancelling():
                    work.cancel()
                    return
                await held.note()
            except JobLost:
                work.cancel()
                return
            except (SQLAlchemyError, OSError) as error:
                logger.warning("a transfer's beat failed: {}", type(error).__name__)


_GIVEN_UP = (
    "Whatever ran this transfer ended each time before it got any further. The server's log has "
    "the cause; start it again once that is mended."
)


def _interrupted(error: Exception) -> DriveBusy:
    return DriveBusy(f"The transfer was interrupted inside ({type(error).__name__}).")


def _outcome(job: DriveJob) -> str:
    is_all_lost = job.items_failed > 0 and job.items_done == 0
    return "FAILED" if is_all_lost else "SUCCEEDED"
