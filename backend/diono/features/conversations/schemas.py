"""What clients get of conversations."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from diono.agents.port import Memory, Said

__all__ = ["ConversationPage", "HistoryMessage", "Memory", "Said"]


class HistoryMessage(BaseModel):
    """One message as it was said. A summary stands for those up to ``covers`` when the model
    reads the conversation; they stay in the history."""

    model_config = ConfigDict(frozen=True)

    number: int = Field(description="Counts from 1 in the project.")
    role: Literal["user", "assistant", "tool", "system"]
    content: str
    tokens: int = Field(description="Estimated.")
    task_id: str | None
    is_summary: bool = False
    covers: int | None = None
    created_at: datetime


class ConversationPage(BaseModel):
    messages: list[HistoryMessage] = Field(description="Oldest first.")
    next_cursor: int | None = Field(description="Pass it as `cursor` for older messages.")
