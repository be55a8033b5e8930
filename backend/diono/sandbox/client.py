"""A sandbox behind the E2B wire: our own service's, ours on another host, or another server's."""

import contextlib
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from diono.sandbox import checks
from diono.sandbox.client_cells import run_cell
from diono.sandbox.client_exec import Commands
from diono.sandbox.client_files import DEFAULT_MODE, Files, mode_command
from diono.sandbox.client_http import ENDED, Channel
from diono.sandbox.client_install import Installer, Owner
from diono.sandbox.client_output import text_of
from diono.sandbox.client_services import Services
from diono.sandbox.errors import PortClosed, SandboxGone
from diono.sandbox.fleet import Streams
from diono.sandbox.installs.orders import FetchOrder
from diono.sandbox.port import (
    CellRequest,
    ExecEvent,
    ExecRequest,
    ExecResult,
    ExitReason,
    FileEntry,
    LogPage,
    ServiceSignal,
    ServiceSpec,
    ServiceStatus,
    SnippetRequest,
)

_SNIPPET_GRACE_SECONDS = 5.0
_SNIPPET_OUTPUT_LIMIT = 1_000_000


@dataclass(frozen=True)
class Parts:
    """How the calls of one sandbox are made. ``is_diono``: its guest has our extensions."""

    channel: Channel
    services: Services
    is_diono: bool


class WireSandbox:
    def __init__(self, sandbox_id: str, parts: Parts, owner: Owner) -> None:
        self.sandbox_id = sandbox_id
        self._owner = owner
        self._is_diono = parts.is_diono
        self._channel = parts.channel
        self._services = parts.services
        self._files = Files(parts.channel)
        self._commands = Commands(parts.channel, parts.is_diono, self)
        self._installer = Installer(sandbox_id, self, owner)
        self._is_over = False

    def mark_over(self) -> None:
        self._is_over = True

    async def end(self) -> None:
        """Destroy the sandbox, after which every call raises SandboxGone."""
        self.mark_over()
        await self._owner.end(self.sandbox_id)

    @contextlib.contextmanager
    def _alive(self) -> Generator[None]:
        if self._is_over:
            raise SandboxGone(ENDED)
        try:
            yield
        except SandboxGone:
            self._owner.forget(self.sandbox_id)
            raise

    async def execute(self, request: ExecRequest) -> ExecResult:
        checks.workspace_path(request.cwd)
        with self._alive():
            result = await self._commands.run(request)
        if result.reason is ExitReason.LOST:
            self._owner.forget(self.sandbox_id)
        return result

    async def stream(self, request: ExecRequest) -> AsyncGenerator[ExecEvent]:
        checks.workspace_path(request.cwd)
        with self._alive():
            async with contextlib.aclosing(self._commands.stream(request)) as events:
                async for event in events:
                    yield event

    async def run_python(self, request: SnippetRequest) -> ExecResult:
        if not self._is_diono:
            return await self.execute(
                ExecRequest(
                    argv=("python3", "-c", request.code, *request.args),
                    env=request.env,
                    stdin=request.stdin.encode(),
                    timeout_seconds=request.timeout_seconds,
                    output_limit_bytes=_SNIPPET_OUTPUT_LIMIT,
                )
            )
        call = {
            "code": request.code,
            "stdin": request.stdin,
            "args": list(request.args),
            "env": dict(request.env),
            "timeout": request.timeout_seconds,
        }
        seconds = request.timeout_seconds + _SNIPPET_GRACE_SECONDS
        with self._alive():
            return _snippet_result(await self._channel.json("/diono/run", call, seconds))

    async def run_cell(self, request: CellRequest) -> ExecResult:
        if not self._is_diono:
            snippet = SnippetRequest(code=request.code, timeout_seconds=request.timeout_seconds)
            return await self.run_python(snippet)
        with self._alive():
            return await run_cell(self._channel, request)

    async def read_file(self, path: str, limit_bytes: int = 1_000_000) -> bytes:
        with self._alive():
            return await self._files.read(path, limit_bytes)

    async def write_file(self, path: str, content: bytes, mode: int = DEFAULT_MODE) -> None:
        with self._alive():
            unset = await self._files.write({path: content}, mode)
            if unset:
                line = mode_command(unset, mode)
                await self._commands.run(ExecRequest(argv=("/bin/sh", "-c", line)))

    async def write_files(self, files: Mapping[str, bytes]) -> None:
        if files:
            with self._alive():
                await self._files.write(files)

    async def list_files(self, path: str = ".", depth: int = 8) -> Sequence[FileEntry]:
        with self._alive():
            return await self._files.list(path, depth)

    async def remove(self, path: str) -> None:
        with self._alive():
            await self._files.remove(path)

    async def install(self, packages: Sequence[str], timeout_seconds: float = 120) -> ExecResult:
        accepted = checks.requirements(packages)
        order = FetchOrder(manager="uv", packages=accepted, timeout_seconds=timeout_seconds)
        return await self._installer.install(order)

    async def install_node(self, folder: str = ".", timeout_seconds: float = 300) -> ExecResult:
        order = FetchOrder(manager="npm", timeout_seconds=timeout_seconds)
        return await self._installer.install(order, checks.workspace_path(folder))

    async def known_packages(
        self, manager: Literal["pip", "npm"], names: Sequence[str], timeout_seconds: float = 20
    ) -> Mapping[str, bool]:
        return await self._installer.known(
            FetchOrder(
                manager=manager,
                packages=tuple(names),
                is_lookup=True,
                timeout_seconds=timeout_seconds,
            )
        )

    async def start_service(self, spec: ServiceSpec) -> ServiceStatus:
        with self._alive():
            return await self._services.start(spec)

    async def service_status(self, name: str) -> ServiceStatus:
        with self._alive():
            return await self._services.status(name)

    async def stop_service(self, name: str) -> None:
        with self._alive():
            await self._services.stop(name)

    async def list_services(self) -> Sequence[ServiceStatus]:
        with self._alive():
            return await self._services.list()

    async def restart_service(self, name: str) -> ServiceStatus:
        with self._alive():
            return await self._services.restart(name)

    async def signal_service(self, name: str, signal: ServiceSignal) -> None:
        with self._alive():
            await self._services.signal(name, signal)

    async def service_logs(self, name: str, cursor: int = 0, limit_bytes: int = 64_000) -> LogPage:
        with self._alive():
            return await self._services.logs(name, cursor, limit_bytes)

    async def connect(self, port: int) -> Streams:
        with self._alive():
            if not 0 < port < 65536:
                raise PortClosed("a port is a number from 1 to 65535")
            return await self._owner.dial(self.sandbox_id, port)


def _snippet_result(raw: Mapping[str, Any]) -> ExecResult:
    code = raw.get("exit_code")
    is_deadline = bool(raw.get("timed_out") or raw.get("deadline"))
    reason = ExitReason.LOST
    if is_deadline:
        reason = ExitReason.DEADLINE
    elif raw.get("memory"):
        reason = ExitReason.MEMORY
    elif isinstance(code, int):
        reason = ExitReason.EXITED
    return ExecResult(
        reason=reason,
        exit_code=code if reason is ExitReason.EXITED and isinstance(code, int) else None,
        stdout=text_of(str(raw.get("stdout", "")).encode("utf-8", "replace")),
        stderr=text_of(str(raw.get("stderr", "")).encode("utf-8", "replace")),
        is_truncated=bool(raw.get("truncated")),
        seconds=float(raw.get("seconds", 0.0)),
    )
