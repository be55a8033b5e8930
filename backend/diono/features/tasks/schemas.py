"""What clients send and get about tasks."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from diono.agents.port import JsonObject, Question, Receipt
from diono.agents.runner import Kind
from diono.kernel.events import Event

DEFAULT_BUDGET_SECONDS = 900
MAX_BUDGET_SECONDS = 24 * 3600
PROMPT_BYTES = 16_000
OPTIONS_BYTES = 32_000
PROJECT_ID_LENGTH = 40
RUNNERS: dict[Kind, str] = {
    "build": "team",
    "solve": "solve",
    "change": "change",
    "chat": "codeact",
}


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


class Budgets(BaseModel):
    """What a task may use. It ends, with what is proven so far, before it would use more."""

    budget_seconds: int | None = Field(
        default=None,
        ge=0,
        le=MAX_BUDGET_SECONDS,
        description="Null: 900. Time in which the task waits or is paused does not count.",
    )
    budget_tokens: int | None = Field(
        default=None, ge=0, le=1_000_000_000, description="In and out together; null: no limit."
    )
    budget_cost_usd: float | None = Field(
        default=None, ge=0, le=1_000_000, description="For paid models; null: no limit."
    )


class RetryTask(Budgets):
    """Budgets for the next attempt; those that are left out stay as they were."""


class CreateTask(Budgets):
    """A request for software, in one or more sentences."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"prompt": "A command-line program that lists the prime factors of n"},
                {
                    "prompt": "Add a due date to the to-do items",
                    "kind": "change",
                    "project_id": "prj_01h455vb4pex5vsknk084sn02q",
                    "budget_tokens": 20_000,
                },
            ]
        }
    )

    prompt: str = Field(description=f"What to do, at most {PROMPT_BYTES} bytes of UTF-8.")
    kind: Kind = Field(
        default="build",
        description="build: a new program; solve: one function; change: a change to a built "
        "program; chat: one turn with the agent in a project.",
    )
    runner: str | None = Field(
        default=None, max_length=80, description="Who works on it. Null: the kind's own runner."
    )
    project_id: str | None = Field(
        default=None,
        max_length=PROJECT_ID_LENGTH,
        description="Where to work; needed for change and chat. Null: a new project.",
    )
    options: JsonObject = Field(
        default_factory=dict,
        description=f"The runner's own options, at most {OPTIONS_BYTES} bytes of JSON.",
    )
    model: str | None = Field(default=None, description="provider/name; null: the default.")
    priority: int = Field(
        default=100,
        ge=0,
        le=1000,
        description="0 is the first. It ranks your own tasks; users are served in turn.",
    )


class PatchTask(BaseModel):
    """What can be changed of a task that has not ended."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"priority": 0}]})

    priority: int = Field(ge=0, le=1000, description="0 is the first of your tasks.")


class AnswerQuestion(BaseModel):
    """The user's answer to the open question of a task (``waiting_for``)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"key": "plan", "approved": True, "text": ""}]}
    )

    key: str | None = Field(
        default=None, max_length=120, description="Which question; null: the open one."
    )
    approved: bool
    text: str = Field(default="", max_length=PROMPT_BYTES)
    details: JsonObject = Field(
        default_factory=dict, description="What the question asks for, such as an edited plan."
    )


class RerunTask(BaseModel):
    """The same request once more, on another model."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "ollama/qwen3-coder:30b"}]})

    model: str = Field(max_length=200, description="provider/name.")


class QueuePlace(BaseModel):
    """Where an accepted task stands until it ends."""

    model_config = ConfigDict(frozen=True)

    state: Literal["queued", "running", "waiting", "paused"]
    position: int | None = Field(description="Of a queued task: 1 is the next of all users'.")
    waits_for_task: str | None = Field(
        description="The task that holds the project; null: none, or this one."
    )


class TaskError(BaseModel):
    code: str
    detail: str


class TaskState(BaseModel):
    """A task as it stands: a fold over its events."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    project_id: str
    kind: Kind
    runner: str
    prompt: str
    options: JsonObject
    model: str | None
    priority: int
    budget_seconds: int
    budget_tokens: int | None
    budget_cost_usd: float | None
    rerun_of: str | None = Field(description="The task that this one repeats.")
    requested_by: str | None = Field(description="The user who asked for it.")
    attempt: int = Field(description="1, or more after retries.")
    status: TaskStatus
    progress: float = Field(ge=0, le=1, description="Counted work over known work.")
    phase: str
    queue: QueuePlace | None = Field(description="Null before the run and after the end.")
    is_pause_requested: bool
    is_cancel_requested: bool
    waiting_for: Question | None = Field(description="The open question to the user.")
    current_agent: str | None
    last_message: str
    tokens_in: int = Field(description="Spent so far, answers that were thrown away included.")
    tokens_out: int
    cost_usd: float
    final_result: Receipt | None = Field(description="The receipt, once the task has ended.")
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
    kind: str = Field(default="", description="code, test, documentation… by the file's name.")
    language: str = Field(default="", description="Such as python; empty if unknown.")
    lines: int | None = Field(default=None, description="Null until the task was examined.")


class ArtifactList(BaseModel):
    files: list[ArtifactInfo]
