"""Sandboxes of the sandbox service: what the API and the workers use."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import h11
from pydantic import BaseModel, ValidationError

from diono.kernel.errors import DionoError
from diono.sandbox import http, wire
from diono.sandbox.adapters.legacy import LegacySandbox, LegacySandboxes
from diono.sandbox.errors import EngineMissing, error_from
from diono.sandbox.http import BadMessage, Message, Streams
from diono.sandbox.port import (
    EngineHealth,
    ExecRequest,
    ExecResult,
    FileEntry,
    SandboxSpec,
    ServiceSpec,
    ServiceStatus,
)
from diono.sandbox.sockets import short_path

_AWAY = "the sandbox service is not running; it restarts by itself, try again in a moment"

Reply = TypeVar("Reply", bound=BaseModel)


class _Client:
    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def _dial(self) -> Streams:
        try:
            with short_path(self._socket) as path:
                return await asyncio.open_unix_connection(path)
        except OSError as error:
            raise EngineMissing(_AWAY) from error

    async def _exchange(
        self, streams: Streams, operation: str, call: BaseModel, upgrade: str = ""
    ) -> Message:
        machine = h11.Connection(h11.CLIENT)
        body = call.model_dump_json().encode()
        target = wire.PREFIX + operation
        try:
            streams[1].write(http.encode_request(machine, target, body, upgrade))
            await streams[1].drain()
            return await http.receive(machine, streams[0], wire.BODY_LIMIT_BYTES)
        except (BadMessage, OSError) as error:
            raise EngineMissing(_AWAY) from error

    async def call(self, operation: str, call: BaseModel, reply: type[Reply]) -> Reply:
        """One call. Closing the connection early, as cancelling does, stops it over there too."""
        streams = await self._dial()
        try:
            message = await self._exchange(streams, operation, call)
        finally:
            streams[1].close()
        if message.status != 200:
            raise _error_of(message)
        return reply.model_validate_json(message.body)

    async def upgrade(self, operation: str, call: BaseModel) -> Streams:
        """Turn a call into a byte stream."""
        reader, writer = await self._dial()
        try:
            message = await self._exchange((reader, writer), operation, call, wire.UPGRADE)
        except BaseException:
            writer.close()
            raise
        if message.status != 101:
            writer.close()
            raise _error_of(message)
        return reader, writer


def _error_of(message: Message) -> DionoError:
    try:
        known = wire.ErrorReply.model_validate_json(message.body)
    except ValidationError:
        return EngineMissing(f"the sandbox service answered {message.status}")
    return error_from(known.error, known.detail)


class ServiceSandbox(LegacySandbox):
    """A sandbox behind the service, known by its id only."""

    def __init__(self, client: _Client, sandbox_id: str) -> None:
        self._client = client
        self.sandbox_id = sandbox_id

    async def _do(self, operation: str, call: BaseModel) -> None:
        await self._client.call(operation, call, wire.Nothing)

    async def execute(self, request: ExecRequest) -> ExecResult:
        call = wire.ExecuteCall(
            sandbox_id=self.sandbox_id,
            request=request.model_copy(update={"stdin": b""}),
            stdin=request.stdin,
        )
        return await self._client.call("execute", call, ExecResult)

    async def read_file(self, path: str, limit_bytes: int = 1_000_000) -> bytes:
        call = wire.ReadCall(sandbox_id=self.sandbox_id, path=path, limit_bytes=limit_bytes)
        return (await self._client.call("read_file", call, wire.ReadReply)).content

    async def write_file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        call = wire.WriteCall(sandbox_id=self.sandbox_id, files={path: content}, mode=mode)
        await self._do("write_files", call)

    async def write_files(self, files: Mapping[str, bytes]) -> None:
        await self._do("write_files", wire.WriteCall(sandbox_id=self.sandbox_id, files=files))

    async def list_files(self, path: str = ".", depth: int = 8) -> Sequence[FileEntry]:
        call = wire.ListCall(sandbox_id=self.sandbox_id, path=path, depth=depth)
        return (await self._client.call("list_files", call, wire.ListReply)).entries

    async def remove(self, path: str) -> None:
        await self._do("remove", wire.PathCall(sandbox_id=self.sandbox_id, path=path))

    async def install(self, packages: Sequence[str], timeout_seconds: float = 120) -> ExecResult:
        call = wire.InstallCall(
            sandbox_id=self.sandbox_id, packages=packages, timeout_seconds=timeout_seconds
        )
        return await self._client.call("install", call, ExecResult)

    async def start_service(self, spec: ServiceSpec) -> ServiceStatus:
        call = wire.StartServiceCall(sandbox_id=self.sandbox_id, spec=spec)
        return await self._client.call("start_service", call, ServiceStatus)

    async def service_status(self, name: str) -> ServiceStatus:
        call = wire.ServiceCall(sandbox_id=self.sandbox_id, name=name)
        return await self._client.call("service_status", call, ServiceStatus)

    async def stop_service(self, name: str) -> None:
        await self._do("stop_service", wire.ServiceCall(sandbox_id=self.sandbox_id, name=name))

    async def connect(self, port: int) -> Streams:
        call = wire.ConnectCall(sandbox_id=self.sandbox_id, port=port)
        return await self._client.upgrade("connect", call)


class ServiceSandboxes(LegacySandboxes):
    """A client of the sandbox service at ``socket``; holds no connection between calls."""

    def __init__(self, socket: Path) -> None:
        self._client = _Client(socket)

    async def open(self, spec: SandboxSpec) -> ServiceSandbox:
        reply = await self._client.call("open", wire.OpenCall(spec=spec), wire.SandboxReply)
        if reply.sandbox_id is None:
            raise EngineMissing("the sandbox service gave no sandbox; try again")
        return ServiceSandbox(self._client, reply.sandbox_id)

    async def find(self, owner: str, project: str) -> ServiceSandbox | None:
        call = wire.ProjectCall(owner=owner, project=project)
        reply = await self._client.call("find", call, wire.SandboxReply)
        return None if reply.sandbox_id is None else ServiceSandbox(self._client, reply.sandbox_id)

    async def kill(self, owner: str, project: str) -> None:
        call = wire.ProjectCall(owner=owner, project=project)
        await self._client.call("kill", call, wire.Nothing)

    async def delete_workspace(self, owner: str, project: str) -> None:
        call = wire.ProjectCall(owner=owner, project=project)
        await self._client.call("delete_workspace", call, wire.Nothing)

    async def health(self) -> EngineHealth:
        try:
            return await self._client.call("health", wire.Nothing(), EngineHealth)
        except EngineMissing as error:
            return EngineHealth(is_ready=False, problem=error.detail)

    async def close(self) -> None:
        """Nothing to close here: the service and its sandboxes go on for other callers."""
