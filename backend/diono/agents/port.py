"""What the team needs from its host: a model, a sandbox, a durable step, a place to speak.

The agents know no web, no SQL, no Docker and no settings: whoever runs them passes these in.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from diono.kernel.events import EventDraft
from diono.llm.port import ChatRequest, ModelProfile, Reply
from diono.sandbox.port import Sandbox

JsonObject = dict[str, Any]


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

    async def run(self, name: str, action: Callable[[], Awaitable[JsonObject]]) -> JsonObject: ...


class Stage(Protocol):
    """Everything one build needs."""

    model: Model
    steps: Steps

    async def sandbox(self) -> Sandbox:
        """Return the project's live sandbox, opening it if need be (not a recorded step)."""
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


class Check(_Frozen):
    """One acceptance check that really ran (or honestly did not: ``passed`` is None)."""

    name: str
    kind: Literal["install", "start", "unit", "cli", "http", "page", "syntax"]
    passed: bool | None
    detail: str = ""
    is_required: bool = True


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
