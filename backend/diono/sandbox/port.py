"""The sandbox port: isolated machines for code that nobody has vouched for.

Adapters: ``docker`` (inside the sandbox service, the only holder of the engine) and ``service``
(a client of that service, used by the API and the workers). Both pass
``tests/contract/test_sandbox_conformance.py``. Paths are relative to the workspace, ``/work``
inside the sandbox; the host never opens one of them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Limits(_Frozen):
    cpus: float = Field(default=1.0, gt=0, le=8)
    memory_mb: int = Field(default=512, ge=64, le=8192)
    pids: int = Field(default=128, ge=16, le=1024)
    disk_mb: int = Field(default=512, ge=16, le=10240)


class SandboxSpec(_Frozen):
    """One sandbox per (owner, project): opening it twice gives the same live sandbox."""

    owner: str
    project: str = Field(description="Names the workspace volume, which outlives the sandbox.")
    template: str = "base"
    limits: Limits = Limits()
    max_age_seconds: int = Field(default=3600, ge=1)


class ExitReason(StrEnum):
    EXITED = "exited"
    DEADLINE = "deadline"
    MEMORY = "memory"
    LOST = "lost"


class ExecRequest(_Frozen):
    argv: tuple[str, ...] = Field(min_length=1)
    cwd: str = "."
    env: Mapping[str, str] = Field(default_factory=dict)
    stdin: bytes = b""
    timeout_seconds: float = Field(default=30.0, gt=0, le=86_400)
    output_limit_bytes: int = Field(
        default=64_000,
        ge=0,
        le=8_000_000,
        description="Per stream; the middle is dropped and the cut is marked.",
    )


class ExecResult(_Frozen):
    reason: ExitReason
    exit_code: int | None = Field(description="None unless reason is exited.")
    stdout: str
    stderr: str
    is_truncated: bool = False
    seconds: float

    @property
    def is_success(self) -> bool:
        return self.reason is ExitReason.EXITED and self.exit_code == 0


class FileEntry(_Frozen):
    path: str
    is_dir: bool
    size: int
    mode: int


class ServiceSpec(_Frozen):
    """A long-running process, healthy once something listens on ``port`` of loopback."""

    name: str
    argv: tuple[str, ...]
    port: int = Field(ge=1024, le=65535)
    cwd: str = "."
    env: Mapping[str, str] = Field(default_factory=dict)
    start_timeout_seconds: float = 15.0


class ServiceStatus(_Frozen):
    name: str
    port: int
    is_running: bool
    is_healthy: bool
    exit_code: int | None = None
    log_tail: str = ""


class Sandbox(Protocol):
    """A live sandbox. Errors: SandboxGone, SandboxBusy, PathRefused, FileMissing, FileTooLarge,
    WorkspaceFull, ServiceMissing, PortTaken, PortClosed, RequirementRefused (errors.py)."""

    sandbox_id: str

    async def execute(self, request: ExecRequest) -> ExecResult: ...

    async def read_file(self, path: str, limit_bytes: int = 1_000_000) -> bytes: ...

    async def write_file(self, path: str, content: bytes, mode: int = 0o644) -> None: ...

    async def write_files(self, files: Mapping[str, bytes]) -> None: ...

    async def list_files(self, path: str = ".", depth: int = 8) -> Sequence[FileEntry]: ...

    async def remove(self, path: str) -> None: ...

    async def install(self, packages: Sequence[str], timeout_seconds: float = 120) -> ExecResult:
        """Install Python wheels (PEP 508 names only) in a step of its own, with registry access.

        Only wheels, so no code of the package runs while the network is there.
        """
        ...

    async def start_service(self, spec: ServiceSpec) -> ServiceStatus: ...

    async def service_status(self, name: str) -> ServiceStatus: ...

    async def stop_service(self, name: str) -> None: ...

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a raw byte stream to a loopback port inside the sandbox. Raises PortClosed."""
        ...


class EngineHealth(_Frozen):
    is_ready: bool
    engine: str = ""
    runtime: str = ""
    quota_mode: str = Field(default="", description="How the workspace's size is enforced.")
    templates: tuple[str, ...] = ()
    problem: str = Field(default="", description="What is wrong and the way out; empty if ready.")


class Sandboxes(Protocol):
    async def open(self, spec: SandboxSpec) -> Sandbox: ...

    async def find(self, owner: str, project: str) -> Sandbox | None: ...

    async def kill(self, owner: str, project: str) -> None:
        """Stop and remove the container; the workspace volume stays."""
        ...

    async def delete_workspace(self, owner: str, project: str) -> None: ...

    async def health(self) -> EngineHealth: ...

    async def close(self) -> None: ...
