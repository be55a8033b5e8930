"""The figures of a request, and whose they are."""

from typing import Annotated

from fastapi import Depends, Query, Request

from diono.features.accounts.access import Identified
from diono.features.analytics.service import Statistics
from diono.features.projects.access import MembersService
from diono.features.projects.schemas import MemberRole
from diono.features.tasks.access import TasksService, owner_of_task


def statistics_service(request: Request) -> Statistics:
    return request.app.state.statistics


StatisticsService = Annotated[Statistics, Depends(statistics_service)]


async def compared_task(
    identity: Identified,
    tasks: TasksService,
    members: MembersService,
    other: Annotated[str, Query(alias="with", max_length=40, description="The other task.")],
) -> tuple[str, str]:
    """Return (owner, task) of the other task. Raises TaskNotFound."""
    return await owner_of_task(identity, other, MemberRole.VIEWER, tasks, members), other


ComparedTask = Annotated[tuple[str, str], Depends(compared_task)]
