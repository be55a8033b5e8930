"""Projects: what a task builds in. One workspace volume, at most one sandbox."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol
from weakref import WeakValueDictionary

from loguru import logger

from diono.features.projects import store
from diono.features.projects.errors import (
    NotConfirmed,
    ProjectBusy,
    ProjectNotActive,
)
from diono.features.projects.schemas import (
    ChangeProject,
    MemberRole,
    ProjectInfo,
    ProjectPage,
    ProjectStatus,
    SandboxState,
)
from diono.features.projects.service.members import missing_project
from diono.features.projects.service.parts import Quotas, add_project, check_owned, named
from diono.features.projects.tables import Project
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.sandbox.keyring import RunningSandbox
from diono.sandbox.port import Sandboxes


class Listing(Protocol):
    """The sandbox service's list of an owner's sandboxes."""

    async def sandboxes(self, owner: str) -> Sequence[RunningSandbox]: ...


class Activity(Protocol):
    """What the tasks tell of projects."""

    async def running(self, project_ids: Sequence[str]) -> Mapping[str, str]:
        """Return {project: a task of it that has been started and has not ended}."""
        ...

    async def started(self, project_ids: Sequence[str]) -> set[str]:
        """Return those in which anything ever ran."""
        ...


class Projects:
    """Every method filters by owner. ``listing`` and ``activity`` are asked, not owned."""

    def __init__(
        self,
        database: Database,
        sandboxes: Sandboxes,
        listing: Listing,
        activity: Activity,
        clock: Clock,
        quotas: Quotas | None = None,
    ) -> None:
        self._database = database
        self._sandboxes = sandboxes
        self._listing = listing
        self._activity = activity
        self._clock = clock
        self._quotas = quotas or Quotas()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def check_owned(self, owner_id: str, project_id: str) -> None:
        """Raises ProjectNotFound."""
        await check_owned(self._database, owner_id, project_id)

    @asynccontextmanager
    async def alone(self, project_id: str) -> AsyncGenerator[None]:
        """Let one change or start of a project happen at a time in this process."""
        lock = self._locks.setdefault(project_id, asyncio.Lock())
        async with lock:
            yield

    @asynccontextmanager
    async def idle(self, project_id: str) -> AsyncGenerator[None]:
        """Hold a project in which nothing runs. Raises ProjectBusy."""
        async with self.alone(project_id):
            await self.check_idle(project_id)
            yield

    async def create(self, owner_id: str, name: str) -> ProjectInfo:
        """Add an empty project. Raises ProjectQuotaReached."""
        async with self._database.write() as session:
            now = self._clock.now()
            project_id = await add_project(session, owner_id, name, now, self._quotas)
        return await self.one(owner_id, project_id)

    async def one(
        self, owner_id: str, project_id: str, role: MemberRole = MemberRole.OWNER
    ) -> ProjectInfo:
        """Return an owner's project as someone of that role in it sees it. Raises
        ProjectNotFound."""
        async with self._database.read() as session:
            project = await store.owned(session, owner_id, project_id)
        if project is None:
            raise missing_project(project_id)
        return (await self._told([project], {project_id: role}))[0]

    async def page(
        self,
        user_id: str,
        cursor: str | None,
        limit: int,
        status: ProjectStatus | None,
        only: str | None = None,
    ) -> ProjectPage:
        """Return a user's projects and those shared with them; ``only`` one of them."""
        async with self._database.read() as session:
            found = await store.page(session, user_id, cursor, limit + 1, status, only)
            shared = [row.project_id for row in found if row.owner_id != user_id]
            roles = await store.roles(session, user_id, shared)
        told = {project_id: MemberRole(role) for project_id, role in roles.items()}
        items = await self._told(found[:limit], told)
        has_more = len(found) > limit
        return ProjectPage(items=items, next_cursor=items[-1].project_id if has_more else None)

    async def change(
        self,
        owner_id: str,
        project_id: str,
        wanted: ChangeProject,
        role: MemberRole = MemberRole.OWNER,
    ) -> ProjectInfo:
        """Rename a project, or pause, end or reactivate it. Raises ProjectNotFound, ProjectBusy
        if a run is active and shall not go on."""
        await check_owned(self._database, owner_id, project_id)
        status = wanted.status
        if status is not None and status is not ProjectStatus.ACTIVE:
            await self.check_idle(project_id)
        async with self._database.write() as session:
            project = await store.lock(session, project_id)
            if project is None:
                raise missing_project(project_id)
            if wanted.name is not None:
                project.name = named(wanted.name)
            if status is not None:
                project.status = status
            project.updated_at = self._clock.now()
        if status is ProjectStatus.PAUSED:
            await self._sandboxes.pause(owner_id, project_id)
        if status is ProjectStatus.ENDED:
            await self._sandboxes.kill(owner_id, project_id)
        return await self.one(owner_id, project_id, role)

    async def delete(self, owner_id: str, project_id: str, name: str) -> None:
        """End its sandbox and remove its files and rows. Raises ProjectNotFound, NotConfirmed,
        ProjectBusy, and what the sandbox service raises: then nothing is removed yet."""
        async with self._database.read() as session:
            project = await store.owned(session, owner_id, project_id)
        if project is None:
            raise missing_project(project_id)
        if name.strip() != project.name.strip():
            raise NotConfirmed(
                f"Send the project's name, {project.name!r}, to confirm: deleting cannot be undone."
            )
        async with self.idle(project_id):
            await self._sandboxes.delete_workspace(owner_id, project_id)
            async with self._database.write() as session:
                await store.remove(session, project_id)

    async def check_idle(self, project_id: str) -> None:
        """Raises ProjectBusy while a run of the project is active."""
        task_id = (await self._activity.running([project_id])).get(project_id)
        if task_id is not None:
            raise ProjectBusy(
                f"The task {task_id} works in this project. Wait for its end, or cancel it: "
                f"`POST /api/tasks/{task_id}/cancel`."
            )

    async def check_active(self, owner_id: str, project_id: str) -> None:
        """Raises ProjectNotFound, ProjectNotActive."""
        async with self._database.read() as session:
            project = await store.owned(session, owner_id, project_id)
        if project is None:
            raise missing_project(project_id)
        if project.status != ProjectStatus.ACTIVE:
            raise ProjectNotActive(
                f"The project is {project.status}. Make it active again: "
                f'`PATCH /api/projects/{project_id}` with `{{"status": "active"}}`.'
            )

    async def _told(
        self, rows: Sequence[Project], roles: Mapping[str, MemberRole]
    ) -> list[ProjectInfo]:
        ids = [row.project_id for row in rows]
        running = await self._activity.running(ids)
        sandboxes: dict[str, SandboxState] = {}
        for owner_id in {row.owner_id for row in rows}:
            theirs = [row.project_id for row in rows if row.owner_id == owner_id]
            sandboxes |= await self._sandbox_states(owner_id, theirs)
        return [
            ProjectInfo(
                project_id=row.project_id,
                owner_id=row.owner_id,
                role=roles.get(row.project_id, MemberRole.OWNER),
                name=row.name,
                status=ProjectStatus(row.status),
                blueprint=row.blueprint,
                forked_from=row.forked_from,
                sandbox=sandboxes.get(row.project_id),
                running_task_id=running.get(row.project_id),
                created_at=row.created_at,
                updated_at=row.updated_at,
            )
            for row in rows
        ]

    async def _sandbox_states(
        self, owner_id: str, ids: Sequence[str]
    ) -> Mapping[str, SandboxState]:
        if not ids:
            return {}
        try:
            listed = await self._listing.sandboxes(owner_id)
        except DionoError as error:
            logger.warning("sandboxes of {} not listed: {}", owner_id, error.detail)
            return {}
        live = {
            item.metadata.get("project", ""): SandboxState(item.state)
            for item in listed
            if item.state in (SandboxState.RUNNING, SandboxState.PAUSED)
        }
        started = await self._activity.started(ids)
        return {
            project_id: live.get(
                project_id,
                SandboxState.KILLED if project_id in started else SandboxState.NONE,
            )
            for project_id in ids
        }
