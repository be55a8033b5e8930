"""The sandbox service: serves one ``Sandboxes`` to other processes over a unix socket.

It is the only holder of the container engine. Its border is typed: callers name projects, files
and packages, never mounts, images or engine options.
"""

import asyncio
import contextlib
import errno
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import h11
from pydantic import BaseModel, ValidationError

from diono.kernel.errors import DionoError, ErrorKind, InvalidInput, NotFound, Unavailable
from diono.sandbox import http, wire
from diono.sandbox.errors import SandboxBusy, SandboxGone, StorageFull
from diono.sandbox.http import BadMessage, Message, Streams
from diono.sandbox.port import Sandbox, Sandboxes
from diono.sandbox.sockets import short_path

_STATUS = {
    ErrorKind.INVALID: 400,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.TOO_MANY: 429,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.STORAGE_FULL: 507,
    ErrorKind.INTERNAL: 500,
}
_REQUEST_SECONDS = 30.0
_STREAMS_PER_SANDBOX = 40  # each is a process in there, and there are 128 for everything

Handler = Callable[[bytes], Awaitable[BaseModel]]


class SandboxService:
    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = sandboxes
        self._opened: dict[str, Sandbox] = {}
        self._streams: Counter[str] = Counter()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._handlers: dict[str, Handler] = {
            "health": self._health,
            "open": self._open,
            "find": self._find,
            "kill": self._kill,
            "delete_workspace": self._delete_workspace,
            "execute": self._execute,
            "read_file": self._read_file,
            "write_files": self._write_files,
            "list_files": self._list_files,
            "remove": self._remove,
            "install": self._install,
            "start_service": self._start_service,
            "service_status": self._service_status,
            "stop_service": self._stop_service,
        }

    async def start(self, socket: Path) -> None:
        """Listen on ``socket`` in a folder that only our own user may enter."""
        await asyncio.to_thread(_make_room, socket)
        with short_path(socket) as path:
            self._server = await asyncio.start_unix_server(self._accept, path)

    async def stop(self) -> None:
        """Stop listening, drop every connection (which cancels its command), end all sandboxes."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._sandboxes.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        with contextlib.suppress(BadMessage, OSError, TimeoutError, asyncio.CancelledError):
            await self._serve_one((reader, writer))
        writer.close()

    async def _serve_one(self, streams: Streams) -> None:
        reader, writer = streams
        machine = h11.Connection(h11.SERVER)
        async with asyncio.timeout(_REQUEST_SECONDS):
            request = await http.receive(machine, reader, wire.BODY_LIMIT_BYTES)
        operation = request.target.removeprefix(wire.PREFIX)
        if operation == "connect":
            await self._connect(machine, request, streams)
            return
        status, reply = await self._answer(operation, request, reader)
        writer.write(http.encode_response(machine, status, reply.model_dump_json().encode()))
        await writer.drain()

    async def _answer(
        self, operation: str, request: Message, reader: asyncio.StreamReader
    ) -> tuple[int, BaseModel]:
        """Run a handler; a caller that goes away cancels it."""
        try:
            handler = self._handlers.get(operation)
            if handler is None or request.method != "POST":
                raise NotFound(f"the sandbox service has no operation {operation[:40]!r}")
            return 200, await _unless_closed(handler(request.body), reader)
        except ValidationError as error:
            return _failure(InvalidInput(f"the request has the wrong shape: {error.errors()[:3]}"))
        except DionoError as error:
            return _failure(error)
        except OSError as error:
            return _failure(_of_the_host(error))

    def _sandbox(self, sandbox_id: str) -> Sandbox:
        try:
            return self._opened[sandbox_id]
        except KeyError:
            raise SandboxGone("the sandbox ended; open it again (its files are kept)") from None

    async def _health(self, body: bytes) -> BaseModel:
        return await self._sandboxes.health()

    async def _open(self, body: bytes) -> BaseModel:
        call = wire.OpenCall.model_validate_json(body)
        sandbox = await self._sandboxes.open(call.spec)
        self._opened[sandbox.sandbox_id] = sandbox
        return wire.SandboxReply(sandbox_id=sandbox.sandbox_id)

    async def _find(self, body: bytes) -> BaseModel:
        call = wire.ProjectCall.model_validate_json(body)
        sandbox = await self._sandboxes.find(call.owner, call.project)
        if sandbox is None:
            return wire.SandboxReply(sandbox_id=None)
        self._opened[sandbox.sandbox_id] = sandbox
        return wire.SandboxReply(sandbox_id=sandbox.sandbox_id)

    async def _forget(self, owner: str, project: str) -> None:
        sandbox = await self._sandboxes.find(owner, project)
        if sandbox is not None:
            self._opened.pop(sandbox.sandbox_id, None)

    async def _kill(self, body: bytes) -> BaseModel:
        call = wire.ProjectCall.model_validate_json(body)
        await self._forget(call.owner, call.project)
        await self._sandboxes.kill(call.owner, call.project)
        return wire.Nothing()

    async def _delete_workspace(self, body: bytes) -> BaseModel:
        call = wire.ProjectCall.model_validate_json(body)
        await self._forget(call.owner, call.project)
        await self._sandboxes.delete_workspace(call.owner, call.project)
        return wire.Nothing()

    async def _execute(self, body: bytes) -> BaseModel:
        call = wire.ExecuteCall.model_validate_json(body)
        request = call.request.model_copy(update={"stdin": call.stdin})
        return await self._sandbox(call.sandbox_id).execute(request)

    async def _read_file(self, body: bytes) -> BaseModel:
        call = wire.ReadCall.model_validate_json(body)
        content = await self._sandbox(call.sandbox_id).read_file(call.path, call.limit_bytes)
        return wire.ReadReply(content=content)

    async def _write_files(self, body: bytes) -> BaseModel:
        call = wire.WriteCall.model_validate_json(body)
        sandbox = self._sandbox(call.sandbox_id)
        if len(call.files) == 1:
            for path, content in call.files.items():
                await sandbox.write_file(path, content, call.mode)
        else:
            await sandbox.write_files(call.files)
        return wire.Nothing()

    async def _list_files(self, body: bytes) -> BaseModel:
        call = wire.ListCall.model_validate_json(body)
        entries = await self._sandbox(call.sandbox_id).list_files(call.path, call.depth)
        return wire.ListReply(entries=entries)

    async def _remove(self, body: bytes) -> BaseModel:
        call = wire.PathCall.model_validate_json(body)
        await self._sandbox(call.sandbox_id).remove(call.path)
        return wire.Nothing()

    async def _install(self, body: bytes) -> BaseModel:
        call = wire.InstallCall.model_validate_json(body)
        return await self._sandbox(call.sandbox_id).install(call.packages, call.timeout_seconds)

    async def _start_service(self, body: bytes) -> BaseModel:
        call = wire.StartServiceCall.model_validate_json(body)
        return await self._sandbox(call.sandbox_id).start_service(call.spec)

    async def _service_status(self, body: bytes) -> BaseModel:
        call = wire.ServiceCall.model_validate_json(body)
        return await self._sandbox(call.sandbox_id).service_status(call.name)

    async def _stop_service(self, body: bytes) -> BaseModel:
        call = wire.ServiceCall.model_validate_json(body)
        await self._sandbox(call.sandbox_id).stop_service(call.name)
        return wire.Nothing()

    async def _connect(self, machine: h11.Connection, request: Message, streams: Streams) -> None:
        try:
            call = wire.ConnectCall.model_validate_json(request.body)
            if self._streams[call.sandbox_id] >= _STREAMS_PER_SANDBOX:
                raise SandboxBusy("too many open streams to this sandbox; close some")
            inside = await self._sandbox(call.sandbox_id).connect(call.port)
        except (ValidationError, DionoError) as error:
            known = error if isinstance(error, DionoError) else InvalidInput(str(error))
            status, reply = _failure(known)
            body = reply.model_dump_json().encode()
            streams[1].write(http.encode_response(machine, status, body))
            await streams[1].drain()
            return
        streams[1].write(http.encode_upgrade(machine, wire.UPGRADE))
        inside[1].write(request.trailing)
        self._streams[call.sandbox_id] += 1
        try:
            await http.join(streams, inside)
        finally:
            self._streams[call.sandbox_id] -= 1


def _make_room(socket: Path) -> None:
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket.parent.chmod(0o700)
    socket.unlink(missing_ok=True)


def _of_the_host(error: OSError) -> DionoError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull("this machine's disk is full; free some space and try again")
    return Unavailable(f"the sandbox service could not do this: {error.strerror}; try again")


def _failure(error: DionoError) -> tuple[int, BaseModel]:
    return _STATUS[error.kind], wire.ErrorReply(error=error.code, detail=error.detail)


async def _unless_closed(work: Awaitable[BaseModel], reader: asyncio.StreamReader) -> BaseModel:
    task = asyncio.ensure_future(work)
    closed = asyncio.create_task(reader.read(1))
    try:
        await asyncio.wait((task, closed), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
        return await task
    finally:
        closed.cancel()
        task.cancel()
