"""What other features do with projects in their own transactions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.projects import store
from diono.features.projects.errors import ProjectQuotaReached
from diono.features.projects.schemas import NAME_LENGTH
from diono.features.projects.service.members import missing_project
from diono.features.projects.store import lock_user, shared_projects
from diono.infra.database import Database
from diono.kernel.events import storable
from diono.kernel.ids import new_id
from diono.sandbox.port import Limits, SandboxSpec

__all__ = [
    "WORKSPACE_MB",
    "Quotas",
    "add_project",
    "check_owned",
    "fork_project",
    "lock_project",
    "lock_user",
    "named",
    "remove_project",
    "sandbox_of",
    "shared_projects",
]

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


@dataclass(frozen=True)
class Quotas:
    """What a user may have at most: projects, and tasks that have not ended."""

    projects: int = 500
    tasks: int = 500


async def add_project(
    session: AsyncSession, owner_id: str, name: str, created_at: datetime, quotas: Quotas
) -> str:
    """Add a project to the caller's transaction and return its id. Raises ProjectQuotaReached."""
    await _check_room(session, owner_id, quotas)
    project = store.new(new_id("prj"), owner_id, named(name), created_at)
    session.add(project)
    return project.project_id


async def fork_project(
    session: AsyncSession,
    origin: tuple[str, str],
    owner_id: str,
    name: str,
    created_at: datetime,
    quotas: Quotas,
) -> str:
    """Add the row of an owner's copy to the caller's transaction and return its id. Raises
    ProjectNotFound, ProjectQuotaReached."""
    await _check_room(session, owner_id, quotas)
    source = await store.owned(session, *origin)
    if source is None:
        raise missing_project(origin[1])
    project = store.new(new_id("prj"), owner_id, named(name), created_at)
    project.blueprint, project.forked_from = source.blueprint, source.project_id
    session.add(project)
    return project.project_id


async def _check_room(session: AsyncSession, owner_id: str, quotas: Quotas) -> None:
    # The user's row is held until the transaction ends, so that many at once count one another.
    await lock_user(session, owner_id)
    if await store.count(session, owner_id) >= quotas.projects:
        raise ProjectQuotaReached(
            f"You own {quotas.projects} projects, the most here. Delete one you do not need."
        )


async def remove_project(session: AsyncSession, project_id: str) -> None:
    """Delete a project's row and all that hangs on it, in the caller's transaction."""
    await store.remove(session, project_id)


async def lock_project(session: AsyncSession, project_id: str, now: datetime) -> None:
    """Let one writer at a time number things of a project, and note that it changed. Raises
    ProjectNotFound if it was deleted meanwhile."""
    project = await store.lock(session, project_id)
    if project is None:
        raise missing_project(project_id)
    project.updated_at = now


async def check_owned(database: Database, owner_id: str, project_id: str) -> None:
    """Raises ProjectNotFound, for a foreign project just the same."""
    async with database.read() as session:
        if not await store.is_owned(session, owner_id, project_id):
            raise missing_project(project_id)


def named(name: str) -> str:
    return " ".join(storable(name).split())[:NAME_LENGTH] or "Project"
