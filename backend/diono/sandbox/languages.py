"""The languages of one-shot runs: the table ``workspace/languages.yaml``, and how to pick a row."""

import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from diono.kernel.errors import InvalidInput
from diono.sandbox.config import REPOSITORY
from diono.sandbox.port import Limits

LANGUAGES_FILE = REPOSITORY / "workspace" / "languages.yaml"
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}", re.ASCII)
_SHEBANG = re.compile(r"#!\s*\S*?/?(?:env\s+)?(?:\S*/)?([A-Za-z+]+)[\d.]*\s*$")


class LanguageUnknown(InvalidInput):
    code = "language_unknown"


class Language(BaseModel):
    """One row of the table. Seconds; ``run_seconds`` is what a run gets that names no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    aliases: tuple[str, ...] = ()
    extensions: tuple[str, ...] = Field(min_length=1)
    template: str
    file: str
    name_pattern: str = ""
    compile: tuple[str, ...] = ()
    run: tuple[str, ...] = Field(min_length=1)
    check: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    kernel: str = ""
    is_warm: bool = False
    compile_seconds: float = Field(default=30.0, gt=0)
    run_seconds: float = Field(default=10.0, gt=0)
    memory_mb: int = Field(default=512, ge=64)

    @property
    def limits(self) -> Limits:
        return Limits(memory_mb=self.memory_mb)

    def source_name(self, code: str, file_name: str = "") -> str:
        """Return what the source file is called: the code's wish, the caller's, or the usual."""
        if self.name_pattern and (found := re.search(self.name_pattern, code)):
            return found[1] + self.extensions[0]
        name = PurePosixPath(file_name.replace("\\", "/")).name
        if _FILE_NAME.fullmatch(name) and PurePosixPath(name).suffix in self.extensions:
            return name
        return self.file

    def argv(self, template: Sequence[str], source: str) -> tuple[str, ...]:
        stem = PurePosixPath(source).stem
        return tuple(part.replace("{file}", source).replace("{stem}", stem) for part in template)


class Languages:
    """The table, read at its first use. Raises pydantic's ValidationError if the file is none."""

    def __init__(self, rows: Callable[[], Sequence[Language]]) -> None:
        self._rows = rows

    @classmethod
    def load(cls, path: Path = LANGUAGES_FILE) -> "Languages":
        return cls(partial(_read, path))

    @cached_property
    def _languages(self) -> Sequence[Language]:
        return self._rows()

    @cached_property
    def _by_name(self) -> dict[str, Language]:
        return {
            name.lower(): language
            for language in reversed(self._languages)
            for name in (language.name, *language.aliases)
        }

    @cached_property
    def _by_extension(self) -> dict[str, Language]:
        return {
            extension: language
            for language in reversed(self._languages)
            for extension in language.extensions
        }

    def __iter__(self) -> Iterator[Language]:
        return iter(self._languages)

    def pick(self, name: str = "", file_name: str = "", code: str = "") -> Language:
        """Return the language by its name, else by the file's extension, else by ``#!``.

        Raises LanguageUnknown.
        """
        if name:
            found = self._by_name.get(name.strip().lower())
        else:
            suffix = PurePosixPath(file_name).suffix
            found = self._by_extension.get(suffix) or self._by_extension.get(suffix.lower())
            found = found or self._of_first_line(code)
        if found is None:
            what = f"the language {name!r}" if name else f"the language of {file_name or 'this'!r}"
            known = ", ".join(language.name for language in self._languages)
            raise LanguageUnknown(f"{what} is not known; say one of: {known}")
        return found

    def _of_first_line(self, code: str) -> Language | None:
        first_line = code[:200].split("\n", 1)[0].strip()
        found = _SHEBANG.match(first_line)
        return self._by_name.get(found[1].lower()) if found else None


def _read(path: Path) -> Sequence[Language]:
    # Loaded here: a server that starts need not wait for it.
    yaml = importlib.import_module("yaml")
    content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Language.model_validate(row) for row in content["languages"]]
