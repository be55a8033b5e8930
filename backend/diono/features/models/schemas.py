"""What clients get about models."""

from pydantic import BaseModel, Field

from diono.llm.fit.report import ForecastKind, ModelFit, Role
from diono.llm.port import ModelInfo


class FitReport(BaseModel):
    """What is known of a model: measured, or (``fit.is_assumed``) what its provider says."""

    name: str
    fit: ModelFit
    forecast_seconds: dict[ForecastKind, float] = Field(
        description="About how long a task of each kind takes with this model."
    )


class ModelList(BaseModel):
    models: list[ModelInfo]
    default: str | None = Field(description="The model used when a task names none.")
    reason: str = Field(description="Why this one is the default.")
    problem: str = Field(description="What is wrong and the way out; empty if all is well.")
    fits: list[FitReport] = Field(
        default_factory=list[FitReport], description="Of the measured models."
    )
    roles: dict[Role, str] = Field(
        default_factory=dict[Role, str],
        description="The best of the measured models for each role.",
    )


class MeasureModel(BaseModel):
    name: str | None = Field(default=None, max_length=200, description="Default: the default.")
    project_id: str | None = Field(
        default=None,
        max_length=40,
        description="Where a model of this project's provider is meant.",
    )
    again: bool = Field(default=False, description="Measure even if it was measured.")
