"""Projects over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from diono.features.accounts.access import SignedIn
from diono.features.projects.access import OwnedProject, ProjectsService
from diono.features.projects.errors import UserNotFound
from diono.features.projects.schemas import (
    ChangeProject,
    CreateProject,
    DeleteProject,
    ProjectInfo,
    ProjectPage,
    ProjectStatus,
)

router = APIRouter(prefix="/api", tags=["projects"])


@router.get("/users/{user_id}/projects")
async def list_projects(
    user_id: str,
    account: SignedIn,
    projects: ProjectsService,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    status: ProjectStatus | None = None,
) -> ProjectPage:
    """List a user's projects, newest first: your own (`me`), or as an admin anybody's."""
    owner_id = account.user_id if user_id == "me" else user_id
    if owner_id != account.user_id and not account.is_admin:
        raise UserNotFound(f"There is no user {user_id!r} whose projects you may see. Try `me`.")
    return await projects.page(owner_id, cursor, limit, status)


@router.post("/projects", status_code=201)
async def create_project(
    body: CreateProject, account: SignedIn, projects: ProjectsService
) -> ProjectInfo:
    """Make an empty project to chat in."""
    return await projects.create(account.user_id, body.name)


@router.get("/projects/{project_id}")
async def get_project(project: OwnedProject, projects: ProjectsService) -> ProjectInfo:
    """Return a project with the state of its sandbox."""
    return await projects.one(*project)


@router.patch("/projects/{project_id}")
async def change_project(
    project: OwnedProject, projects: ProjectsService, body: ChangeProject
) -> ProjectInfo:
    """Rename a project, or pause (its sandbox freezes), end or reactivate it."""
    return await projects.change(*project, body)


@router.delete("/projects/{project_id}", status_code=204)
async def delete_project(
    project: OwnedProject, projects: ProjectsService, body: DeleteProject
) -> None:
    """Remove a project with its sandbox, files, conversation, checkpoints and tasks, for good."""
    await projects.delete(*project, body.name)
