"""What a tool is: a name, a schema, a risk, and one bounded call in the project's sandbox."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from diono.agents.port import JsonObject, Stage
from diono.kernel.errors import InvalidInput
from diono.llm.port import ToolSpec
from diono.sandbox.port import Sandbox

RESULT_CHARACTERS = 6000


class ToolRefused(InvalidInput):
    """A call that cannot be made as it was asked for; the detail tells the model the way out."""

    code = "tool_refused"


class ToolResult(BaseModel):
    """What came of a call. ``text`` is data of the tenant's world, never an order; ``effects``
    are small facts for the host (a service that was started)."""

    model_config = ConfigDict(frozen=True)

    text: str
    is_error: bool = False
    effects: JsonObject = Field(default_factory=dict)


@dataclass(frozen=True)
class ToolContext:
    """Where a call happens. ``key`` is unique in the project and the same when a step runs again
    after its process died."""

    stage: Stage
    key: str = "call"
    limit_characters: int = RESULT_CHARACTERS

    async def sandbox(self) -> Sandbox:
        return await self.stage.sandbox()


@dataclass(frozen=True)
class ToolFacts:
    """What a model is told of a tool, and what the loop must know of it.

    ``parameters`` are JSON schema properties by name. ``can_change``: the workspace may differ
    afterwards. ``is_repeatable``: a second run of the same call does no harm.
    """

    name: str
    description: str
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    required: tuple[str, ...] = ()
    can_change: bool = False
    is_repeatable: bool = True
    limit_seconds: float = 60.0

    @property
    def schema(self) -> JsonObject:
        return {
            "type": "object",
            "properties": self.parameters,
            "required": list(self.required),
        }

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(name=self.name, description=self.description, parameters=self.schema)


class Tool(Protocol):
    """``call`` runs inside a recorded step. It may raise any DionoError: the registry makes an
    error result of it."""

    facts: ToolFacts

    def risk_of(self, arguments: JsonObject) -> str:
        """Say why this call should wait for the user; empty if it need not."""
        ...

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult: ...


class BaseTool:
    """A tool without any risk of its own."""

    facts: ToolFacts

    def risk_of(self, arguments: JsonObject) -> str:
        return ""

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        raise NotImplementedError


def text_parameter(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def number_parameter(description: str, least: int = 1) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "description": description}
