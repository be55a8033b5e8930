"""What goes in and out of the calls of template builds."""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from diono.sandbox.images.records import now
from diono.sandbox.images.steps import StepData

_LINES_LIMIT = 5000


class BuildTicket(BaseModel):
    """A build that may be started."""

    model_config = ConfigDict(frozen=True)

    template_id: str
    build_id: str
    name: str
    tags: tuple[str, ...]


class BuildLine(BaseModel):
    """``step``: a step's number from 1, ``base`` or ``finalize``."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    level: str
    text: str
    step: str


class BuildState(BaseModel):
    """``status``: waiting, building, ready or error. ``lines`` begin at the offset asked for."""

    model_config = ConfigDict(frozen=True)

    status: str
    lines: tuple[BuildLine, ...] = ()
    problem: str = ""
    problem_step: str = ""


class BuildOrder(BaseModel):
    """The body of POST /v2/templates/T/builds/B."""

    model_config = ConfigDict(extra="ignore")

    from_image: str = Field(default="", alias="fromImage", max_length=300)
    from_template: str = Field(default="", alias="fromTemplate", max_length=300)
    force: bool = False
    steps: list[StepData] = Field(default_factory=list[StepData], max_length=200)
    start_command: str = Field(default="", alias="startCmd", max_length=20_000)
    ready_command: str = Field(default="", alias="readyCmd", max_length=20_000)


@dataclass
class BuildLog:
    """What a build has said; the first part, if it says too much."""

    lines: list[BuildLine] = field(default_factory=list[BuildLine])

    def add(self, step: str, text: str, level: str = "info") -> None:
        if len(self.lines) < _LINES_LIMIT:
            self.lines.append(BuildLine(at=now(), level=level, text=text, step=step))
