"""What the team needs from its host: a model, a sandbox, a durable step, a place to speak.

The agents know no web, no SQL, no Docker and no settings: whoever runs them passes these in.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from diono.inspection.models import Inspection, InspectionSummary
from diono.kernel.events import EventDraft
from diono.llm.fit.report import ModelFit
from diono.llm.port import ChatRequest, ModelProfile, Reply
from diono.sandbox.port import Sandbox

JsonObject = dict[str, Any]
Action = Callable[[], Awaitable[JsonObject]]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Model(Protocol):
    """A model bound to its provider. ``on_text`` gets each piece as it is generated."""

    name: str
    profile: ModelProfile

    async def ask(
        self, request: ChatRequest, on_text: Callable[[str], Awaitable[None]] | None = None
    ) -> Reply: ...


class Steps(Protocol):
    """Durable steps: a recorded result is returned on replay instead of running the action again.

    The code between steps must be deterministic (no clock, no randomness, no I/O). An action can
    run twice if the process dies inside it, so its effects must be idempotent. Results stay small
    JSON objects. Raises Cancelled (agents/errors.py) if the user cancelled the run.
    """

    async def run(self, name: str, action: Action) -> JsonObject: ...

    async def run_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int = 2
    ) -> list[JsonObject]:
        """Run independent steps side by side, at most ``at_once`` at a time; their results come
        in the order of ``branches``, also on replay. The first error of a branch is raised once
        all have ended."""
        ...


class Question(_Frozen):
    """Something that only the user may decide. ``key`` is unique within the run."""

    key: str
    kind: Literal["plan", "action", "question"]
    text: str
    choices: tuple[str, ...] = ()
    details: JsonObject = Field(default_factory=dict)
    expires_seconds: float = 24 * 3600


class Decision(_Frozen):
    """The user's answer. Without one until the question expired, ``is_expired`` is true and
    nothing is approved. ``details`` may carry an edited plan."""

    is_approved: bool
    text: str = ""
    details: JsonObject = Field(default_factory=dict)
    is_expired: bool = False


class Said(_Frozen):
    """One message of a project's conversation, oldest first; a summary has role ``system``."""

    role: Literal["user", "assistant", "tool", "system"]
    content: str
    tokens: int = 0


class Memory(_Frozen):
    """What an agent keeps in mind of its project; shown at ``GET /api/projects/{id}/state``."""

    phase: str = ""
    thoughts: tuple[str, ...] = Field(default=(), description="The last five.")
    next_steps: tuple[str, ...] = ()
    error_count: int = 0
    active_files: tuple[str, ...] = ()
    service_pids: dict[str, int] = Field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0


class Stage(Protocol):
    """Everything one run needs."""

    model: Model
    fit: ModelFit
    steps: Steps

    async def sandbox(self) -> Sandbox:
        """Return the project's live sandbox, opening it if need be (not a recorded step)."""
        ...

    async def side_sandbox(self, name: str, template: str = "base") -> Sandbox:
        """Return another sandbox of this run (a candidate's, a user tool's), opening it if need
        be; it is empty, has no network, and ends with the run (not a recorded step)."""
        ...

    async def end_side_sandbox(self, name: str) -> None:
        """End a side sandbox before the run ends, so that its place is free; fine if it is not
        there (not a recorded step)."""
        ...

    async def decide(self, question: Question) -> Decision:
        """Ask the user and wait, durably; the task is WAITING meanwhile. Call it in the body."""
        ...

    async def recall(self) -> tuple[Sequence[Said], Memory]:
        """Return the project's conversation (older parts as their summary) and its memory. Call
        it inside steps only."""
        ...

    async def remember(self, said: Sequence[Said], memory: Memory) -> None:
        """Append messages and replace the memory, once per call site; call it in the body."""
        ...

    async def checkpoint(self, title: str, commit: str) -> None:
        """Keep a point to return to: this commit, the conversation and the memory so far. Call
        it in the body; a repeat of the same commit is dropped."""
        ...

    async def emit(self, draft: EventDraft) -> None:
        """Append an event; a repeat after a restart is recognised and dropped."""
        ...

    def seconds_left(self) -> float:
        """Return what is left of the budget; call it inside steps only."""
        ...

    async def save_file(self, path: str, content: bytes) -> None:
        """Keep an accepted file's content for readers, so that they need no live sandbox."""
        ...

    async def inspect(self, checks: "Sequence[Check]" = ()) -> Inspection:
        """Examine the project's files as they are, and keep the report as the task's; call it
        inside steps only. What cannot be examined is said in the report, never raised."""
        ...


class Check(_Frozen):
    """One acceptance check that really ran (or honestly did not: ``passed`` is None)."""

    name: str
    kind: Literal["install", "start", "unit", "property", "cli", "http", "page", "syntax"]
    passed: bool | None
    detail: str = ""
    is_required: bool = True
    depth: str = Field(
        default="",
        description="example, edge, property, round trip, command line, route, page or form.",
    )


class Receipt(_Frozen):
    """What was built and what was proven. ``status`` is SUCCEEDED only if every required check
    passed and the model's own part of the work is in the result."""

    status: Literal["SUCCEEDED", "FAILED", "CANCELLED"]
    reason: str = ""
    spec: JsonObject
    blueprint: str
    files: tuple[str, ...]
    checks: tuple[Check, ...]
    unproven: tuple[str, ...] = ()
    attempts: int
    tokens_in: int
    tokens_out: int
    seconds: float
    preview_port: int | None = None
    commit: str = ""
    answer: str = Field(default="", description="What a chat turn or a solved function says.")
    details: JsonObject = Field(default_factory=dict)
    inspection: InspectionSummary | None = Field(
        default=None, description="What was found in the files; null: nobody looked."
    )
