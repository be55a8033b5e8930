"""Arguments as models give them: other names and types are understood, extra keys dropped."""

import json
from collections.abc import Mapping
from typing import Any

from diono.agents.shapes import is_dict, is_list
from diono.agents.tools.port import ToolFacts, ToolRefused

_TRUE = frozenset({"true", "yes", "1", "on"})
# What small models call the arguments of tools, by our name.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "path": ("file", "filename", "file_path", "filepath", "file_name", "name", "target", "src"),
    "paths": ("files", "file_paths", "filenames", "path", "file"),
    "files": ("contents", "changes", "documents"),
    "content": ("contents", "text", "code", "body", "data", "file_content", "file_text", "value"),
    "command": ("cmd", "shell", "script", "bash", "commands", "command_line", "code", "input"),
    "code": ("script", "source", "python", "command", "content", "input"),
    "old": ("search", "old_string", "old_str", "old_text", "find", "original", "from", "before"),
    "new": ("replace", "new_string", "new_str", "new_text", "replacement", "to", "after", "with"),
    "change": ("edit", "diff", "patch", "content", "code", "changes", "instruction", "new"),
    "query": ("q", "search", "text", "question", "term"),
    "url": ("link", "address", "href", "uri", "page"),
    "question": ("text", "message", "query", "prompt", "ask"),
    "choices": ("options", "answers"),
    "start_line": ("start", "first_line", "from_line", "line_start", "offset"),
    "end_line": ("end", "last_line", "to_line", "line_end"),
    "timeout_seconds": ("timeout", "seconds", "time_limit"),
}


def checked(facts: ToolFacts, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the schema's names and types. Raises ToolRefused, which tells the
    model what was expected."""
    found = {name: value for name, value in raw.items() if name in facts.parameters}
    spare = {name.lower(): value for name, value in raw.items() if name not in found}
    for name in facts.parameters:
        if name in found:
            continue
        for alias in _ALIASES.get(name, ()):
            if alias in spare:
                found[name] = spare.pop(alias)
                break
    missing = [name for name in facts.required if name not in found]
    if len(missing) == 1 and len(spare) == 1:
        found[missing[0]] = spare.popitem()[1]
        missing = []
    if missing:
        raise ToolRefused(f"{facts.name} lacks {', '.join(missing)}. {usage(facts)}")
    return {
        name: _fitted(facts, name, value)
        for name, value in found.items()
        if value is not None or name in facts.required
    }


def usage(facts: ToolFacts) -> str:
    """Say how a tool is called, in one line."""
    optional = [name for name in facts.parameters if name not in facts.required]
    parts = [*facts.required, *(f"{name} (optional)" for name in optional)]
    return f"{facts.name} takes {', '.join(parts) or 'nothing'}."


def _fitted(facts: ToolFacts, name: str, value: Any) -> Any:
    schema = facts.parameters[name]
    try:
        fitted = _as_type(schema, value)
    except (ValueError, TypeError) as error:
        wanted = schema.get("type", "value")
        raise ToolRefused(f"{facts.name}: {name} must be of type {wanted}.") from error
    if "enum" in schema and fitted not in schema["enum"]:
        allowed = ", ".join(map(str, schema["enum"]))
        raise ToolRefused(f"{facts.name}: {name} is one of {allowed}.")
    return fitted


def _as_type(schema: Mapping[str, Any], value: Any) -> Any:
    match schema.get("type"):
        case "string":
            return _as_text(value)
        case "integer":
            return max(int(value), int(schema.get("minimum", int(value))))
        case "number":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).strip().lower() in _TRUE
        case "array":
            items = _as_list(value)
            return [_as_type(schema.get("items", {}), item) for item in items]
        case "object":
            return _as_object(value)
        case _:
            return value


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if is_list(value) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return json.dumps(value, indent=2) if is_dict(value) or is_list(value) else str(value)


def _as_list(value: Any) -> list[Any]:
    if is_list(value):
        return value
    if isinstance(value, str) and value.lstrip().startswith("["):
        parsed: object = json.loads(value)
        if is_list(parsed):
            return parsed
    if is_dict(value):
        raise TypeError("an object is no list")
    return [value]


def _as_object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = json.loads(value)
    if not is_dict(value):
        raise TypeError("not an object")
    return value
