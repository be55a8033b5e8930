"""Projects in the database."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.projects.tables import Project


async def is_owned(session: AsyncSession, owner_id: str, project_id: str) -> bool:
    query = select(Project.project_id).where(
        Project.project_id == project_id, Project.owner_id == owner_id
    )
    return await session.scalar(query) is not None


async def lock(session: AsyncSession, project_id: str, now: datetime) -> bool:
    """Hold the project's row until the transaction ends; False if there is none."""
    query = select(Project).where(Project.project_id == project_id).with_for_update()
    project = await session.scalar(query)
    if project is None:
        return False
    project.updated_at = now
    return True
