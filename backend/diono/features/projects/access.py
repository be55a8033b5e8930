"""The project of a request, in which the role of who asks has been checked."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.access import READ_METHODS, Identified, client_address, needed
from diono.features.projects.schemas import MemberRole
from diono.features.projects.service import Actor, Members, Projects, Standing, missing_project


def projects_service(request: Request) -> Projects:
    return request.app.state.projects


def members_service(request: Request) -> Members:
    return request.app.state.members


ProjectsService = Annotated[Projects, Depends(projects_service)]
MembersService = Annotated[Members, Depends(members_service)]


def least_role(request: Request) -> MemberRole:
    """Return what a request needs at least: who only reads may be a viewer."""
    is_reading = request.method in READ_METHODS or needed(request) == "read"
    return MemberRole.VIEWER if is_reading else MemberRole.EDITOR


async def project_standing(
    project_id: str, identity: Identified, members: MembersService
) -> Standing:
    """Return whose the project is, and the role of who asks. Raises ProjectNotFound for one that
    is missing or foreign, or not the one an API key is bound to."""
    if not identity.sees_project(project_id):
        raise missing_project(project_id)
    return await members.standing(identity.account, project_id)


ProjectStanding = Annotated[Standing, Depends(project_standing)]


async def owned_project(request: Request, standing: ProjectStanding) -> tuple[str, str]:
    """Return (owner, project): a viewer may read, an editor all but manage and delete. Raises
    ProjectNotFound, RoleTooLow."""
    standing.need(least_role(request))
    return standing.owner_id, standing.project_id


async def managed_project(standing: ProjectStanding) -> tuple[str, str]:
    """Return (owner, project) to its owner only. Raises ProjectNotFound, RoleTooLow."""
    standing.need(MemberRole.OWNER)
    return standing.owner_id, standing.project_id


async def forked_project(
    project: Annotated[tuple[str, str], Depends(owned_project)], identity: Identified
) -> tuple[str, str]:
    """Return (owner, project) to whom may copy it into a new one. Raises what ``owned_project``
    raises, and KeyBoundElsewhere."""
    identity.may_make_projects()
    return project


async def actor(request: Request, identity: Identified) -> Actor:
    return Actor(identity.account.user_id, client_address(request))


OwnedProject = Annotated[tuple[str, str], Depends(owned_project)]
ForkedProject = Annotated[tuple[str, str], Depends(forked_project)]
ManagedProject = Annotated[tuple[str, str], Depends(managed_project)]
ActingUser = Annotated[Actor, Depends(actor)]
