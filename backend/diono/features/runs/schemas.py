"""What clients say and get about one-shot runs."""

from enum import StrEnum
from typing import Annotated, Literal

from fastapi.openapi.models import Example
from pydantic import BaseModel, ConfigDict, Field

from diono.sandbox.port import ExitReason
from diono.sandbox.program_models import RunStatus
from diono.sandbox.programs import FILES_LIMIT

RUN_SECONDS_LIMIT = 300
COMPILE_SECONDS_LIMIT = 120

Argument = Annotated[str, Field(max_length=4096)]
Path = Annotated[str, Field(min_length=1, max_length=500)]

EXAMPLES: dict[str, Example] = {
    "python": {
        "summary": "Python with input and an argument",
        "value": {
            "language": "python",
            "code": "import sys\nprint('hello', sys.argv[1], input())",
            "args": ["there"],
            "stdin": "friend\n",
        },
    },
    "c": {
        "summary": "C, compiled first, both with limits of their own",
        "value": {
            "file_name": "main.c",
            "code": '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }',
            "timeout_seconds": 5,
            "compile_timeout_seconds": 20,
        },
    },
    "files": {
        "summary": "Files in and out",
        "value": {
            "language": "bash",
            "code": "sort words.txt > sorted.txt",
            "files": {"words.txt": {"content": "pear\napple\n"}},
            "collect": ["sorted.txt"],
        },
    },
}


class FileContent(BaseModel):
    """``base64`` is for what is no text."""

    content: str
    encoding: Literal["utf-8", "base64"] = "utf-8"


class ExecuteProgram(BaseModel):
    """A program of one file. The language is given, or seen from the file's name or ``#!``."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=200_000)
    language: str = Field(default="", max_length=40)
    file_name: str = Field(default="", max_length=200, description="Such as `main.py`.")
    stdin: str = Field(default="", max_length=200_000)
    args: list[Argument] = Field(default_factory=list[Argument], max_length=64)
    env: dict[str, str] = Field(default_factory=dict, max_length=64)
    files: dict[Path, FileContent] = Field(
        default_factory=dict[Path, FileContent],
        max_length=FILES_LIMIT,
        description="Put beside the program, by path.",
    )
    collect: list[Path] = Field(
        default_factory=list[Path],
        max_length=FILES_LIMIT,
        description="Files to return, by path or pattern (`*.csv`).",
    )
    timeout_seconds: float | None = Field(default=None, gt=0, le=RUN_SECONDS_LIMIT)
    compile_timeout_seconds: float | None = Field(default=None, gt=0, le=COMPILE_SECONDS_LIMIT)


class Compiled(BaseModel):
    exit_code: int | None
    reason: ExitReason
    stdout: str
    stderr: str
    seconds: float


class ExecutedProgram(BaseModel):
    """How it ended. ``exit_code`` is null unless the program itself ended."""

    language: str
    status: RunStatus
    exit_code: int | None
    stdout: str
    stderr: str
    is_truncated: bool = Field(description="The middle of a long output was left out.")
    seconds: float = Field(description="Of the program alone.")
    compiled: Compiled | None = Field(description="Null where nothing is compiled.")
    files: dict[str, FileContent]
    left_out: list[str] = Field(description="Files that matched but are too large or too many.")


class LanguageState(StrEnum):
    """ON_DEMAND: its image is built at the first use, which is refused with template_building."""

    READY = "ready"
    BUILDING = "building"
    ON_DEMAND = "on_demand"
    FAILED = "failed"


class LanguageInfo(BaseModel):
    name: str
    title: str
    aliases: list[str]
    extensions: list[str]
    template: str
    is_compiled: bool
    timeout_seconds: float
    compile_timeout_seconds: float
    kernel: str = Field(description="The code interpreter's kernel that keeps state, if any.")
    state: LanguageState
    detail: str = Field(default="", description="What is being done, or what went wrong.")


class LanguageList(BaseModel):
    languages: list[LanguageInfo]
    problem: str = Field(default="", description="Why nothing can run now; empty if all is well.")
