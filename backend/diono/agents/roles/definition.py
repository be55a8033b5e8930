"""What a role and a workflow are; each is one file."""

import re
from pathlib import PurePosixPath
from string import Template
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from diono.agents.scheduling.items import Phase

NAME = r"^[a-z][a-z0-9_-]{0,39}$"
FILE_TYPES = frozenset(
    (
        ".py", ".js", ".html", ".css", ".md", ".txt", ".json", ".yaml", ".yml", ".csv", ".toml",
        ".svg", ".sql", ".sh",
    )
)  # fmt: skip
VARIABLES = frozenset({"title", "summary", "request", "spec", "outputs", "files", "notes"})
BUILT_IN = ("product_manager", "architect", "engineer", "qa")
_HIDDEN = frozenset({".git", ".diono"})


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def path_problem(path: str) -> str:
    """Say why a path is none that a role may name; empty if it is one."""
    pure = PurePosixPath(path)
    is_inside = path and not pure.is_absolute() and ".." not in pure.parts
    if not is_inside or "\\" in path or _HIDDEN.intersection(pure.parts):
        return f"{path!r} is not a path inside the project"
    if pure.suffix not in FILE_TYPES:
        known = ", ".join(sorted(FILE_TYPES))
        return f"{path!r} is of an unknown file type; known are {known}"
    return ""


def _check_paths(paths: tuple[str, ...]) -> tuple[str, ...]:
    problem = next((found for path in paths if (found := path_problem(path))), "")
    if problem:
        raise ValueError(problem)
    return paths


class Produces(_File):
    """Files to write whole, or notes for the roles that come after."""

    files: tuple[str, ...] = Field(default=(), max_length=8)
    notes: bool = False

    _paths = field_validator("files")(_check_paths)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if bool(self.files) == self.notes:
            raise ValueError("name either files or notes: true")
        return self


class Contains(_File):
    path: str
    text: str = Field(min_length=1)


class Rule(_File):
    """One check of what the role wrote: a text in a file, or a command that must succeed."""

    contains: Contains | None = None
    command: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.contains is None) == (not self.command):
            raise ValueError("a check has either contains or command")
        return self


class Role(_File):
    """``prompt`` and ``begins`` may use the variables in VARIABLES, as in ``$title``."""

    name: str = Field(pattern=NAME)
    description: str = Field(min_length=1, max_length=300)
    phase: Phase = Phase.INTEGRATION
    produces: Produces = Produces(notes=True)
    reads: tuple[str, ...] = Field(default=(), max_length=8)
    checks: tuple[Rule, ...] = Field(default=(), max_length=8)
    tries: int = Field(default=2, ge=1, le=5, description="At most, unless the workflow says.")
    begins: str = Field(default="", max_length=4000)
    prompt: str = Field(min_length=1, max_length=8000)

    _paths = field_validator("reads")(_check_paths)

    @field_validator("prompt", "begins")
    @classmethod
    def _variables(cls, text: str) -> str:
        template = Template(text)
        unknown = set(template.get_identifiers()) - VARIABLES
        if unknown:
            known = ", ".join(f"${one}" for one in sorted(VARIABLES))
            raise ValueError(f"there is no ${min(unknown)}; known are {known}")
        if not template.is_valid():
            raise ValueError("a single $ must be written as $$")
        return text

    @property
    def writes_code(self) -> bool:
        return any(not path.endswith((".md", ".txt")) for path in self.produces.files)


class WorkflowItem(_File):
    name: str = Field(pattern=NAME)
    role: str = Field(pattern=NAME)
    depends_on: tuple[str, ...] = ()
    priority: int = Field(default=0, ge=-100, le=100)
    retries: int | None = Field(
        default=None, ge=0, le=5, description="Further tries after a failure; null: the role's."
    )
    is_tolerant: bool = Field(
        default=False, description="Is done even if something it depends on was not."
    )
    is_required: bool = Field(default=True, description="Without it the build is no success.")


class Workflow(_File):
    name: str = Field(pattern=NAME)
    description: str = Field(default="", max_length=300)
    items: tuple[WorkflowItem, ...] = Field(min_length=1, max_length=40)


class Cast(BaseModel):
    """A workflow and everybody who plays in it; small JSON, recorded once per run."""

    model_config = ConfigDict(frozen=True)

    workflow: Workflow
    roles: dict[str, Role]


def display_name(role: str) -> str:
    """Return the name that events carry."""
    built_in = {"product_manager": "ProductManager", "architect": "Architect"}
    built_in |= {"engineer": "Engineer", "qa": "QA"}
    return built_in.get(role, re.sub(r"[^A-Za-z0-9_-]", "", role)[:40])
