"""Figures from the event log; a task replayed; two tasks compared."""

from datetime import timedelta

from diono.features.accounts.schemas import Account
from diono.features.analytics.errors import AdminOnly, VersionNotFound
from diono.features.analytics.schemas import Analytics, Comparison, Replay
from diono.features.analytics.service.compare import Task, compare
from diono.features.analytics.service.figures import figures_of, groups_of
from diono.features.analytics.service.replay import steps_of
from diono.features.tasks.service import Results, Tasks
from diono.infra.blobs import Blobs
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.events import Event, EventType

__all__ = ["Statistics"]


class Statistics:
    """Every task is read as its owner's."""

    def __init__(self, database: Database, tasks: Tasks, blobs: Blobs, clock: Clock) -> None:
        self._results = Results(database)
        self._tasks = tasks
        self._blobs = blobs
        self._clock = clock

    async def analytics(self, account: Account, days: int, *, is_of_all: bool) -> Analytics:
        """Return the figures of the tasks that ended within the last days. Raises AdminOnly."""
        if is_of_all and not account.is_admin:
            raise AdminOnly("Only an admin sees the figures of all users. Leave `all` out.")
        since = self._clock.now() - timedelta(days=days)
        results = await self._results.since(None if is_of_all else account.user_id, since)
        return Analytics(
            days=days,
            since=since,
            is_of_all_users=is_of_all,
            total=figures_of(results),
            models=groups_of(results, lambda one: one.model),
            blueprints=groups_of(results, lambda one: one.blueprint),
            kinds=groups_of(results, lambda one: one.kind),
            runners=groups_of(results, lambda one: one.runner),
        )

    async def replay(self, owner_id: str, task_id: str, step: int, limit: int) -> Replay:
        """Return steps of a task from ``step`` on. Raises TaskNotFound."""
        state = await self._tasks.state(owner_id, task_id)
        steps, total = steps_of(await self._events(owner_id, task_id), step, limit)
        following = step + len(steps)
        return Replay(
            task_id=task_id,
            status=state.status,
            steps_total=total,
            steps=steps,
            next_step=following if steps and following <= total else None,
        )

    async def file_version(self, owner_id: str, task_id: str, sha256: str) -> bytes:
        """Return a file of the task as it was then. Raises TaskNotFound, VersionNotFound."""
        for event in await self._events(owner_id, task_id):
            if event.event_type is EventType.FILE and event.payload.get("sha256") == sha256:
                return await self._blobs.get(sha256)
        raise VersionNotFound(
            f"The task wrote no file with the digest {sha256[:64]}. Its replay names them."
        )

    async def compare(self, left: tuple[str, str], right: tuple[str, str]) -> Comparison:
        """Compare two of (owner, task). Raises TaskNotFound."""
        return compare(await self._task(*left), await self._task(*right))

    async def _task(self, owner_id: str, task_id: str) -> Task:
        state = await self._tasks.state(owner_id, task_id)
        return state, await self._tasks.artifacts(owner_id, task_id)

    async def _events(self, owner_id: str, task_id: str) -> list[Event]:
        found: list[Event] = []
        while True:
            since = (found[-1].event_id or 0) if found else 0
            page = await self._tasks.events(owner_id, task_id, since, 0)
            if not page.events:
                return found
            found += page.events
