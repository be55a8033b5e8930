"""What is sent to start a command over the wire, and what its end means. Pure."""

import base64
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diono.sandbox import checks
from diono.sandbox.extensions import KILL_TREE_HEADER, OUTPUT_LIMIT_HEADER
from diono.sandbox.port import ExecRequest, ExitReason

ROOT = "/work"
FOREIGN_GRACE_SECONDS = 10.0

# Foreign servers resolve programs in their own way; a shell gives 126 and 127 everywhere.
_SHELL = ("/bin/sh", "-c", 'exec "$0" "$@"')
_KILL_TREE = (
    "end() { for child in $(cat /proc/$1/task/*/children 2>/dev/null); do end $child; done; "
    'kill -KILL "$1" 2>/dev/null; }; end "$1"'
)
_SIGNALS = {
    "hangup": 1,
    "interrupt": 2,
    "quit": 3,
    "illegal instruction": 4,
    "aborted": 6,
    "bus error": 7,
    "floating point exception": 8,
    "killed": 9,
    "user defined signal 1": 10,
    "segmentation fault": 11,
    "user defined signal 2": 12,
    "broken pipe": 13,
    "alarm clock": 14,
    "terminated": 15,
}


class _Extra(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    memory: bool = False
    truncated: bool = False
    deadline: bool = False
    survivors: int = Field(default=0, ge=0)


class _End(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    exitCode: int = 0  # noqa: N815 - the wire's name
    exited: bool = False
    status: str = ""
    error: str = ""
    diono: _Extra = _Extra()


@dataclass(frozen=True)
class Ending:
    reason: ExitReason
    exit_code: int | None
    is_truncated: bool
    survivors: int


def absolute(path: str) -> str:
    """Return the path inside the sandbox of a checked workspace path; PathRefused."""
    relative = checks.workspace_path(path)
    return ROOT if relative == "." else f"{ROOT}/{relative}"


def start_message(request: ExecRequest, is_diono: bool) -> dict[str, Any]:
    argv = request.argv if is_diono else (*_SHELL, *request.argv)
    process = {
        "cmd": argv[0],
        "args": list(argv[1:]),
        "envs": dict(request.env),
        "cwd": absolute(request.cwd),
    }
    if is_diono:
        encoded = base64.b64encode(request.stdin).decode("ascii")
        return {"process": process, "stdin": False, "diono": {"stdin": encoded}}
    return {"process": process, "stdin": bool(request.stdin)}


def start_headers(request: ExecRequest, is_diono: bool) -> Mapping[str, str]:
    if is_diono:
        return {
            "Connect-Timeout-Ms": str(max(1, round(request.timeout_seconds * 1000))),
            OUTPUT_LIMIT_HEADER: str(request.output_limit_bytes),
            KILL_TREE_HEADER: "1",
        }
    seconds = request.timeout_seconds + FOREIGN_GRACE_SECONDS
    return {"Connect-Timeout-Ms": str(round(seconds * 1000)), "Keepalive-Ping-Interval": "50"}


def kill_tree_message(pid: int) -> dict[str, Any]:
    """Ask a foreign server to end a process and all below it."""
    arguments = ["-c", _KILL_TREE, "sh", str(pid)]
    return {"process": {"cmd": "/bin/sh", "args": arguments}, "stdin": False}


def _exit_code(end: _End) -> int:
    if end.exited or end.status.startswith("exit status"):
        return end.exitCode & 0xFF
    if end.exitCode > 128:
        return end.exitCode & 0xFF
    name = end.status.removeprefix("signal: ").removesuffix(" (core dumped)")
    return 128 + _SIGNALS.get(name, 9)


def ending_of(raw: Any) -> Ending:
    """Read an end event; one that cannot be read is no success."""
    end = None
    with contextlib.suppress(ValidationError):
        end = _End.model_validate(raw)
    if end is None:
        return Ending(ExitReason.LOST, None, is_truncated=False, survivors=0)
    code = _exit_code(end)
    reason = ExitReason.EXITED
    if end.diono.deadline:
        reason = ExitReason.DEADLINE
    elif end.diono.memory and code != 0:
        reason = ExitReason.MEMORY
    return Ending(
        reason,
        code if reason is ExitReason.EXITED else None,
        end.diono.truncated,
        end.diono.survivors,
    )
