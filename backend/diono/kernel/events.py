"""Events: the append-only spine that every client, status and replay is a fold over."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

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
    SYSTEM = "System"
    PRODUCT_MANAGER = "ProductManager"
    ARCHITECT = "Architect"
    ENGINEER = "Engineer"
    QA = "QA"


class EventDraft(BaseModel):
    """What an emitter says; the store adds the sequence number and the time."""

    model_config = ConfigDict(frozen=True)

    event_type: EventType
    agent_role: AgentRole = AgentRole.SYSTEM
    payload: Payload = Field(default_factory=dict)


class Event(EventDraft):
    """A stored event, or a transient one (``event_id`` is None: THINKING only, never replayed)."""

    event_id: int | None = Field(description="Sequence in the task, from 1; null if transient.")
    task_id: str
    timestamp: datetime = Field(description="UTC.")
