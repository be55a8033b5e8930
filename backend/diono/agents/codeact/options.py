"""What a chat task may set. The host decides what it lets users choose."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from diono.agents.port import JsonObject

Approval = Literal["risky", "always", "never"]


class ChatOptions(BaseModel):
    """``approval``: which actions wait for the user: risky ones, all that change something, or
    none. Unknown options are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    max_iterations: int = Field(default=25, ge=1, le=200)
    approval: Approval = "risky"
    approval_seconds: float = Field(default=24 * 3600.0, gt=0)
    max_answer_tokens: int = Field(default=1536, ge=64, le=16_000)
    is_proven: bool = Field(default=True, description="Run the project's checks around changes.")

    @classmethod
    def of(cls, options: JsonObject) -> "ChatOptions":
        """Raises ValidationError."""
        return cls.model_validate(options)
