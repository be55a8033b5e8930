"""What clients send and get about projects' services."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from diono.features.previews.schemas import PreviewLink
from diono.sandbox.port import RestartPolicy, ServiceSignal, ServiceStatus
from diono.sandbox.project_plan import ProjectPlan

APP = "app"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"


class RunMode(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class RunProject(BaseModel):
    """How to run the project; everything has a default that is found out."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{}, {"root": "frontend", "mode": "production"}]}
    )

    root: str | None = Field(default=None, description="Folder to run; null: the likeliest.")
    mode: RunMode = Field(
        default=RunMode.DEVELOPMENT, description="development: reloads as files change."
    )


class StartService(BaseModel):
    """A long-running process. Without a command: the program that the files tell of."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {},
                {
                    "name": "worker",
                    "argv": ["python3", "worker.py"],
                    "restart": "on-failure",
                },
            ]
        }
    )

    name: str = Field(default=APP, pattern=NAME_PATTERN)
    argv: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=200)
    port: int | None = Field(default=None, ge=1024, le=65535)
    cwd: str = Field(default=".", max_length=4000)
    env: Mapping[str, str] = Field(default_factory=dict, max_length=100)
    restart: RestartPolicy = RestartPolicy.ON_FAILURE
    start_timeout_seconds: float = Field(default=30.0, gt=0, le=120)


class StepReport(BaseModel):
    """One step on the way to a running program."""

    name: str
    seconds: float
    output: str = Field(description="The end of what it printed.")


class RunReport(BaseModel):
    plan: ProjectPlan
    steps: list[StepReport]
    service: ServiceStatus | None = Field(description="Null: a program for the command line.")
    preview: PreviewLink | None


class PlanList(BaseModel):
    plans: list[ProjectPlan]


class ServiceList(BaseModel):
    services: list[ServiceStatus]


class SignalService(BaseModel):
    signal: ServiceSignal = ServiceSignal.TERMINATE


class SharePreview(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"hours": 24}]})

    hours: float = Field(default=24.0, gt=0, le=24 * 30, description="How long the link works.")
