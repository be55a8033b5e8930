"""What the tasks tell of projects: whether one works there, and the files they saved."""

from collections.abc import Mapping, Sequence

from diono.features.tasks.schemas import ArtifactInfo
from diono.features.tasks.store import projects as store
from diono.infra.blobs import Blobs
from diono.infra.database import Database


class ProjectTasks:
    """Callers have checked whose projects they are."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    async def running(self, project_ids: Sequence[str]) -> Mapping[str, str]:
        """Return {project: the task that holds it, or else the next accepted one}."""
        async with self._database.read() as session:
            entries = await store.accepted(session, project_ids)
        first = {entry.project_id: entry.task_id for entry in reversed(entries)}
        holding = {entry.project_id: entry.task_id for entry in entries if entry.admitted_at}
        return {**first, **holding}

    async def started(self, project_ids: Sequence[str]) -> set[str]:
        """Return those in which anything ever ran."""
        async with self._database.read() as session:
            return await store.started(session, project_ids)

    async def queued(self, project_id: str) -> int:
        """Return how many accepted tasks wait for a slot."""
        async with self._database.read() as session:
            return await store.queued(session, project_id)

    async def saved_files(self, project_id: str) -> Mapping[str, ArtifactInfo]:
        """Return by path what the newest task that saved it saved."""
        async with self._database.read() as session:
            rows = await store.saved(session, project_id)
        return {
            row.path: ArtifactInfo(path=row.path, size=row.size, sha256=row.sha256) for row in rows
        }

    async def saved_content(self, info: ArtifactInfo) -> bytes:
        return await self._blobs.get(info.sha256)
