"""Agent runners: different ways to work on a task, behind one interface.

A runner is the body of a durable run: it does everything that touches a model, a sandbox or a
clock in steps of its stage, speaks through ``stage.emit``, and always ends with a receipt.
``BaseRunner`` (agents/running.py) does what all of them have in common.
"""

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from diono.agents.port import JsonObject, Receipt, Stage

Kind = Literal["build", "solve", "change", "chat"]


class Work(BaseModel):
    """What a task asks for. ``options`` are the kind's own (see each runner)."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    project_id: str
    kind: Kind
    prompt: str
    options: JsonObject = Field(default_factory=dict)


class RunState(BaseModel):
    """Where a run stands, as its runner sees it."""

    model_config = ConfigDict(frozen=True)

    phase: str = ""
    agents: dict[str, str] = Field(
        default_factory=dict, description="By name: working, done or stopped."
    )
    iterations: int = Field(default=0, description="Steps begun.")
    is_ended: bool = False


class AgentRunner(Protocol):
    """One run of one task. ``start`` may be called once.

    Events are what ``start`` passes to ``stage.emit``. ``stop`` asks the run to end at its next
    step; ``start`` then returns a CANCELLED receipt with the reason. It is for the process that
    runs: what shall outlive it (a user's cancel) is the host's, whose steps raise Cancelled.

    ``start`` returns a FAILED receipt for what it expects to go wrong (any DionoError); anything
    else is a fault of the program, and the host ends the task with it.
    """

    name: str

    async def start(self, work: Work, stage: Stage) -> Receipt: ...

    def state(self) -> RunState: ...

    async def stop(self, reason: str) -> None: ...
