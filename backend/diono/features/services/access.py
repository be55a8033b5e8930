"""The project's services of a request."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.access import SignedIn
from diono.features.services.service import ProjectServices


def project_services(request: Request) -> ProjectServices:
    return request.app.state.services


ServicesOfProjects = Annotated[ProjectServices, Depends(project_services)]


async def owned_project(
    project_id: str, account: SignedIn, services: ServicesOfProjects
) -> tuple[str, str]:
    """Return (owner, project). Raises ProjectNotFound for a missing or foreign one."""
    await services.check_owned(account.user_id, project_id)
    return account.user_id, project_id


OwnedProject = Annotated[tuple[str, str], Depends(owned_project)]
