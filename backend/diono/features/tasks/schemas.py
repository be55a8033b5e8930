"""What clients send and get about tasks."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from diono.kernel.events import Event

JsonObject = dict[str, Any]
DEFAULT_BUDGET_SECONDS = 900
MAX_BUDGET_SECONDS = 24 * 3600
PROMPT_BYTES = 16_000


class TaskStatus(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        return self in {TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.CANCELLED}


class CreateTask(BaseModel):
    """A request for software, in one or more sentences."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"prompt": "A command-line program that lists the prime factors of n"}]
        }
    )

    prompt: str = Field(description=f"What to build, at most {PROMPT_BYTES} bytes of UTF-8.")
    model: str | None = Field(default=None, description="provider/name; null: the default.")
    budget_seconds: int | None = Field(
        default=None, ge=1, le=MAX_BUDGET_SECONDS, description="Null: 900 seconds."
    )


class TaskError(BaseModel):
    code: str
    detail: str


class TaskState(BaseModel):
    """A task as it stands: a fold over its events."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    project_id: str
    prompt: str
    model: str | None
    budget_seconds: int
    status: TaskStatus
    progress: float = Field(ge=0, le=1, description="Counted work over known work.")
    phase: str
    current_agent: str | None
    last_message: str
    final_result: JsonObject | None = Field(description="The receipt, once the task has ended.")
    error: TaskError | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_event_id: int
    has_preview: bool


class TaskPage(BaseModel):
    items: list[TaskState]
    next_cursor: str | None = Field(description="Pass it as `cursor` for older tasks.")


class EventPage(BaseModel):
    events: list[Event]
    last_event_id: int


class ArtifactInfo(BaseModel):
    model_config = ConfigDict(frozen=True)

    path: str
    size: int = Field(description="Bytes.")
    sha256: str


class ArtifactList(BaseModel):
    files: list[ArtifactInfo]
