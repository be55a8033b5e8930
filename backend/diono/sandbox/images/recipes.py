"""Recipes: what the images that come with this repository are made of, and their tags.

A recipe is a folder in ``workspace/images`` with ``template.yaml`` and, where wanted,
``packages.txt`` (Debian), ``requirements.lock`` (Python, with hashes) and ``provision.sh``. The tag
of its image is a hash of all this and of its parent's tag, so an image is never older than the
recipe it is asked for by.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diono.kernel.errors import DionoError
from diono.sandbox.config import TENANT_ID
from diono.sandbox.errors import TemplateMissing
from diono.sandbox.fleet import Template
from diono.sandbox.port import Limits

REPOSITORY_PREFIX = "diono/"
LAYER_SCRIPT = "layer.sh"
_DATA_FILE = "template.yaml"
_HASH_LENGTH = 12


class RecipeBroken(DionoError):
    """The repository's own recipes do not fit together."""

    code = "recipe_broken"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] = Field(min_length=1)
    title: str
    parent: str = ""
    is_on_demand: bool = Field(default=False, description="Built at its first use, not by setup.")
    limits: Limits = Limits()
    start_command: str = ""
    ready_command: str = ""
    preimports: tuple[str, ...] = ()
    pool_size: int = Field(default=0, ge=0)
    runtime: str = Field(default="", description="OCI runtime; empty: the service's.")


@dataclass(frozen=True)
class Recipe:
    """``tag`` is the full engine reference; ``parent`` is None for the one built from packages."""

    name: str
    folder: Path
    data: _Data
    parent: "Recipe | None"
    tag: str

    def template(self) -> Template:
        return Template(
            template_id=self.name,
            names=self.data.names,
            image=self.tag,
            limits=self.data.limits,
            start_command=self.data.start_command,
            ready_command=self.data.ready_command,
            preimports=self.data.preimports,
            pool_size=self.data.pool_size,
            runtime=self.data.runtime,
        )

    def lineage(self) -> tuple["Recipe", ...]:
        """Return the recipe's parents and the recipe, the oldest first."""
        return (*(self.parent.lineage() if self.parent else ()), self)


class Recipes:
    """All recipes of one folder. Raises RecipeBroken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = {path.parent.name: _read(path) for path in folder.glob(f"*/{_DATA_FILE}")}
        self._layer = (folder / LAYER_SCRIPT).read_bytes()
        self._recipes: dict[str, Recipe] = {}
        for name in sorted(self._data):
            self._resolve(name, ())
        self._by_name: dict[str, Recipe] = {}
        for recipe in self._recipes.values():
            for name in {recipe.name, *recipe.data.names}:
                if name in self._by_name:
                    raise RecipeBroken(f"two recipes are called {name!r}")
                self._by_name[name] = recipe

    def _resolve(self, name: str, children: tuple[str, ...]) -> Recipe:
        if name in children or name not in self._data:
            raise RecipeBroken(f"the recipe {children[-1]!r} has no usable parent {name!r}")
        if name not in self._recipes:
            data = self._data[name]
            parent = self._resolve(data.parent, (*children, name)) if data.parent else None
            tag = self._tag(name, parent)
            self._recipes[name] = Recipe(name, self.folder / name, data, parent, tag)
        return self._recipes[name]

    def _tag(self, name: str, parent: Recipe | None) -> str:
        digest = hashlib.sha256(f"{TENANT_ID}\0{parent.tag if parent else ''}\0".encode())
        digest.update(self._layer if parent else b"")
        for path in sorted((self.folder / name).iterdir()):
            if path.is_file():
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return f"{REPOSITORY_PREFIX}{name}:{digest.hexdigest()[:_HASH_LENGTH]}"

    def __iter__(self) -> Iterator[Recipe]:
        return iter(self._recipes.values())

    def find(self, name: str) -> Recipe | None:
        return self._by_name.get(name)

    def get(self, name: str) -> Recipe:
        """Return the recipe of this name. Raises TemplateMissing."""
        recipe = self.find(name)
        if recipe is None:
            raise TemplateMissing(
                f"there is no template {name!r}; there are: {', '.join(sorted(self._by_name))}"
            )
        return recipe


def _read(path: Path) -> _Data:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _Data.model_validate(content)
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise RecipeBroken(f"{path.parent.name}/{path.name} cannot be used: {error}") from error
