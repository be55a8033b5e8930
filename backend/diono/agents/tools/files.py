"""Tools that read and write files of the project."""

from collections.abc import Mapping
from typing import Any

from diono.agents.port import JsonObject
from diono.agents.shapes import dict_of, is_dict
from diono.agents.tools import patching
from diono.agents.tools.paths import file_path, writable
from diono.agents.tools.port import (
    BaseTool,
    ToolContext,
    ToolFacts,
    ToolRefused,
    ToolResult,
    number_parameter,
    text_parameter,
)
from diono.sandbox.errors import FileMissing, FileTooLarge
from diono.sandbox.port import Sandbox

READ_LIMIT_BYTES = 1_000_000
WRITE_LIMIT_BYTES = 1_000_000
_FILES_AT_ONCE = 20
_PATH = text_parameter("Path of the file in the project.")


async def text_of(sandbox: Sandbox, path: str) -> str:
    """Return a text file. Raises ToolRefused with the way out, also for one that is no text."""
    try:
        content = await sandbox.read_file(path, READ_LIMIT_BYTES)
    except FileMissing:
        files = [entry.path for entry in await sandbox.list_files(".", 4) if not entry.is_dir]
        have = ", ".join(files[:20]) or "none"
        raise ToolRefused(f"There is no file {path}. The project's files: {have}.") from None
    except FileTooLarge as error:
        raise ToolRefused(f"{path} is too large to read whole; use run_command.") from error
    if b"\0" in content[:4000]:
        raise ToolRefused(f"{path} is no text ({len(content)} bytes).")
    return content.decode("utf-8", "replace")


async def text_before(sandbox: Sandbox, path: str) -> str | None:
    """Return what a file has that is to be written; None if there is none or it is no text."""
    try:
        return (await sandbox.read_file(path, READ_LIMIT_BYTES)).decode()
    except (FileMissing, FileTooLarge, UnicodeDecodeError):
        return None


def part_of(path: str, text: str, first: int, last: int | None, limit: int) -> str:
    """Return the lines of a text from ``first`` to ``last``, headed by which they are."""
    lines = text.splitlines()
    chosen = lines[first - 1 : last]
    shown: list[str] = []
    size = 0
    for line in chosen:
        size += len(line) + 1
        if size > limit and shown:
            break
        shown.append(line[:limit])
    end = first - 1 + len(shown)
    head = f"{path}, lines {first} to {end} of {len(lines)}"
    if end < len(lines) and len(shown) < len(chosen):
        head += f" (read on from line {end + 1})"
    if not shown:
        head = f"{path} has {len(lines)} lines; there is nothing from line {first} on"
    return "\n".join([head + ":", *shown]) if shown else head + "."


class ReadFile(BaseTool):
    facts = ToolFacts(
        name="read_file",
        description="Read a text file, or some of its lines.",
        parameters={
            "path": _PATH,
            "start_line": number_parameter("First line, from 1."),
            "end_line": number_parameter("Last line."),
        },
        required=("path",),
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        path = file_path(arguments["path"])
        text = await text_of(await context.sandbox(), path)
        first, last = arguments.get("start_line", 1), arguments.get("end_line")
        return ToolResult(text=part_of(path, text, first, last, context.limit_characters))


class BatchReadFiles(BaseTool):
    facts = ToolFacts(
        name="batch_read_files",
        description="Read several text files at once.",
        parameters={
            "paths": {"type": "array", "items": {"type": "string"}, "description": "Their paths."}
        },
        required=("paths",),
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        paths = [file_path(path) for path in arguments["paths"]][:_FILES_AT_ONCE]
        if not paths:
            raise ToolRefused("Name at least one file.")
        sandbox = await context.sandbox()
        share = max(context.limit_characters // len(paths), 400)
        parts: list[str] = []
        failed = 0
        for path in paths:
            try:
                parts.append(part_of(path, await text_of(sandbox, path), 1, None, share))
            except ToolRefused as error:
                failed += 1
                parts.append(f"{path}: {error.detail}")
        return ToolResult(text="\n\n".join(parts), is_error=failed == len(paths))


class WriteFile(BaseTool):
    facts = ToolFacts(
        name="write_file",
        description="Write a whole text file; its folders are made.",
        parameters={"path": _PATH, "content": text_parameter("The whole text.")},
        required=("path", "content"),
        can_change=True,
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        text = await write_texts(await context.sandbox(), {arguments["path"]: arguments["content"]})
        return ToolResult(text=text)


class BatchWriteFiles(BaseTool):
    facts = ToolFacts(
        name="batch_write_files",
        description="Write several whole text files at once.",
        parameters={
            "files": {
                "type": "array",
                "description": "The files.",
                "items": {
                    "type": "object",
                    "properties": {"path": _PATH, "content": text_parameter("The whole text.")},
                    "required": ["path", "content"],
                },
            }
        },
        required=("files",),
        can_change=True,
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        files = _texts(arguments["files"])
        if not 0 < len(files) <= _FILES_AT_ONCE:
            raise ToolRefused(f"Give 1 to {_FILES_AT_ONCE} files as path and content.")
        return ToolResult(text=await write_texts(await context.sandbox(), files))


def _texts(items: list[Any]) -> dict[str, str]:
    """Read ``[{path, content}]`` or ``[{name: text, …}]``."""
    files: dict[str, str] = {}
    for item in items:
        values = dict_of(item)
        path = next((values[key] for key in ("path", "file", "filename") if key in values), None)
        content = next((values[key] for key in ("content", "text", "code") if key in values), None)
        if path is not None and content is not None:
            files[str(path)] = str(content)
        elif is_dict(item):
            files.update({key: value for key, value in item.items() if isinstance(value, str)})
    return files


async def write_texts(sandbox: Sandbox, files: Mapping[str, str]) -> str:
    """Write all or none. Raises ToolRefused for a path or text that cannot be right."""
    contents: dict[str, bytes] = {}
    notes: list[str] = []
    for given, text in files.items():
        path = writable(given)
        before = await text_before(sandbox, path)
        if before is not None:
            patching.refuse_loss(before, text)
        elif line := patching.placeholder_in(text):
            raise ToolRefused(f"{line[:80]!r} stands for text that was left out. Write it out.")
        content = text.encode("utf-8", "replace")
        if len(content) > WRITE_LIMIT_BYTES:
            raise ToolRefused(f"{path} would have {len(content)} bytes, too many for one call.")
        contents[path] = content
        notes.append(_note(path, text, before))
    await sandbox.write_files(contents)
    return "\n".join(notes)


def _note(path: str, text: str, before: str | None) -> str:
    lines = len(text.splitlines())
    verb = "Wrote" if before is None else "Rewrote" if before != text else "No change in"
    note = f"{verb} {path} ({lines} line{'' if lines == 1 else 's'})."
    problem = patching.syntax_error(text) if path.endswith(".py") else ""
    return f"{note} It is no valid Python yet: {problem}." if problem else note
