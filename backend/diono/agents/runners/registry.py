"""Runners by name: ``team``, ``solve``, ``change``, ``codeact``, ``langgraph:NAME`` and
``custom:NAME``; each is imported when first asked for."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from diono.agents.runner import AgentRunner
from diono.agents.runners.resources import Make, Resources
from diono.agents.runners.trusted import trusted_files
from diono.kernel.errors import InvalidInput

_PACKAGE = "diono.agents.runners"
_BUILT_IN = ("team", "solve", "change", "codeact")
GRAPH = "langgraph"
CUSTOM = "custom"


class UnknownRunner(InvalidInput):
    code = "unknown_runner"


class Runners:
    """Makes a fresh runner for each run. Loading one for the first time blocks for its import."""

    def __init__(self, resources: Resources, more: Mapping[str, Make] | None = None) -> None:
        """``more`` are further runners by name; they win over the built-in ones."""
        self._resources = resources
        self._more = dict(more or {})

    def names(self) -> tuple[str, ...]:
        """Return every name that ``of`` takes."""
        graphs = (f"{GRAPH}:{name}" for name in _names(self._resources.graphs))
        custom = (f"{CUSTOM}:{name}" for name in _names(self._resources.custom))
        return (*dict.fromkeys((*_BUILT_IN, *self._more)), *graphs, *custom)

    def check(self, name: str) -> None:
        """Raises UnknownRunner, without loading anything."""
        if name not in self.names():
            raise UnknownRunner(
                f"There is no runner {name!r}. Known: {', '.join(self.names())}. "
                "docs/runners.md says how to add one."
            )

    def of(self, name: str) -> AgentRunner:
        """Return a new runner. Raises UnknownRunner, and what its loading raises."""
        self.check(name)
        kind, _, detail = name.partition(":")
        make = self._more.get(name)
        if make is None:
            module = importlib.import_module(f"{_PACKAGE}.{kind}")
            make = cast("Make", module.make)
        return make(self._resources, detail)


def _names(folder: Path | None) -> list[str]:
    return sorted(trusted_files(folder)) if folder is not None else []
