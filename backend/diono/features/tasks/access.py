"""The task services of a request, and the task in whose project the role has been checked."""

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from diono.features.accounts.access import Guard, Guarding, Identified, Identity
from diono.features.projects.access import MembersService, least_role
from diono.features.projects.errors import ProjectNotFound
from diono.features.projects.schemas import MemberRole
from diono.features.projects.service import Members
from diono.features.tasks.errors import TaskNotFound
from diono.features.tasks.service import PROJECT_KINDS, Inspections, Runs, Tasks
from diono.kernel.events import Event

T = TypeVar("T")


def tasks_service(request: Request) -> Tasks:
    return request.app.state.tasks


def runs_port(request: Request) -> Runs:
    return request.app.state.runs


def inspections_service(request: Request) -> Inspections:
    return request.app.state.inspections


TasksService = Annotated[Tasks, Depends(tasks_service)]
InspectionsService = Annotated[Inspections, Depends(inspections_service)]
RunsPort = Annotated[Runs, Depends(runs_port)]


async def owner_of_task(
    identity: Identity, task_id: str, least: MemberRole, tasks: Tasks, members: Members
) -> str:
    """Return the owner of a task for a member of its project. Raises RoleTooLow, and TaskNotFound
    for a task that is missing or foreign, or not of the project an API key is bound to."""
    project_id = await tasks.project_of(task_id)
    try:
        if project_id is None or not identity.sees_project(project_id):
            raise missing_task(task_id)
        standing = await members.standing(identity.account, project_id)
    except ProjectNotFound:
        raise missing_task(task_id) from None
    standing.need(least)
    return standing.owner_id


async def owned_task(
    task_id: str,
    request: Request,
    identity: Identified,
    tasks: TasksService,
    members: MembersService,
) -> tuple[str, str]:
    """Return (owner, task): a viewer of its project may read, an editor steer. Raises what
    ``owner_of_task`` raises."""
    owner_id = await owner_of_task(identity, task_id, least_role(request), tasks, members)
    return owner_id, task_id


async def repeated_task(
    task: Annotated[tuple[str, str], Depends(owned_task)], identity: Identified, tasks: TasksService
) -> tuple[str, str]:
    """Return (owner, task) to whom may repeat it, where the task goes: a new program is built in a
    new project. Raises what ``owned_task`` raises, and KeyBoundElsewhere."""
    if identity.project_id and (await tasks.state(*task)).kind not in PROJECT_KINDS:
        identity.may_make_projects()
    return task


def missing_task(task_id: str) -> TaskNotFound:
    return TaskNotFound(f"There is no task {task_id!r} of yours. `diono tasks` lists them.")


OwnedTask = Annotated[tuple[str, str], Depends(owned_task)]
RepeatedTask = Annotated[tuple[str, str], Depends(repeated_task)]


@dataclass(frozen=True)
class TaskFollower:
    """Follows tasks for one reader, while the reader may."""

    guard: Guard
    tasks: Tasks
    members: Members

    async def owner(self, task_id: str) -> str:
        """Raises TaskNotFound."""
        identity = self.guard.identity
        return await owner_of_task(identity, task_id, MemberRole.VIEWER, self.tasks, self.members)

    def over(self, task_id: str, events: AsyncIterable[T]) -> AsyncGenerator[T]:
        """Yield a task's events; raises TaskNotFound once the task is the reader's no more."""
        return self.guard.over(events, partial(self.owner, task_id))

    async def watch(self, task_id: str, since_event_id: int) -> AsyncGenerator[Event | None]:
        """Yield what ``Tasks.watch`` yields. Raises TaskNotFound, StreamCut."""
        owner_id = await self.owner(task_id)
        events = self.tasks.watch(owner_id, task_id, since_event_id)
        async with aclosing(self.over(task_id, events)) as guarded:
            async for event in guarded:
                yield event


def task_follower(guard: Guarding, tasks: TasksService, members: MembersService) -> TaskFollower:
    return TaskFollower(guard, tasks, members)


Following = Annotated[TaskFollower, Depends(task_follower)]
