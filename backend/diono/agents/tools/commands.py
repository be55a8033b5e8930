"""Tools that run programs: a shell command, and Python in an interpreter that lasts."""

from diono.agents.port import JsonObject
from diono.agents.tools.port import (
    BaseTool,
    ToolContext,
    ToolFacts,
    ToolRefused,
    ToolResult,
    number_parameter,
    text_parameter,
)
from diono.agents.tools.risk import risk_of_code, risk_of_command
from diono.agents.tools.text import plain, shortened
from diono.sandbox.port import CellRequest, ExecRequest, ExecResult, ExitReason

ENVIRONMENT = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "PAGER": "cat",
    "NO_COLOR": "1",
    "TERM": "dumb",
}
DEFAULT_SECONDS = 60.0
LONGEST_SECONDS = 600.0
_OUTPUT_BYTES = 20_000
_SECONDS = number_parameter(f"Time limit, {int(DEFAULT_SECONDS)} by default.")
# The project's modules are read afresh by each cell, for a tool may have written them since.
_FRESH_MODULES = """
import os as _os, sys as _sys
_os.chdir("/work")
_sys.dont_write_bytecode = True
if "/work" not in _sys.path:
    _sys.path.insert(0, "/work")
for _name, _module in list(_sys.modules.items()):
    _file = str(getattr(_module, "__file__", "") or "")
    if _file.startswith(("/work/", "/home/user/")) and "/.packages/" not in _file:
        del _sys.modules[_name]
"""
_ENDS = {
    ExitReason.DEADLINE: "It was ended after its time limit of {seconds:g} s.",
    ExitReason.MEMORY: "It was ended because it used up the sandbox's memory.",
    ExitReason.LOST: "It was lost, for the sandbox ended. The files are kept.",
}


def report(done: ExecResult, seconds: float, limit: int) -> ToolResult:
    """Say how a program ended and what it printed, first and last part."""
    if done.reason is ExitReason.EXITED:
        head = f"exit code {done.exit_code}"
    else:
        head = _ENDS[done.reason].format(seconds=seconds)
    out, err = plain(done.stdout).strip("\n"), plain(done.stderr).strip("\n")
    share = limit // 2 if out and err else limit
    parts = [head]
    if out:
        parts.append(shortened(out, share))
    if err:
        parts.append("stderr:\n" + shortened(err, share))
    if not out and not err:
        parts.append("(it printed nothing)")
    return ToolResult(text="\n".join(parts), is_error=not done.is_success)


def seconds_of(arguments: JsonObject) -> float:
    return min(float(arguments.get("timeout_seconds", DEFAULT_SECONDS)), LONGEST_SECONDS)


class RunCommand(BaseTool):
    facts = ToolFacts(
        name="run_command",
        description="Run a shell command in the project's folder.",
        parameters={"command": text_parameter("The command."), "timeout_seconds": _SECONDS},
        required=("command",),
        can_change=True,
        is_repeatable=False,
        limit_seconds=LONGEST_SECONDS,
    )

    def risk_of(self, arguments: JsonObject) -> str:
        return risk_of_command(arguments["command"])

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        command = arguments["command"].strip()
        if not command or "\0" in command:
            raise ToolRefused("The command is empty.")
        seconds = seconds_of(arguments)
        request = ExecRequest(
            argv=("bash", "-c", command),
            env=ENVIRONMENT,
            timeout_seconds=seconds,
            output_limit_bytes=_OUTPUT_BYTES,
        )
        done = await (await context.sandbox()).execute(request)
        return report(done, seconds, context.limit_characters)


class RunPython(BaseTool):
    facts = ToolFacts(
        name="run_python",
        description="Run Python code in the project's folder. Variables stay for the next call.",
        parameters={"code": text_parameter("The code; print what you want to see.")},
        required=("code",),
        can_change=True,
        is_repeatable=False,
        limit_seconds=DEFAULT_SECONDS,
    )

    def risk_of(self, arguments: JsonObject) -> str:
        return risk_of_code(arguments["code"])

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        sandbox = await context.sandbox()
        await sandbox.run_cell(CellRequest(code=_FRESH_MODULES, timeout_seconds=15))
        request = CellRequest(
            code=arguments["code"],
            timeout_seconds=DEFAULT_SECONDS,
            output_limit_bytes=_OUTPUT_BYTES,
        )
        done = await sandbox.run_cell(request)
        if done.is_success:
            text = report(done, DEFAULT_SECONDS, context.limit_characters).text
            return ToolResult(text=text.partition("\n")[2])
        return report(done, DEFAULT_SECONDS, context.limit_characters)
