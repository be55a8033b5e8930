"""What the queue tells of projects."""

from collections.abc import Sequence

from diono.features.tasks import store
from diono.features.tasks.queue.order import holds_project
from diono.features.tasks.tables import QueueEntry
from diono.infra.database import Database


class ProjectQueue:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def line(self, project_id: str) -> list[str]:
        """Return the project's accepted, unfinished tasks: the one that has begun, then the others
        as they will follow."""
        return (await self._lines([project_id])).get(project_id, [])

    async def running(self, project_ids: Sequence[str]) -> dict[str, str]:
        """Return {project: its task that has begun, or will be the next}."""
        lines = await self._lines(project_ids)
        return {project_id: line[0] for project_id, line in lines.items()}

    async def started(self, project_ids: Sequence[str]) -> set[str]:
        """Return those in which anything ever ran."""
        async with self._database.read() as session:
            return await store.started_projects(session, project_ids)

    async def _lines(self, project_ids: Sequence[str]) -> dict[str, list[str]]:
        async with self._database.read() as session:
            entries = await store.entries(session)
        lines: dict[str, list[str]] = {}
        for entry in sorted(entries, key=_begun_first):
            if entry.project_id in project_ids:
                lines.setdefault(entry.project_id, []).append(entry.task_id)
        return lines


def _begun_first(entry: QueueEntry) -> tuple[object, ...]:
    return not holds_project(entry), entry.priority, entry.queued_at, entry.task_id
