"""Calls that must not happen twice: a mark in the project's history folder says that one began.

A step runs again when its process died before the result was recorded. What a command did until
then cannot be taken back, so the second run reports instead of repeating.
"""

import re
from collections.abc import Awaitable, Callable

from pydantic import ValidationError

from diono.agents.tools.port import ToolResult
from diono.sandbox.port import ExecRequest, Sandbox

_FOLDER = ".git/diono-steps"
_BEGIN = (
    'mkdir -p "$1" && if mkdir "$1/$2" 2>/dev/null; then echo new; '
    'elif [ -f "$1/$2/result" ]; then cat "$1/$2/result"; else echo begun; fi'
)
_SECONDS = 15.0
_INTERRUPTED = ToolResult(
    text=(
        "This was interrupted before its result was known; it may have done a part of its work. "
        "Look at the files before you repeat it."
    ),
    is_error=True,
)


async def once(sandbox: Sandbox, key: str, act: Callable[[], Awaitable[ToolResult]]) -> ToolResult:
    """Run ``act`` unless a call of this key began before; then return its result or say that it
    was interrupted."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", key)[:100]
    request = ExecRequest(argv=("sh", "-c", _BEGIN, "sh", _FOLDER, name), timeout_seconds=_SECONDS)
    said = (await sandbox.execute(request)).stdout.strip()
    if said == "begun":
        return _INTERRUPTED
    if said.startswith("{"):
        try:
            return ToolResult.model_validate_json(said)
        except ValidationError:
            return _INTERRUPTED
    result = await act()
    await sandbox.write_file(f"{_FOLDER}/{name}/result", result.model_dump_json().encode())
    return result


async def forget(sandbox: Sandbox) -> None:
    """Remove the marks, once the run's results are recorded for good."""
    await sandbox.execute(ExecRequest(argv=("rm", "-rf", _FOLDER), timeout_seconds=_SECONDS))
