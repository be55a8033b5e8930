"""Figures, replays and comparisons over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from diono.features.accounts.access import SignedIn
from diono.features.analytics.access import ComparedTask, StatisticsService
from diono.features.analytics.schemas import MOST_DAYS, Analytics, Comparison, Replay
from diono.features.tasks.access import OwnedTask

router = APIRouter(prefix="/api/analytics", tags=["analytics"])


@router.get("")
async def get_analytics(
    account: SignedIn,
    statistics: StatisticsService,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 30,
    is_of_all: Annotated[bool, Query(alias="all", description="Of all users; for admins.")] = False,
) -> Analytics:
    """Return success, minutes, tokens and cost of ended tasks: in all, by model, blueprint, kind
    and runner."""
    return await statistics.analytics(account, days, is_of_all=is_of_all)


@router.get("/tasks/{task_id}/replay")
async def replay_task(
    task: OwnedTask,
    statistics: StatisticsService,
    step: Annotated[int, Query(ge=1, description="The first step wanted.")] = 1,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Replay:
    """Return a task step by step, with its files and checks as they were."""
    return await statistics.replay(*task, step, limit)


@router.get(
    "/tasks/{task_id}/files/{sha256}",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def get_file_version(task: OwnedTask, sha256: str, statistics: StatisticsService) -> Response:
    """Return a file as it was at a step of the task, as inert text."""
    content = await statistics.file_version(*task, sha256)
    return Response(
        content,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"},
    )


@router.get("/tasks/{task_id}/compare")
async def compare_tasks(
    task: OwnedTask, other: ComparedTask, statistics: StatisticsService
) -> Comparison:
    """Return two tasks side by side, such as a task and its rerun on another model."""
    return await statistics.compare(task, other)
