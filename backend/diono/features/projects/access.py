"""The project of a request, whose owner has been checked."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.access import SignedIn
from diono.features.projects.service import Projects


def projects_service(request: Request) -> Projects:
    return request.app.state.projects


ProjectsService = Annotated[Projects, Depends(projects_service)]


async def owned_project(
    project_id: str, account: SignedIn, projects: ProjectsService
) -> tuple[str, str]:
    """Return (owner, project). Raises ProjectNotFound for a missing or foreign one."""
    await projects.check_owned(account.user_id, project_id)
    return account.user_id, project_id


OwnedProject = Annotated[tuple[str, str], Depends(owned_project)]
