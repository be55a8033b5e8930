"""Projects: what a task builds in. One workspace volume, at most one sandbox."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.projects.tables import Project
from diono.kernel.ids import new_id

NAME_LENGTH = 80


def add_project(session: AsyncSession, owner_id: str, name: str, created_at: datetime) -> str:
    """Add a project to the caller's transaction and return its id."""
    project_id = new_id("prj")
    session.add(
        Project(
            project_id=project_id,
            owner_id=owner_id,
            name=name[:NAME_LENGTH],
            created_at=created_at,
        )
    )
    return project_id
