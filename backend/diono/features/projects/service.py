"""Projects: what a task builds in. One workspace volume, at most one sandbox."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.projects import store
from diono.features.projects.errors import ProjectNotFound
from diono.features.projects.tables import Project
from diono.infra.database import Database
from diono.kernel.ids import new_id
from diono.sandbox.port import Limits, SandboxSpec

NAME_LENGTH = 80
# Allocated in full while a sandbox runs, so that a full host cannot break it; a workspace grows
# once its project turns out to need more.
WORKSPACE_MB = 128
_LIMITS = {
    "node": Limits(memory_mb=1024, disk_mb=1024),
    "go": Limits(memory_mb=1024, disk_mb=512),
}


def sandbox_of(owner_id: str, project_id: str, template: str = "base") -> SandboxSpec:
    """Return the spec of a project's one sandbox."""
    return SandboxSpec(
        owner=owner_id,
        project=project_id,
        template=template,
        limits=_LIMITS.get(template, Limits(disk_mb=WORKSPACE_MB)),
        max_age_seconds=3600,
        is_kept=True,
    )


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


async def lock_project(session: AsyncSession, project_id: str, now: datetime) -> None:
    """Let one writer at a time number things of a project, and note that it changed. Raises
    ProjectNotFound if it was deleted meanwhile."""
    if not await store.lock(session, project_id, now):
        raise ProjectNotFound(f"There is no project {project_id!r} any more.")


async def check_owned(database: Database, owner_id: str, project_id: str) -> None:
    """Raises ProjectNotFound, for a foreign project just the same."""
    async with database.read() as session:
        if not await store.is_owned(session, owner_id, project_id):
            raise ProjectNotFound(f"There is no project {project_id!r} of yours.")
