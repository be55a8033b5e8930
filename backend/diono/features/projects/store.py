"""Projects in the database."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.projects.tables import Project


async def is_owned(session: AsyncSession, owner_id: str, project_id: str) -> bool:
    query = select(Project.project_id).where(
        Project.project_id == project_id, Project.owner_id == owner_id
    )
    return await session.scalar(query) is not None
