"""The tools of a run by name, and the one way to call them: checked, bounded, errors as results."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from diono.agents.errors import Cancelled
from diono.agents.port import JsonObject
from diono.agents.tools import arguments as given
from diono.agents.tools import guard
from diono.agents.tools.ask import AskUser
from diono.agents.tools.commands import RunCommand, RunPython
from diono.agents.tools.edits import EditFile, SmartEditFile
from diono.agents.tools.files import BatchReadFiles, BatchWriteFiles, ReadFile, WriteFile
from diono.agents.tools.port import Tool, ToolContext, ToolRefused, ToolResult
from diono.agents.tools.services import ListProcesses, RunService
from diono.agents.tools.text import shortened
from diono.agents.tools.web import Browse, SearchProvider, SearchWeb
from diono.kernel.errors import DionoError
from diono.sandbox.errors import SandboxGone

_GRACE_SECONDS = 15.0
_NAMES = {
    "bash": "run_command", "shell": "run_command", "execute": "run_command",
    "terminal": "run_command", "execute_command": "run_command", "run": "run_command",
    "python": "run_python", "ipython": "run_python", "execute_python": "run_python",
    "read": "read_file", "cat": "read_file", "open_file": "read_file", "view": "read_file",
    "view_file": "read_file", "write": "write_file", "create_file": "write_file",
    "save_file": "write_file", "edit": "edit_file", "str_replace": "edit_file",
    "replace_in_file": "edit_file", "apply_patch": "smart_edit_file", "patch": "smart_edit_file",
    "search": "search_web", "web_search": "search_web", "fetch": "browse", "open_url": "browse",
    "ask": "ask_user", "question": "ask_user", "start_service": "run_service",
}  # fmt: skip


class Toolbox:
    def __init__(self, tools: Iterable[Tool]) -> None:
        """A later tool of the same name is left out: nothing replaces what is there."""
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            self._tools.setdefault(tool.facts.name, tool)

    @property
    def tools(self) -> Mapping[str, Tool]:
        return self._tools

    def find(self, name: str) -> Tool:
        """Return a tool by its name or by what models call it. Raises ToolRefused."""
        plain = name.strip().strip("`'\"").rpartition(".")[2]
        for one in (name, plain, plain.lower().replace("-", "_")):
            tool = self._tools.get(one) or self._tools.get(_NAMES.get(one, ""))
            if tool is not None:
                return tool
        raise ToolRefused(
            f"There is no tool {name[:60]!r}. The tools are {', '.join(self._tools)}."
        )

    def check(self, name: str, raw: Mapping[str, Any]) -> tuple[Tool, JsonObject, str]:
        """Return the tool, its checked arguments and why the call should wait for the user (empty
        if it need not). Raises ToolRefused."""
        tool = self.find(name)
        arguments = given.checked(tool.facts, raw)
        return tool, arguments, tool.risk_of(arguments)


async def call(tool: Tool, arguments: JsonObject, context: ToolContext) -> ToolResult:
    """Call a tool inside a step. What goes wrong is an error result, except Cancelled."""
    facts = tool.facts
    try:
        async with asyncio.timeout(facts.limit_seconds + _GRACE_SECONDS):
            if facts.is_repeatable:
                result = await tool.call(arguments, context)
            else:
                sandbox = await context.sandbox()
                result = await guard.once(
                    sandbox, context.key, lambda: tool.call(arguments, context)
                )
    except TimeoutError:
        text = f"{facts.name} gave no result within {facts.limit_seconds:g} s and was ended."
        return ToolResult(text=text, is_error=True)
    except Cancelled:
        raise
    except SandboxGone as error:
        text = f"The sandbox ended meanwhile: {error.detail}. Variables and services are gone."
        return ToolResult(text=text, is_error=True)
    except DionoError as error:
        return ToolResult(text=error.detail, is_error=True)
    text = shortened(result.text, context.limit_characters + 500)
    return result.model_copy(update={"text": text})


def built_in(search: SearchProvider | None = None) -> tuple[Tool, ...]:
    """Return the tools that every project has."""
    return (
        ReadFile(),
        WriteFile(),
        BatchReadFiles(),
        BatchWriteFiles(),
        EditFile(),
        SmartEditFile(),
        RunCommand(),
        RunPython(),
        RunService(),
        ListProcesses(),
        SearchWeb(search),
        Browse(),
        AskUser(),
    )
