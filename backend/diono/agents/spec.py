"""The typed spec and plan that the team passes on: small, validated, stored as JSON."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from diono.agents.scheduling.items import Phase

VOTED = "examples"
"""The source of examples that the model proposed and voted on."""
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"

ValueType = Literal["str", "int", "float", "bool"]
ResultType = Literal[
    "str", "int", "float", "bool", "list[str]", "list[int]", "list[float]", "dict[str, int]"
]
FieldType = Literal["text", "long_text", "integer", "number", "boolean", "date"]
Shape = Literal["functions", "records", "ticker", "local_records"]
Origin = Literal["model", "default", "user"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Parameter(_Frozen):
    name: str = Field(pattern=NAME_PATTERN)
    type: ValueType = "str"
    is_file: bool = Field(default=False, description="The user names a file; its text is passed.")
    choices: tuple[str, ...] = ()
    default: str | int | float | bool | None = None


class FunctionSpec(_Frozen):
    """One thing the program can do, as a pure function."""

    name: str = Field(pattern=NAME_PATTERN)
    description: str
    parameters: tuple[Parameter, ...]
    returns: ResultType = "str"
    is_required: bool = True

    @property
    def command(self) -> str:
        return self.name.replace("_", "-")


class FieldSpec(_Frozen):
    name: str = Field(pattern=NAME_PATTERN)
    type: FieldType = "text"
    is_required: bool = False
    former_name: str = ""


class EntitySpec(_Frozen):
    """What an app keeps: one kind of row."""

    name: str = Field(pattern=NAME_PATTERN)
    plural: str = Field(pattern=NAME_PATTERN)
    fields: tuple[FieldSpec, ...] = Field(min_length=1)


class Spec(_Frozen):
    """What shall be built. ``origin`` says whose idea the functions or the entity were."""

    name: str
    title: str
    summary: str
    blueprint: str
    shape: Shape
    functions: tuple[FunctionSpec, ...] = ()
    entity: EntitySpec | None = None
    counts_down: bool = True
    default_command: str = Field(default="", description="Used where no command is named.")
    origin: Origin = "default"
    texts: tuple[str, ...] = Field(default=(), description="Further paragraphs on the page.")
    style: dict[str, str] = Field(default_factory=dict, description="CSS of the whole page.")


class Example(_Frozen):
    """A call and what it should return, by the votes of independent answers."""

    arguments: tuple[Any, ...]
    expected: Any
    votes: int
    voters: int
    source: str = VOTED

    @property
    def is_firm(self) -> bool:
        return self.votes >= 2 and self.votes * 2 > self.voters

    @property
    def is_unanimous(self) -> bool:
        return self.is_firm and self.votes == self.voters


class PlanItem(_Frozen):
    path: str
    purpose: str
    maker: Literal["model", "generator"]
    function: str = ""
    depends_on: tuple[str, ...] = ()
    role: str = "engineer"
    phase: Phase = Phase.BACKEND
    priority: int = Field(default=0, ge=-100, le=100, description="Higher comes first.")


class Plan(_Frozen):
    """The files to write, in an order in which each comes after what it depends on."""

    items: tuple[PlanItem, ...]


class Built(_Frozen):
    """A function that was written and what speaks for it."""

    function: FunctionSpec
    source: str
    examples: tuple[Example, ...] = ()
    is_random: bool = False
    proof: str = ""
    attempts: int = 0
