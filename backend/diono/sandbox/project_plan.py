"""How a project is run, and the view of its files that this is told from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class ProjectKind(StrEnum):
    PYTHON = "python"
    FASTAPI = "fastapi"
    FLASK = "flask"
    DJANGO = "django"
    NODE = "node"
    VITE = "vite"
    NEXT = "next"
    STATIC = "static"
    GO = "go"


class ProjectPlan(BaseModel):
    """How to run what lies in ``root``. Commands run there; without a port it is no server."""

    model_config = ConfigDict(frozen=True)

    kind: ProjectKind
    root: str = "."
    template: str = Field(default="base", description="The sandbox image that has its tools.")
    tool: str = Field(default="python3", description="The program that must be there.")
    packages: tuple[str, ...] = Field(default=(), description="Python packages to install.")
    has_modules: bool = Field(default=False, description="package.json names packages.")
    build: tuple[str, ...] = ()
    is_always_built: bool = Field(default=False, description="The sources need the build too.")
    run: tuple[str, ...] = Field(description="Serves what was built.")
    develop: tuple[str, ...] = Field(
        default=(), description="Serves the sources and reloads them as they change."
    )
    port: int | None = None
    health_path: str = "/"
    env: Mapping[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Folder:
    """One folder of a project: paths below it and the texts that were read."""

    root: str
    paths: frozenset[str]
    texts: Mapping[str, str]

    def text(self, path: str) -> str:
        return self.texts.get(path, "")

    def first(self, names: Iterable[str]) -> str:
        return next((name for name in names if name in self.paths), "")
