"""Figures, replays and comparisons of tasks."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from diono.features.tasks.schemas import TaskStatus
from diono.kernel.events import Event

MOST_DAYS = 366


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Figures(_Frozen):
    """Of a group of tasks that ended. Cancelled ones count in no rate and no time."""

    tasks: int
    succeeded: int
    failed: int
    cancelled: int
    success_rate: float | None = Field(description="Of those not cancelled; null: none.")
    minutes_p50: float | None = Field(description="From the start to the end, pauses included.")
    minutes_p95: float | None
    tokens_in: int
    tokens_out: int
    cost_usd: float


class Group(Figures):
    name: str


class Analytics(_Frozen):
    days: int
    since: datetime
    is_of_all_users: bool
    total: Figures
    models: list[Group] = Field(description="The most used first, as in every list here.")
    blueprints: list[Group]
    kinds: list[Group]
    runners: list[Group]


class FileVersion(_Frozen):
    path: str
    size: int | None = None
    sha256: str | None = Field(
        default=None, description="GET …/files/{sha256} has the content as it was."
    )
    commit: str = ""


class CheckMark(_Frozen):
    name: str
    passed: bool | None
    detail: str = ""


class ReplayStep(_Frozen):
    """Events that belong together, and where the task stood after them."""

    number: int = Field(description="From 1.")
    title: str
    agent: str
    started_at: datetime
    seconds: float = Field(description="Until the next step began.")
    tokens_in: int = Field(description="Used meanwhile, answers that were thrown away included.")
    tokens_out: int
    progress: float
    events: list[Event]
    files: list[FileVersion] = Field(description="All files as they were then, by path.")
    checks: list[CheckMark] = Field(description="The last verdict of every check so far.")


class Replay(_Frozen):
    task_id: str
    status: TaskStatus
    steps_total: int
    steps: list[ReplayStep]
    next_step: int | None = Field(description="Pass it as `step` for the ones after these.")


class Side(_Frozen):
    task_id: str
    model: str | None
    kind: str
    runner: str
    status: TaskStatus
    reason: str
    seconds: float | None = Field(description="From the start to the end.")
    attempts: int
    tokens_in: int
    tokens_out: int
    cost_usd: float
    checks_passed: int
    checks_failed: int
    files: int


class CheckPair(_Frozen):
    name: str
    left: bool | None
    right: bool | None
    is_in: Literal["both", "left", "right"]


class FilePair(_Frozen):
    path: str
    state: Literal["same", "different", "left", "right"] = Field(
        description="left, right: only that task has it."
    )


class Comparison(_Frozen):
    is_same_request: bool
    left: Side
    right: Side
    checks: list[CheckPair]
    files: list[FilePair]
