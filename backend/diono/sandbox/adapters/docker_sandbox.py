"""One live sandbox on this machine's engine. Everything goes through its guest."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from diono.sandbox import checks
from diono.sandbox.adapters import execution, guest_client
from diono.sandbox.adapters.guest_client import GuestLost, GuestReply, Streams
from diono.sandbox.adapters.legacy import LegacySandbox
from diono.sandbox.errors import FileTooLarge, SandboxGone
from diono.sandbox.port import (
    ExecRequest,
    ExecResult,
    ExitReason,
    FileEntry,
    ServiceSpec,
    ServiceStatus,
)

_WRITE_LIMIT_BYTES = 64 * 1024 * 1024
_READ_LIMIT_BYTES = 64 * 1024 * 1024
_LOG_LIMIT = 40_000
_ENDED = "the sandbox ended; open it again (its files are kept)"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Listing(_Strict):
    entries: list[tuple[str, bool, int, int]] = Field(max_length=20_000)


class _Status(_Strict):
    port: int
    exit_code: int | None
    is_running: bool
    is_healthy: bool
    log: str = Field(max_length=_LOG_LIMIT)


class Pulse(_Strict):
    """A guest's sign of life: the device of its workspace, and processes killed for memory."""

    device: int
    memory_kills: int = Field(ge=0)


@dataclass(frozen=True)
class Lifeline:
    """What a sandbox asks of its keeper."""

    end: Callable[[], Awaitable[None]]
    was_out_of_memory: Callable[[], Awaitable[bool]]
    install: Callable[[Sequence[str], float], Awaitable[ExecResult]]


class DockerSandbox(LegacySandbox):
    """A sandbox whose guest listens in ``directory``."""

    def __init__(self, sandbox_id: str, directory: Path, lifeline: Lifeline) -> None:
        self.sandbox_id = sandbox_id
        self._directory = directory
        self._lifeline = lifeline
        self._memory_kills = 0
        self._is_over = False

    def mark_over(self) -> None:
        self._is_over = True

    async def pulse(self, timeout_seconds: float = 15.0) -> Pulse:
        """Ask the guest for a sign of life. GuestLost or SandboxGone if there is none."""
        header = {"op": "ping"}
        reply = await guest_client.call(self._directory, header, timeout_seconds=timeout_seconds)
        return reply.parse(Pulse)

    async def _call(
        self,
        header: Mapping[str, object],
        body: bytes = b"",
        body_limit: int = 0,
        timeout_seconds: float = 30.0,
    ) -> GuestReply:
        if self._is_over:
            raise SandboxGone(_ENDED)
        try:
            return await guest_client.call(
                self._directory, header, body, body_limit, timeout_seconds
            )
        except GuestLost as error:
            await self._lifeline.end()
            raise SandboxGone(f"{error}: {_ENDED}") from error

    async def execute(self, request: ExecRequest) -> ExecResult:
        if self._is_over:
            raise SandboxGone(_ENDED)
        checks.workspace_path(request.cwd)
        started = time.monotonic()
        try:
            outcome = await execution.run(self._directory, request)
        except GuestLost:
            is_memory = await self._was_out_of_memory()
            await self._lifeline.end()
            reason = ExitReason.MEMORY if is_memory else ExitReason.LOST
            return execution.without_output(reason, time.monotonic() - started)
        self._memory_kills = outcome.memory_kills
        if not outcome.is_clean:
            await self._lifeline.end()
        return outcome.result

    async def _was_out_of_memory(self) -> bool:
        with contextlib.suppress(GuestLost, SandboxGone):
            pulse = await self.pulse(execution.CONFIRM_SECONDS)
            return pulse.memory_kills > self._memory_kills
        return await self._lifeline.was_out_of_memory()

    async def read_file(self, path: str, limit_bytes: int = 1_000_000) -> bytes:
        limit = min(limit_bytes, _READ_LIMIT_BYTES)
        header = {"op": "read", "path": checks.workspace_path(path), "limit": limit}
        return (await self._call(header, body_limit=limit)).body

    async def write_file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        await self._write([(path, content, mode)])

    async def write_files(self, files: Mapping[str, bytes]) -> None:
        await self._write([(path, content, 0o644) for path, content in files.items()])

    async def _write(self, files: Sequence[tuple[str, bytes, int]]) -> None:
        entries = [
            {"path": checks.workspace_path(path), "size": len(content), "mode": mode & 0o777}
            for path, content, mode in files
        ]
        body = b"".join(content for _, content, _ in files)
        if len(body) > _WRITE_LIMIT_BYTES:
            raise FileTooLarge(f"at most {_WRITE_LIMIT_BYTES} bytes may be written at once")
        if entries:
            await self._call({"op": "write", "files": entries}, body)

    async def list_files(self, path: str = ".", depth: int = 8) -> Sequence[FileEntry]:
        header = {"op": "list", "path": checks.workspace_path(path), "depth": min(depth, 64)}
        listing = await self._parsed(await self._call(header), _Listing)
        return [
            FileEntry(path=name, is_dir=is_dir, size=max(0, size), mode=mode & 0o7777)
            for name, is_dir, size, mode in listing.entries
        ]

    async def _parsed(
        self, reply: GuestReply, model: type[guest_client.Model]
    ) -> guest_client.Model:
        try:
            return reply.parse(model)
        except GuestLost as error:
            await self._lifeline.end()
            raise SandboxGone(f"{error}: {_ENDED}") from error

    async def remove(self, path: str) -> None:
        await self._call({"op": "remove", "path": checks.workspace_path(path)})

    async def install(self, packages: Sequence[str], timeout_seconds: float = 120) -> ExecResult:
        accepted = checks.requirements(packages)
        probe = ("python3", "-m", "pip", "install", "--dry-run", "--no-index", "--no-input")
        satisfied = await self.execute(
            ExecRequest(
                argv=(*probe, "--break-system-packages", "--", *accepted),
                timeout_seconds=timeout_seconds,
            )
        )
        if satisfied.is_success or satisfied.reason is not ExitReason.EXITED:
            return satisfied
        return await self._lifeline.install(accepted, timeout_seconds)

    async def start_service(self, spec: ServiceSpec) -> ServiceStatus:
        header = {
            "op": "service_start",
            "name": checks.service_name(spec.name),
            "argv": spec.argv,
            "port": spec.port,
            "cwd": checks.workspace_path(spec.cwd),
            "env": dict(spec.env),
            "start_timeout": spec.start_timeout_seconds,
        }
        reply = await self._call(header, timeout_seconds=spec.start_timeout_seconds + 10)
        return await self._status(spec.name, reply)

    async def service_status(self, name: str) -> ServiceStatus:
        header = {"op": "service_status", "name": checks.service_name(name)}
        return await self._status(name, await self._call(header))

    async def _status(self, name: str, reply: GuestReply) -> ServiceStatus:
        status = await self._parsed(reply, _Status)
        return ServiceStatus(
            name=name,
            port=status.port,
            is_running=status.is_running,
            is_healthy=status.is_healthy,
            exit_code=status.exit_code,
            log_tail=status.log.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        )

    async def stop_service(self, name: str) -> None:
        await self._call({"op": "service_stop", "name": checks.service_name(name)})

    async def connect(self, port: int) -> Streams:
        if self._is_over:
            raise SandboxGone(_ENDED)
        try:
            reader, writer = await guest_client.dial(self._directory)
        except (OSError, GuestLost) as error:
            raise SandboxGone(_ENDED) from error
        try:
            async with asyncio.timeout(5):
                await guest_client.send(writer, {"op": "connect", "port": port}, b"")
                await guest_client.receive(reader, 0)
        except (TimeoutError, OSError, GuestLost) as error:
            writer.close()
            raise SandboxGone("the sandbox did not answer; try again") from error
        except BaseException:
            writer.close()
            raise
        return reader, writer
