"""What clients send and get when they chat in a project."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from diono.agents.port import JsonObject, Question
from diono.features.checkpoints.schemas import CheckpointInfo
from diono.features.conversations.schemas import HistoryMessage
from diono.features.projects.schemas import ProjectStatus, SandboxState
from diono.features.tasks.schemas import Budgets, TaskStatus

DEFAULT_RUNNER = "codeact"


class SendMessage(Budgets):
    """One turn of the conversation. What is left out has a default."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"message": "Add a due date to the to-do items"}]}
    )

    message: str = Field(description="What you want, at most 16000 bytes of UTF-8.")
    model: str | None = Field(default=None, description="provider/name; null: the default.")
    runner: str = Field(default=DEFAULT_RUNNER, max_length=80, examples=["codeact"])
    approval: Literal["risky", "always", "never"] | None = Field(
        default=None,
        description="Which actions wait for your approval: risky ones (null: these too), all that "
        "change something, or none.",
    )
    options: JsonObject = Field(default_factory=dict, description="The runner's own.")

    def all_options(self) -> JsonObject:
        return (
            self.options if self.approval is None else {**self.options, "approval": self.approval}
        )


class ChatEventName(StrEnum):
    """The only event names of a chat's stream."""

    AGENT_START = "agent_start"
    AGENT_THINKING = "agent_thinking"
    TOOL_START = "tool_start"
    TOOL_COMPLETE = "tool_complete"
    AGENT_COMPLETE = "agent_complete"
    ERROR = "error"


class ChatEvent(BaseModel):
    """The data of one event. The last one of a stream, and only that, has ``is_final``."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    event_id: int | None = Field(description="To resume after; null: not kept (single tokens).")
    kind: str = Field(
        description="Finer than the name: accepted, agent, tokens, message, log, state, question, "
        "check, file, preview, tool, warning, result, error."
    )
    agent: str
    text: str
    details: JsonObject
    is_final: bool = False
    timestamp: datetime | None = None


class HistoryPage(BaseModel):
    """A part of the conversation, with the checkpoints made in it."""

    messages: list[HistoryMessage] = Field(description="Oldest first.")
    checkpoints: list[CheckpointInfo] = Field(description="Oldest first.")
    next_cursor: int | None = Field(description="Pass it as `cursor` for older messages.")


class RunningTask(BaseModel):
    task_id: str
    kind: str
    runner: str
    status: TaskStatus
    phase: str
    progress: float
    last_event_id: int


class ProjectState(BaseModel):
    """What the agent keeps in mind, and what is going on now."""

    project_id: str
    status: ProjectStatus
    sandbox: SandboxState | None = Field(description="Null: the sandbox service does not answer.")
    phase: str
    thoughts: list[str] = Field(description="The last five, oldest first.")
    next_steps: list[str]
    error_count: int
    active_files: list[str]
    service_pids: dict[str, int]
    tokens_in: int
    tokens_out: int
    running: RunningTask | None
    waiting: Question | None = Field(
        description="The question that the running task waits for: answer it at "
        "`POST /api/tasks/{task_id}/decision`."
    )
    queued: int = Field(description="Turns that wait behind the running one.")


class ProjectFile(BaseModel):
    path: str
    size: int = Field(description="Bytes.")
    is_dir: bool = False


class FileTree(BaseModel):
    source: Literal["sandbox", "saved"] = Field(
        description="saved: no sandbox runs; the files as the last tasks saved them."
    )
    files: list[ProjectFile]
    is_cut: bool = Field(description="There are more files than are listed.")
