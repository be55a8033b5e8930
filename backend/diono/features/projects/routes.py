"""Projects over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from diono.features.accounts.access import Identified, SignedIn
from diono.features.projects.access import (
    ActingUser,
    ManagedProject,
    MembersService,
    OwnedProject,
    ProjectsService,
    ProjectStanding,
)
from diono.features.projects.errors import UserNotFound
from diono.features.projects.schemas import (
    AddMember,
    ChangeMember,
    ChangeProject,
    CreateProject,
    DeleteProject,
    MemberInfo,
    MemberList,
    MemberRole,
    ProjectInfo,
    ProjectPage,
    ProjectStatus,
)

router = APIRouter(prefix="/api", tags=["projects"])
# No API key manages members: their tag has no scope.
membership = APIRouter(prefix="/api/projects/{project_id}", tags=["members"])


@router.get("/users/{user_id}/projects")
async def list_projects(
    user_id: str,
    identity: Identified,
    projects: ProjectsService,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    status: ProjectStatus | None = None,
) -> ProjectPage:
    """List the projects of a user and those shared with them, newest first: yours (`me`), or as
    an admin anybody's."""
    account = identity.account
    owner_id = account.user_id if user_id == "me" else user_id
    if owner_id != account.user_id and not account.is_admin:
        raise UserNotFound(f"There is no user {user_id!r} whose projects you may see. Try `me`.")
    return await projects.page(owner_id, cursor, limit, status, identity.project_id)


@router.post("/projects", status_code=201)
async def create_project(
    body: CreateProject, account: SignedIn, projects: ProjectsService
) -> ProjectInfo:
    """Make an empty project to chat in."""
    return await projects.create(account.user_id, body.name)


@router.get("/projects/{project_id}")
async def get_project(standing: ProjectStanding, projects: ProjectsService) -> ProjectInfo:
    """Return a project with the state of its sandbox and your role in it."""
    return await projects.one(standing.owner_id, standing.project_id, standing.role)


@router.patch("/projects/{project_id}")
async def change_project(
    project: OwnedProject,
    standing: ProjectStanding,
    projects: ProjectsService,
    body: ChangeProject,
) -> ProjectInfo:
    """Rename a project, or pause (its sandbox freezes), end or reactivate it."""
    return await projects.change(*project, body, standing.role)


@router.delete("/projects/{project_id}", status_code=204)
async def delete_project(
    project: ManagedProject, projects: ProjectsService, body: DeleteProject
) -> None:
    """Remove a project with its sandbox, files, conversation, checkpoints and tasks, for good."""
    await projects.delete(*project, body.name)


@membership.get("/members")
async def list_members(standing: ProjectStanding, members: MembersService) -> MemberList:
    """List who works in the project, its owner first."""
    return await members.list(standing.project_id)


@membership.post("/members", status_code=201)
async def add_member(
    project: ManagedProject, members: MembersService, actor: ActingUser, body: AddMember
) -> MemberInfo:
    """Share the project with a user, by user name or verified e-mail address."""
    return await members.add(project[1], actor, body.user, MemberRole(body.role))


@membership.patch("/members/{user_id}")
async def change_member(
    project: ManagedProject,
    members: MembersService,
    actor: ActingUser,
    user_id: str,
    body: ChangeMember,
) -> MemberInfo:
    """Change a member's role."""
    return await members.change(project[1], actor, user_id, MemberRole(body.role))


@membership.delete("/members/{user_id}", status_code=204)
async def remove_member(
    project: ManagedProject, members: MembersService, actor: ActingUser, user_id: str
) -> None:
    """End a membership at once: what the member follows now ends too."""
    await members.remove(project[1], actor, user_id)


# Also for who may only read: it is about oneself.
@membership.post("/leave", status_code=204, tags=["accounts"])
async def leave_project(
    standing: ProjectStanding, members: MembersService, actor: ActingUser
) -> None:
    """Leave a project that was shared with you; its owner gives it away or deletes it."""
    await members.remove(standing.project_id, actor, actor.user_id)
