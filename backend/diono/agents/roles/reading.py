"""Reading role and workflow files; every complaint names the file, the line and the way out."""

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from diono.agents.errors import RoleBroken
from diono.agents.roles.definition import Role, Workflow
from diono.agents.shapes import is_dict

LIMIT_BYTES = 64_000
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.S | re.M)
_Model = TypeVar("_Model", bound=BaseModel)


def read_role(path: Path) -> Role:
    """Read a Markdown file with front matter, or a YAML file with a ``prompt``. Raises
    RoleBroken."""
    text = _text_of(path)
    if path.suffix != ".md":
        return _validated(Role, _yaml_of(path, text, 0), path, text)
    found = _FRONT.match(text)
    if found is None:
        raise _broken(
            path, 1, "it has no front matter", "Begin it with a line ---, facts, and a line ---"
        )
    values = _yaml_of(path, found[1], 1)
    if "prompt" in values:
        raise _broken(path, 1, "prompt is in the front matter", "Write it below the second ---")
    return _validated(Role, {**values, "prompt": text[found.end() :].strip()}, path, text)


def read_workflow(path: Path) -> Workflow:
    """Raises RoleBroken."""
    text = _text_of(path)
    return _validated(Workflow, _yaml_of(path, text, 0), path, text)


def _broken(path: Path, line: int, problem: str, way_out: str) -> RoleBroken:
    return RoleBroken(f"{path.parent.name}/{path.name}, line {line}: {problem}. {way_out}.")


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
        text = content[: LIMIT_BYTES + 1].decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(path, 1, f"it cannot be read ({error})", "Save it as UTF-8 text") from error
    if len(content) > LIMIT_BYTES:
        raise _broken(path, 1, f"it is larger than {LIMIT_BYTES} bytes", "Shorten it")
    return text.replace("\r\n", "\n")


def _yaml_of(path: Path, text: str, lines_before: int) -> dict[str, Any]:
    try:
        values: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = (mark.line if mark is not None else 0) + 1 + lines_before
        problem = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise _broken(path, line, f"this is not YAML ({problem})", "Mend that line") from error
    if not is_dict(values):
        raise _broken(path, 1 + lines_before, "there are no facts", "Write lines of key: value")
    if "name" not in values:
        values["name"] = path.stem
    if values["name"] != path.stem:
        raise _broken(
            path,
            _line_of("name", text) + lines_before,
            f"the name {values['name']!r} is not that of the file",
            f"Call it {path.stem}, or rename the file",
        )
    return values


def _validated(model: type[_Model], values: dict[str, Any], path: Path, text: str) -> _Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = [str(part) for part in first["loc"]]
        line = _line_of(where[0] if where else "", text, where)
        fields = ", ".join(model.model_fields)
        said = first["msg"].removeprefix("Value error, ")
        way_out = f"Known here: {fields}" if first["type"] == "extra_forbidden" else "Mend it"
        raise _broken(path, line, f"{'.'.join(where)}: {said}", way_out) from error


def _line_of(key: str, text: str, where: list[str] | None = None) -> int:
    """Return the line of a key; of an item in a list, that of its number in it."""
    lines = text.splitlines()
    start = next(
        (n for n, one in enumerate(lines, 1) if re.match(rf"\s*{re.escape(key)}\s*:", one)), 0
    )
    if where and len(where) > 1 and where[1].isdigit() and start:
        marks = [n for n, one in enumerate(lines, 1) if n > start and re.match(r"\s*-\s", one)]
        start = marks[int(where[1])] if int(where[1]) < len(marks) else start
    if start:
        return start
    is_prompt = key == "prompt"
    found = _FRONT.match(text) if is_prompt else None
    return found[0].count("\n") + 1 if found else 1
