"""A Dockerfile as the template steps of the E2B wire. One stage; what cannot be kept is refused."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from diono.cli.outcome import UsageError

Step = dict[str, Any]
_IGNORED = frozenset({"EXPOSE", "LABEL", "MAINTAINER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK"})
_OURS = "diono/"


@dataclass
class Recipe:
    """``parent`` is a template's name, ``image`` a registry's; one of them is set. ``sources``
    gives, for the COPY step of each number, the path to send."""

    parent: str = ""
    image: str = ""
    steps: list[Step] = field(default_factory=list[Step])
    sources: dict[int, str] = field(default_factory=dict[int, str])
    start_command: str = ""

    def add(self, kind: str, *arguments: str) -> None:
        self.steps.append({"type": kind, "args": list(arguments), "force": False})


def parse_dockerfile(text: str) -> Recipe:
    """Return its recipe. Raises UsageError with the line that is in the way."""
    recipe = Recipe()
    entrypoint = command = ""
    for number, word, rest in _instructions(text):
        if word == "FROM":
            _take_parent(recipe, rest, number)
        elif not (recipe.parent or recipe.image):
            if word != "ARG":
                raise UsageError(f"line {number}: {word} before FROM")
        elif word == "CMD":
            command = _as_command(rest)
        elif word == "ENTRYPOINT":
            entrypoint = _as_command(rest)
        elif word not in _IGNORED:
            _take_step(recipe, word, rest, number)
    if not (recipe.parent or recipe.image):
        raise UsageError("the Dockerfile has no FROM")
    recipe.start_command = " ".join(part for part in (entrypoint, command) if part)
    return recipe


def _instructions(text: str) -> list[tuple[int, str, str]]:
    """Return (line, WORD, rest) with continued lines joined and comments gone."""
    found: list[tuple[int, str, str]] = []
    joined, started = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#") or (not joined and not line.strip()):
            continue
        started = started or number
        joined += line.strip() if not joined else " " + line.strip()
        if joined.endswith("\\"):
            joined = joined[:-1].rstrip()
            continue
        if "<<" in joined and re.match(r"(?i)(RUN|COPY|ADD)\b.*<<-?['\"]?\w", joined):
            raise UsageError(f"line {started}: here-documents are not taken; use RUN with &&")
        word, _, rest = joined.partition(" ")
        found.append((started, word.upper(), rest.strip()))
        joined, started = "", 0
    return found


def _take_parent(recipe: Recipe, rest: str, number: int) -> None:
    words = [word for word in rest.split() if not word.startswith("--")]
    if recipe.parent or recipe.image or len(words) != 1:
        raise UsageError(f"line {number}: templates have one stage, one FROM")
    if words[0].startswith(_OURS) or ("/" not in words[0] and ":" not in words[0]):
        recipe.parent = words[0].removeprefix(_OURS)
    else:
        recipe.image = words[0]


def _take_step(recipe: Recipe, word: str, rest: str, number: int) -> None:
    if word == "RUN":
        recipe.add("RUN", _as_command(rest))
    elif word in ("COPY", "ADD"):
        _take_copy(recipe, rest, number)
    elif word in ("WORKDIR", "USER"):
        recipe.add(word, rest)
    elif word == "ENV":
        recipe.add("ENV", *_pairs(rest))
    elif word == "ARG":
        name, separator, value = rest.partition("=")
        if separator:
            recipe.add("ENV", name, *shlex.split(value or "''"))
    else:
        raise UsageError(f"line {number}: {word} is not taken in a template")


def _take_copy(recipe: Recipe, rest: str, number: int) -> None:
    words = shlex.split(rest)
    flags = [word for word in words if word.startswith("--")]
    paths = [word for word in words if not word.startswith("--")]
    owner = mode = ""
    for flag in flags:
        name, _, value = flag.partition("=")
        if name == "--chown":
            owner = value
        elif name == "--chmod":
            mode = value
        else:
            raise UsageError(f"line {number}: {name} is not taken in a template")
    if len(paths) < 2 or any("://" in path for path in paths):
        raise UsageError(f"line {number}: COPY takes paths beside the Dockerfile and a target")
    for source in paths[:-1]:
        if PurePosixPath(source).is_absolute() or ".." in PurePosixPath(source).parts:
            raise UsageError(f"line {number}: {source!r} is outside the Dockerfile's folder")
        recipe.sources[len(recipe.steps)] = source
        recipe.add("COPY", source, paths[-1], owner, mode)


def _as_command(rest: str) -> str:
    """Return the shell command of either form."""
    if rest.startswith("["):
        try:
            words: Any = json.loads(rest)
        except ValueError:
            return rest
        return shlex.join(str(word) for word in words)
    return rest


def _pairs(rest: str) -> list[str]:
    words = shlex.split(rest)
    if "=" not in words[0]:
        return [words[0], " ".join(words[1:])]
    pairs: list[str] = []
    for word in words:
        name, _, value = word.partition("=")
        pairs += [name, value]
    return pairs
