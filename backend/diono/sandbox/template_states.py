"""How far the images of our own templates are, as the service tells it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Readiness(StrEnum):
    READY = "ready"
    BUILDING = "building"
    ON_DEMAND = "on_demand"
    FAILED = "failed"


class TemplateState(BaseModel):
    """How far the image of one of our own templates is. Seconds since its build began."""

    model_config = ConfigDict(frozen=True)

    name: str
    names: tuple[str, ...]
    title: str
    readiness: Readiness
    detail: str = Field(default="", description="What is being done, or why it failed.")
    seconds: float = 0.0
