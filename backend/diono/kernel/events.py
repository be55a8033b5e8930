"""Events: the append-only spine that every client, status and replay is a fold over."""

import math
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

Payload = dict[str, Any]


class EventType(StrEnum):
    LOG = "LOG"
    MESSAGE = "MESSAGE"
    ERROR = "ERROR"
    RESULT = "RESULT"
    AGENT_START = "AGENT_START"
    AGENT_COMPLETE = "AGENT_COMPLETE"
    TOOL_START = "TOOL_START"
    TOOL_COMPLETE = "TOOL_COMPLETE"
    THINKING = "THINKING"
    STATE = "STATE"
    CHECK = "CHECK"
    FILE = "FILE"
    PREVIEW = "PREVIEW"


class AgentRole(StrEnum):
    """The built-in roles; users add their own, so an event's role is any short name."""

    SYSTEM = "System"
    PRODUCT_MANAGER = "ProductManager"
    ARCHITECT = "Architect"
    ENGINEER = "Engineer"
    QA = "QA"


def storable(value: Any) -> Any:
    """Return JSON that every database and client can hold: program output and model answers may
    have NUL, half surrogate pairs or NaN, which become the replacement character or null."""
    match value:
        case str():
            return value.replace("\x00", "\ufffd").encode(errors="replace").decode()
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {storable(str(key)): storable(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple():
            return [storable(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


class EventDraft(BaseModel):
    """What an emitter says; the store adds the sequence number and the time."""

    model_config = ConfigDict(frozen=True)

    event_type: EventType
    agent_role: str = Field(default=AgentRole.SYSTEM, min_length=1, max_length=40)
    payload: Payload = Field(default_factory=dict)

    @field_validator("payload")
    @classmethod
    def _clean(cls, payload: Payload) -> Payload:
        return storable(payload)


class Event(EventDraft):
    """A stored event, or a transient one (``event_id`` is None: THINKING only, never replayed)."""

    event_id: int | None = Field(description="Sequence in the task, from 1; null if transient.")
    task_id: str
    timestamp: datetime = Field(description="UTC.")
