"""The files of a task."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.tasks.errors import ArtifactNotFound
from diono.features.tasks.schemas import ArtifactInfo
from diono.features.tasks.store import inspections
from diono.features.tasks.tables import Artifact
from diono.inspection import naming


async def save_artifact(session: AsyncSession, task_id: str, info: ArtifactInfo) -> None:
    await session.merge(
        Artifact(task_id=task_id, path=info.path, size=info.size, sha256=info.sha256)
    )


async def drop_artifact(session: AsyncSession, task_id: str, path: str) -> None:
    await session.execute(
        delete(Artifact).where(Artifact.task_id == task_id, Artifact.path == path)
    )


async def artifacts(session: AsyncSession, task_id: str) -> list[ArtifactInfo]:
    """Return the files of an already authorised task, by path."""
    query = select(Artifact).where(Artifact.task_id == task_id).order_by(Artifact.path)
    report = await inspections.find(session, task_id)
    lines = {one.path: one.lines for one in report.files} if report is not None else {}
    return [
        ArtifactInfo(
            path=row.path,
            size=row.size,
            sha256=row.sha256,
            kind=naming.kind_of(row.path),
            language=naming.language_of(row.path),
            lines=lines.get(row.path),
        )
        for row in await session.scalars(query)
    ]


async def artifact(session: AsyncSession, task_id: str, path: str) -> ArtifactInfo:
    """Return one file. Raises ArtifactNotFound."""
    row = await session.get(Artifact, (task_id, path))
    if row is None:
        raise ArtifactNotFound(f"The task has no file {path!r}. `GET …/artifacts` lists them.")
    return ArtifactInfo(path=row.path, size=row.size, sha256=row.sha256)
