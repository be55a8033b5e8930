"""Checkpoints over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from diono.features.accounts.access import SignedIn
from diono.features.checkpoints.access import CheckpointsService
from diono.features.checkpoints.schemas import (
    DIFF_BYTES,
    DIFF_BYTES_LIMIT,
    ChangeCheckpoint,
    CheckpointInfo,
    CheckpointPage,
    DiffReport,
    ForkProject,
    NewCheckpoint,
    RestoreProject,
    RestoreReport,
)
from diono.features.projects.access import ForkedProject, OwnedProject, ProjectsService
from diono.features.projects.schemas import ProjectInfo

router = APIRouter(prefix="/api/projects/{project_id}", tags=["checkpoints"])


@router.get("/checkpoints")
async def list_checkpoints(
    project: OwnedProject,
    checkpoints: CheckpointsService,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    is_bookmarked: bool = False,
) -> CheckpointPage:
    """List the points to return to, newest first."""
    return await checkpoints.page(project[1], cursor, limit, is_bookmarked)


@router.post("/checkpoints", status_code=201)
async def make_checkpoint(
    project: OwnedProject,
    projects: ProjectsService,
    checkpoints: CheckpointsService,
    body: NewCheckpoint,
) -> CheckpointInfo:
    """Keep the project as it is under a name. 409 `project_busy` while a run is active."""
    async with projects.idle(project[1]):
        return await checkpoints.make(project, body.title)


@router.patch("/checkpoints/{checkpoint_id}")
async def change_checkpoint(
    project: OwnedProject,
    checkpoints: CheckpointsService,
    checkpoint_id: str,
    body: ChangeCheckpoint,
) -> CheckpointInfo:
    """Bookmark or rename a checkpoint."""
    return await checkpoints.change(project, checkpoint_id, body)


@router.get("/checkpoints/{checkpoint_id}/diff")
async def compare_checkpoint(
    project: OwnedProject,
    checkpoints: CheckpointsService,
    checkpoint_id: str,
    to: Annotated[str | None, Query(description="Another checkpoint; none: the files now.")] = None,
    limit: Annotated[int, Query(ge=1_000, le=DIFF_BYTES_LIMIT, description="Bytes.")] = DIFF_BYTES,
) -> DiffReport:
    """Compare a checkpoint with another one, or with the files as they are."""
    return await checkpoints.diff(project, checkpoint_id, to, limit)


@router.post("/restore")
async def restore_project(
    project: OwnedProject,
    projects: ProjectsService,
    checkpoints: CheckpointsService,
    body: RestoreProject,
) -> RestoreReport:
    """Go back to a checkpoint: files, conversation and memory. Later work stays in a checkpoint
    of its own. 409 `project_busy` while a run is active."""
    async with projects.idle(project[1]):
        return await checkpoints.restore(project, body.checkpoint_id)


@router.post("/fork", status_code=201)
async def fork_project(
    project: ForkedProject,
    account: SignedIn,
    projects: ProjectsService,
    checkpoints: CheckpointsService,
    body: Annotated[ForkProject, Body()] = ForkProject(),  # noqa: B008 - frozen
) -> ProjectInfo:
    """Copy a project, as it was at a checkpoint or as it is, into a new one of yours."""
    async with projects.idle(project[1]):
        name = body.name or f"{(await projects.one(*project)).name} (copy)"
        forked = await checkpoints.fork(project, body.checkpoint_id, name, account.user_id)
    return await projects.one(account.user_id, forked)
