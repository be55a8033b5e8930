"""The sandbox port: isolated machines for code that nobody has vouched for.

Adapters: ``fleet_sandboxes`` (in the process that holds the engine) and ``remote`` (any server of
the E2B wire: our own service, here or on another host, or somebody else's). One suite runs over
them: ``tests/contract/test_sandbox_conformance.py``. Paths are relative to the workspace, ``/work``
inside the sandbox; the host never opens one of them.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from enum import StrEnum
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Limits(_Frozen):
    cpus: float = Field(default=1.0, gt=0, le=8)
    memory_mb: int = Field(default=512, ge=64, le=8192)
    pids: int = Field(default=128, ge=16, le=1024)
    disk_mb: int = Field(default=512, ge=16, le=10240)


class NetworkPolicy(_Frozen):
    """What a sandbox may reach, through the egress proxy only. Default: nothing.

    Entries are host names (``pypi.org``, ``*.example.org``), addresses or CIDR blocks. A name or
    block in ``allow_out`` wins over ``deny_out``. ``is_open`` lets every public address through
    that ``deny_out`` does not name. Private, loopback and metadata addresses are never reachable.
    ``headers`` names, by host, what is put into requests over plain http on their way out.
    ``takes_public_traffic`` is about the other way: ports answer without the traffic token.
    """

    is_open: bool = False
    allow_out: tuple[str, ...] = ()
    deny_out: tuple[str, ...] = ()
    headers: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    takes_public_traffic: bool = False


class SandboxSpec(_Frozen):
    """One sandbox per (owner, project): opening it twice gives the same live sandbox.

    It ends after ``idle_seconds`` without a call, and at ``max_age_seconds`` unless it is kept.
    """

    owner: str
    project: str = Field(description="Names the workspace volume, which outlives the sandbox.")
    template: str = "base"
    limits: Limits = Limits()
    env: Mapping[str, str] = Field(default_factory=dict)
    network: NetworkPolicy = NetworkPolicy()
    idle_seconds: int = Field(default=500, ge=1)
    max_age_seconds: int = Field(default=900, ge=1)
    is_kept: bool = Field(default=False, description="No maximum age; idle time still counts.")
    is_disposable: bool = Field(default=False, description="The workspace ends with the sandbox.")


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


class OutputChunk(_Frozen):
    """A piece of output as it came; a character is never split."""

    stream: Literal["stdout", "stderr"]
    text: str


ExecEvent = OutputChunk | ExecResult


class SnippetRequest(_Frozen):
    """Python code for a warm interpreter: a child of its own that ends with the code."""

    code: str = Field(max_length=1_000_000)
    stdin: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = Field(default_factory=dict)
    timeout_seconds: float = Field(default=30.0, gt=0, le=3600)


class CellRequest(_Frozen):
    """Python code for the sandbox's lasting interpreter. What it prints and the value of its last
    expression are its output."""

    code: str = Field(max_length=1_000_000)
    timeout_seconds: float = Field(default=30.0, gt=0, le=3600)
    output_limit_bytes: int = Field(default=64_000, ge=0, le=8_000_000)


class FileEntry(_Frozen):
    path: str
    is_dir: bool
    size: int
    mode: int


class RestartPolicy(StrEnum):
    """When a service that ended is started again, with a growing pause between the attempts."""

    NEVER = "never"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


class ServiceSignal(StrEnum):
    TERMINATE = "TERM"
    KILL = "KILL"
    INTERRUPT = "INT"
    HANG_UP = "HUP"
    USER_1 = "USR1"
    USER_2 = "USR2"


class ServiceSpec(_Frozen):
    """A long-running process, healthy once something listens on ``port`` of loopback; without a
    port: while it runs."""

    name: str
    argv: tuple[str, ...] = Field(min_length=1)
    port: int | None = Field(default=None, ge=1024, le=65535)
    cwd: str = "."
    env: Mapping[str, str] = Field(default_factory=dict)
    start_timeout_seconds: float = 15.0
    restart: RestartPolicy = RestartPolicy.NEVER


class ServiceStatus(_Frozen):
    name: str
    port: int | None
    is_running: bool
    is_healthy: bool
    exit_code: int | None = None
    restarts: int = 0
    log_tail: str = ""


class LogPage(_Frozen):
    """Output of a service from a cursor on; only the last part is kept."""

    text: str
    next_cursor: int = Field(description="Pass it to get what came after this page.")
    is_cut: bool = Field(description="Output between the given cursor and this page is gone.")


class Sandbox(Protocol):
    """A live sandbox. Errors: SandboxGone, SandboxBusy, PathRefused, FileMissing, FileTooLarge,
    WorkspaceFull, ServiceMissing, PortTaken, PortClosed, RequirementRefused (errors.py)."""

    sandbox_id: str

    async def execute(self, request: ExecRequest) -> ExecResult: ...

    def stream(self, request: ExecRequest) -> AsyncGenerator[ExecEvent]:
        """Yield output as it comes and, last, the result; closing it kills the command."""
        ...

    async def run_python(self, request: SnippetRequest) -> ExecResult:
        """Run a snippet in a child of a warm interpreter; without one: as a command."""
        ...

    async def run_cell(self, request: CellRequest) -> ExecResult:
        """Run a cell: variables and imports stay for the next one, also after a cell that failed
        or was interrupted at its deadline. Without such an interpreter: as a command of its own."""
        ...

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

    async def install_node(self, folder: str = ".", timeout_seconds: float = 300) -> ExecResult:
        """Install what the folder's package.json names; no code of a package runs meanwhile."""
        ...

    async def known_packages(
        self, manager: Literal["pip", "npm"], names: Sequence[str], timeout_seconds: float = 20
    ) -> Mapping[str, bool]:
        """Ask the registry whether it knows packages, at most 20 by their bare names. Names that
        nobody could answer for (offline, a foreign server) are left out."""
        ...

    async def start_service(self, spec: ServiceSpec) -> ServiceStatus: ...

    async def service_status(self, name: str) -> ServiceStatus: ...

    async def stop_service(self, name: str) -> None: ...

    async def list_services(self) -> Sequence[ServiceStatus]:
        """Return the services started here and not stopped, without their logs."""
        ...

    async def restart_service(self, name: str) -> ServiceStatus: ...

    async def signal_service(self, name: str, signal: ServiceSignal) -> None: ...

    async def service_logs(
        self, name: str, cursor: int = 0, limit_bytes: int = 64_000
    ) -> LogPage: ...

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a raw byte stream to a loopback port inside the sandbox. Raises PortClosed."""
        ...


class EngineHealth(_Frozen):
    is_ready: bool
    engine: str = ""
    runtime: str = ""
    runtimes: tuple[str, ...] = Field(
        default=(), description="Isolation tiers that a template or an admin may ask for."
    )
    quota_mode: str = Field(default="", description="How the workspace's size is enforced.")
    templates: tuple[str, ...] = ()
    problem: str = Field(default="", description="What is wrong and the way out; empty if ready.")


class Sandboxes(Protocol):
    async def open(self, spec: SandboxSpec) -> Sandbox: ...

    async def find(self, owner: str, project: str) -> Sandbox | None: ...

    async def kill(self, owner: str, project: str) -> None:
        """Stop and remove the container; the workspace volume stays."""
        ...

    async def pause(self, owner: str, project: str) -> bool:
        """Freeze the sandbox with all that runs in it; ``open`` wakes it. False: nothing to do."""
        ...

    async def delete_workspace(self, owner: str, project: str) -> None: ...

    async def health(self) -> EngineHealth: ...

    async def close(self) -> None: ...
