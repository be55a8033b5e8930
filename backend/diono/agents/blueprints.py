"""Verified skeletons: loaded once, chosen by counting keywords, without asking any model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from diono.agents.errors import BlueprintMissing
from diono.agents.spec import Shape

HARNESS = "harness"
_SHARED = "calling.py"
_IMPORT_OF_SHARED = re.compile(r"^from calling import .+$", re.MULTILINE)


class ServiceRecipe(BaseModel):
    model_config = ConfigDict(frozen=True)

    argv: tuple[str, ...]
    port: int


class BlueprintFacts(BaseModel):
    """The content of one ``blueprint.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    description: str
    keywords: Mapping[str, int]
    language: str
    shapes: tuple[Shape, ...]
    shape_keywords: Mapping[Shape, tuple[str, ...]] = {}
    packages: tuple[str, ...] = ()
    service: ServiceRecipe | None = None
    test_command: tuple[str, ...]
    slots: Mapping[str, str]


@dataclass(frozen=True)
class Blueprint:
    facts: BlueprintFacts
    skeleton: Mapping[str, bytes]

    @property
    def name(self) -> str:
        return self.facts.name

    def shape_for(self, prompt: str) -> Shape:
        """Return the shape with the most keyword hits; the first one without any."""
        hits = {
            shape: sum(_occurs(word, prompt) for word in self.facts.shape_keywords.get(shape, ()))
            for shape in self.facts.shapes
        }
        return max(self.facts.shapes, key=lambda shape: hits[shape])


@dataclass(frozen=True)
class Choice:
    """``names`` are the candidates, best first; more than one means that a model may decide."""

    names: tuple[str, ...]
    scores: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def is_clear(self) -> bool:
        return len(self.names) == 1


class BlueprintCatalog:
    """All blueprints of a folder, and the programs that check what was built from them."""

    def __init__(self, root: Path) -> None:
        """Read a folder of blueprints. Raises BlueprintMissing, naming the broken file."""
        self._blueprints = {
            path.parent.name: _read(path) for path in sorted(root.glob("*/blueprint.yaml"))
        }
        if not self._blueprints:
            raise BlueprintMissing(f"No blueprint in {root}. Restore the folder from the sources.")
        self._harness = {
            path.name: path.read_text("utf-8")
            for path in (root / HARNESS).iterdir()
            if path.suffix in {".py", ".js"}
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._blueprints)

    def get(self, name: str) -> Blueprint:
        if name not in self._blueprints:
            raise BlueprintMissing(f"There is no blueprint {name}. Known: {', '.join(self.names)}.")
        return self._blueprints[name]

    def tool(self, name: str) -> str:
        """Return the source of a checking program."""
        if name not in self._harness:
            raise BlueprintMissing(f"The checking program {name} is missing from the blueprints.")
        # A program is sent as one text, so what several share takes the place of its import.
        return _IMPORT_OF_SHARED.sub(lambda _: self.tool(_SHARED), self._harness[name])

    def choose(self, prompt: str) -> Choice:
        """Score every blueprint by its keywords in the prompt; a tie is left open."""
        scores = {
            name: sum(
                weight * _occurs(word, prompt) for word, weight in blueprint.facts.keywords.items()
            )
            for name, blueprint in self._blueprints.items()
        }
        best = max(scores.values())
        ranked = sorted(self._blueprints, key=lambda name: -scores[name])
        return Choice(tuple(name for name in ranked if scores[name] == best), scores)


def _occurs(word: str, text: str) -> bool:
    pattern = re.escape(word).replace(r"\ ", r"[\s-]+").replace(r"\-", r"[\s-]?")
    return re.search(rf"(?<![A-Za-z]){pattern}s?(?![A-Za-z])", text, re.IGNORECASE) is not None


def _read(path: Path) -> Blueprint:
    try:
        content: Any = yaml.safe_load(path.read_text("utf-8"))
        facts = BlueprintFacts.model_validate(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise BlueprintMissing(f"The blueprint {path} cannot be read: {error}") from error
    root = path.parent / "skeleton"
    files = {
        str(file.relative_to(root)): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and file.suffix not in {".db", ".pyc"}
    }
    return Blueprint(facts, files)
