"""What a one-shot run is asked for and what comes of it."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from diono.sandbox.languages import Language
from diono.sandbox.port import ExitReason, OutputChunk


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class RunStatus(StrEnum):
    """SUCCEEDED: exit code 0. LOST: the sandbox ended under the program."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    COMPILE_ERROR = "compile_error"
    DEADLINE = "deadline"
    MEMORY = "memory"
    LOST = "lost"


class RunRequest(_Frozen):
    """``collect``: patterns of files to return; ``*`` also crosses slashes."""

    owner: str
    language: Language
    code: str
    file_name: str = ""
    stdin: bytes = b""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = Field(default_factory=dict)
    files: Mapping[str, bytes] = Field(default_factory=dict)
    collect: tuple[str, ...] = ()
    run_seconds: float | None = None
    compile_seconds: float | None = None
    may_be_warm: bool = Field(
        default=False, description="The warm interpreter may run it, where there is one."
    )


class CompileResult(_Frozen):
    exit_code: int | None
    reason: ExitReason
    stdout: str
    stderr: str
    seconds: float


class RunResult(_Frozen):
    """``compiled`` is None where the language has no such step. ``stderr`` is the program's."""

    language: str
    status: RunStatus
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    is_truncated: bool = False
    seconds: float = 0.0
    compiled: CompileResult | None = None
    files: Mapping[str, bytes] = Field(default_factory=dict)
    left_out: tuple[str, ...] = Field(
        default=(), description="Files that matched and were too large or too many."
    )


RunEvent = OutputChunk | RunResult
