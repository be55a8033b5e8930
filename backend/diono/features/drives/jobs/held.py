"""A job while a worker holds it: every note of its progress is a sign of life too."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.drives.store import jobs as rows
from diono.features.drives.tables import DriveJob
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import Conflict

_SHOW_SECONDS = 1.0


@dataclass(frozen=True)
class Pace:
    """``attempts`` is the most failures in a row; the wait after one doubles from
    ``retry_seconds`` to ``most_wait_seconds``, unless the provider names one."""

    parallel: int = 2
    lease_seconds: float = 60.0
    beat_seconds: float = 5.0
    attempts: int = 8
    retry_seconds: float = 5.0
    most_wait_seconds: float = 900.0

    def wait_seconds(self, attempts: int, asked: float | None) -> float:
        grown = self.retry_seconds * 2 ** min(attempts, 20)
        return min(max(grown, asked or 0.0), self.most_wait_seconds)


class JobLost(Conflict):
    """The job was taken away: another worker has it, or it was ended. Nothing more may be noted."""

    code = "drive_job_lost"


class Held:
    """``job`` is as it was when it was claimed, with the counts kept up."""

    def __init__(self, database: Database, clock: Clock, job: DriveJob, pace: Pace) -> None:
        self._database = database
        self._clock = clock
        self._pace = pace
        self._shown_at = clock.monotonic()
        self.job = job

    @property
    def owner_id(self) -> str:
        """Return whose project it is."""
        return str(self.job.request["owner_id"])

    @property
    def project(self) -> tuple[str, str]:
        return self.owner_id, self.job.project_id

    async def note(self, session: AsyncSession | None = None, **values: Any) -> None:
        """Write values of the job, and that its worker lives. Raises JobLost."""
        if session is None:
            async with self._database.write() as own:
                await self.note(own, **values)
            return
        until = self._clock.now() + timedelta(seconds=self._pace.lease_seconds)
        changed = {"lease_until": until, **values}
        if not await rows.change(session, self.job.job_id, self.job.worker, **changed):
            raise JobLost("The transfer was ended, or another worker has gone on with it.")
        for name, value in values.items():
            setattr(self.job, name, value)

    async def note_done(self, session: AsyncSession, size: int) -> None:
        """One more is moved. Raises JobLost."""
        job = self.job
        await self.note(
            session,
            items_done=job.items_done + 1,
            bytes_done=job.bytes_done + size,
            attempts=0,
            error="",
            detail="",
        )

    async def show_bytes(self, moved: int) -> None:
        """Let it be seen how far the file in hand has come; not more often than people look."""
        now = self._clock.monotonic()
        if now - self._shown_at < _SHOW_SECONDS:
            return
        self._shown_at = now
        before = self.job.bytes_done
        await self.note(bytes_done=before + moved)
        self.job.bytes_done = before

    async def is_cancelling(self) -> bool:
        async with self._database.read() as session:
            return await rows.is_cancelling(session, self.job.job_id, self.job.worker)
