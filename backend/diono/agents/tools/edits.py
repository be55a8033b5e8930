"""Tools that change a part of a file."""

from diono.agents.port import JsonObject
from diono.agents.tools import patching
from diono.agents.tools.files import text_of
from diono.agents.tools.paths import writable
from diono.agents.tools.port import BaseTool, ToolContext, ToolFacts, ToolResult, text_parameter

_PATH = text_parameter("Path of the file in the project.")


class EditFile(BaseTool):
    facts = ToolFacts(
        name="edit_file",
        description="Replace an exact part of a file. The part must be there once.",
        parameters={
            "path": _PATH,
            "old": text_parameter("The exact text that stands there now."),
            "new": text_parameter("The text to put in its place."),
            "all": {"type": "boolean", "description": "Replace it wherever it stands."},
        },
        required=("path", "old", "new"),
        can_change=True,
        is_repeatable=False,
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        path = writable(arguments["path"])
        sandbox = await context.sandbox()
        text = await text_of(sandbox, path)
        is_everywhere = bool(arguments.get("all"))
        new = patching.replaced(text, arguments["old"], arguments["new"], is_everywhere)
        return await _written(path, text, new, context)


class SmartEditFile(BaseTool):
    facts = ToolFacts(
        name="smart_edit_file",
        description=(
            "Change a file by a search/replace block, a unified diff, the changed Python "
            "functions, or its whole new text. Small differences in blanks do not matter."
        ),
        parameters={"path": _PATH, "change": text_parameter("The change, in one of these forms.")},
        required=("path", "change"),
        can_change=True,
        is_repeatable=False,
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        path = writable(arguments["path"])
        text = await text_of(await context.sandbox(), path)
        return await _written(
            path, text, patching.applied(text, arguments["change"], path), context
        )


async def _written(path: str, old: str, new: str, context: ToolContext) -> ToolResult:
    if new == old:
        return ToolResult(text=f"{path} has this text already.")
    await (await context.sandbox()).write_file(path, new.encode("utf-8", "replace"))
    before, after = len(old.splitlines()), len(new.splitlines())
    note = f"Changed {path} ({before} lines before, {after} now)."
    problem = patching.syntax_error(new) if path.endswith(".py") else ""
    return ToolResult(text=f"{note} It is no valid Python yet: {problem}." if problem else note)
