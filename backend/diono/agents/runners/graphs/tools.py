"""Tools of a graph: all of them act inside the project's sandbox, which has no network."""

import functools
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool

from diono.agents.port import Check
from diono.agents.runners.graphs.current import NodeRun, current, wait_for
from diono.kernel.events import EventType
from diono.sandbox.port import ExecRequest

READ_BYTES = 64_000
COMMAND_SECONDS = 60.0
OUTPUT_CHARACTERS = 8_000
Tool = Callable[..., Coroutine[Any, Any, str]]


async def read_file(path: str) -> str:
    """Read a text file of the project."""
    content = await (await current().stage.sandbox()).read_file(path, READ_BYTES)
    return content.decode(errors="replace")


async def write_file(path: str, content: str) -> str:
    """Write a text file of the project, whole."""
    run, data = current(), content.encode(errors="replace")
    await (await run.stage.sandbox()).write_file(path, data)
    await run.stage.save_file(path, data)
    digest = hashlib.sha256(data).hexdigest()
    run.files[path] = {"path": path, "size": len(data), "sha256": digest, "action": "written"}
    return f"wrote {len(data)} bytes to {path}"


async def list_files(folder: str = ".") -> str:
    """List the files below a folder of the project, one path a line."""
    entries = await (await current().stage.sandbox()).list_files(folder)
    return "\n".join(entry.path for entry in entries if not entry.is_dir)


async def run_command(command: str) -> str:
    """Run a shell command in the project's folder and return its output and exit code."""
    exit_code, output = await _shell(current(), command)
    return f"{output}\n[exit code {exit_code}]"


async def check(name: str, command: str) -> str:
    """Prove something: the check passes if the shell command ends with exit code 0. The task
    succeeds only if the last run of every check passed."""
    run = current()
    exit_code, output = await _shell(run, command)
    is_green = exit_code == 0
    run.checks.append(
        Check(
            name=name[:200], kind="cli", passed=is_green, detail="" if is_green else output[-500:]
        )
    )
    return f"{'passed' if is_green else 'FAILED'}\n{output}"


async def _shell(run: NodeRun, command: str) -> tuple[int | None, str]:
    await run.say(EventType.TOOL_START, tool="run_command", title=command[:200])
    sandbox = await run.stage.sandbox()
    done = await sandbox.execute(
        ExecRequest(argv=("sh", "-c", command), timeout_seconds=COMMAND_SECONDS)
    )
    output = f"{done.stdout}{done.stderr}".strip()[-OUTPUT_CHARACTERS:]
    await run.say(
        EventType.TOOL_COMPLETE,
        tool="run_command",
        title=command[:200],
        is_success=done.is_success,
        detail=output[-2000:],
    )
    return done.exit_code, output


def _both(tool: Tool) -> BaseTool:
    """Offer a tool to async nodes and to nodes in threads alike."""

    @functools.wraps(tool)
    def wait(*values: Any, **arguments: Any) -> str:
        return wait_for(tool(*values, **arguments))

    return StructuredTool.from_function(coroutine=tool, func=wait, name=tool.__name__)


def diono_tools() -> list[BaseTool]:
    """Return read_file, write_file, list_files, run_command and check."""
    return [_both(tool) for tool in (read_file, write_file, list_files, run_command, check)]
