"""What clients get about models."""

from pydantic import BaseModel, Field

from diono.llm.port import ModelInfo


class ModelList(BaseModel):
    models: list[ModelInfo]
    default: str | None = Field(description="The model used when a task names none.")
    reason: str = Field(description="Why this one is the default.")
    problem: str = Field(description="What is wrong and the way out; empty if all is well.")
