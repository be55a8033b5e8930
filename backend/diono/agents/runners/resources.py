"""What the installation gives to its runners."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.runner import AgentRunner
from diono.agents.tools.web import SearchProvider


@dataclass(frozen=True)
class Resources:
    """Folders that the operator of the installation named; None where there is none.

    ``graphs`` and ``custom`` hold programs that run in the worker's own process, with its rights.
    ``search`` looks things up on the web; None: there is no search.
    """

    blueprints: Path
    roles: Path | None = None
    workflows: Path | None = None
    tools: Path | None = None
    graphs: Path | None = None
    custom: Path | None = None
    search: SearchProvider | None = None

    @cached_property
    def catalog(self) -> BlueprintCatalog:
        """The blueprints, read once. Raises BlueprintMissing."""
        return BlueprintCatalog(self.blueprints)


class Make(Protocol):
    """How a runner is made; ``detail`` is what follows the colon of its name."""

    def __call__(self, resources: Resources, detail: str) -> AgentRunner: ...
