"""Commands over the wire: start, follow, end. Success is only what came with an exit code."""

import asyncio
import base64
import binascii
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Protocol, cast

from diono.kernel.errors import DionoError
from diono.sandbox.client_http import Channel, JsonObject, StreamRefused
from diono.sandbox.client_output import Output
from diono.sandbox.client_start import (
    Ending,
    ending_of,
    kill_tree_message,
    start_headers,
    start_message,
)
from diono.sandbox.errors import FileMissing, SandboxGone
from diono.sandbox.port import ExecEvent, ExecRequest, ExecResult, ExitReason, OutputChunk

START = "/process.Process/Start"
_CONFIRM_SECONDS = 1.5
_GUEST_GRACE_SECONDS = 2.0
_MARK_BYTES = 200
_STDIN_CHUNK_BYTES = 64 * 1024
_NOT_STARTED = ("no such file", "not found", "permission denied", "exec format")


class Keeper(Protocol):
    """Who owns the sandbox that a command runs in."""

    async def end(self) -> None:
        """Destroy it: processes may be left that nothing else can reach."""
        ...


class _Messages:
    """Reads a stream one message at a time; a wait that runs out loses nothing."""

    def __init__(self, messages: AsyncIterator[JsonObject]) -> None:
        self._messages = messages
        self._pending: asyncio.Task[JsonObject | None] | None = None

    async def _one(self) -> JsonObject | None:
        return await anext(self._messages, None)

    async def next(self, seconds: float) -> JsonObject | None:
        """Return the next message, None at the end. TimeoutError."""
        task = self._pending or asyncio.ensure_future(self._one())
        self._pending = task
        done, _ = await asyncio.wait((task,), timeout=max(0.0, seconds))
        if not done:
            raise TimeoutError
        self._pending = None
        return task.result()

    async def close(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            await asyncio.gather(self._pending, return_exceptions=True)


class _Command:
    """One command as it is seen from here."""

    def __init__(self, request: ExecRequest, is_diono: bool) -> None:
        slack = _MARK_BYTES if is_diono else 0
        limit = request.output_limit_bytes + slack
        self.outputs = {"stdout": Output(limit), "stderr": Output(limit)}
        self.pid: int | None = None
        self.ending: Ending | None = None

    def take(self, message: JsonObject) -> list[OutputChunk]:
        """Apply one event; return the output that came with it."""
        event: Any = message.get("event")
        if not isinstance(event, dict):
            return []
        known = cast(JsonObject, event)
        if isinstance(known.get("start"), dict):
            pid = known["start"].get("pid")
            self.pid = pid if isinstance(pid, int) else None
        if "end" in known:
            self.ending = ending_of(known["end"])
        data: Any = known.get("data")
        return self._output(cast(JsonObject, data)) if isinstance(data, dict) else []

    def _output(self, data: JsonObject) -> list[OutputChunk]:
        chunks: list[OutputChunk] = []
        for stream in ("stdout", "stderr"):
            encoded = data.get(stream)
            if isinstance(encoded, str):
                with contextlib.suppress(binascii.Error):
                    text = self.outputs[stream].feed(base64.b64decode(encoded))
                    if text:
                        chunks.append(OutputChunk(stream=stream, text=text))
        return chunks

    def result(self, ending: Ending, seconds: float) -> ExecResult:
        out, err = self.outputs["stdout"], self.outputs["stderr"]
        return ExecResult(
            reason=ending.reason,
            exit_code=ending.exit_code,
            stdout=out.text(),
            stderr=err.text(),
            is_truncated=ending.is_truncated or out.is_truncated or err.is_truncated,
            seconds=seconds,
        )


def _unfinished(reason: ExitReason) -> Ending:
    return Ending(reason, None, is_truncated=False, survivors=0)


class Commands:
    def __init__(self, channel: Channel, is_diono: bool, keeper: Keeper) -> None:
        self._channel = channel
        self._is_diono = is_diono
        self._keeper = keeper

    async def run(self, request: ExecRequest) -> ExecResult:
        async with contextlib.aclosing(self.stream(request)) as events:
            async for event in events:
                if isinstance(event, ExecResult):
                    return event
        raise SandboxGone("the command ended without a result")

    async def stream(self, request: ExecRequest) -> AsyncGenerator[ExecEvent]:
        """Yield output, then the result. Raises what kept the command from starting."""
        started = time.monotonic()
        command = _Command(request, self._is_diono)
        message = start_message(request, self._is_diono)
        headers = start_headers(request, self._is_diono)
        try:
            async with self._channel.stream(START, message, headers) as raw:
                messages = _Messages(raw)
                try:
                    async for chunk in self._follow(command, messages, request):
                        yield chunk
                finally:
                    await asyncio.shield(self._settle(command, messages))
        except StreamRefused as refusal:
            command.ending = _refused(command, refusal, request)
        except SandboxGone:
            if command.pid is None:
                raise
        ending = command.ending or _unfinished(ExitReason.LOST)
        yield command.result(ending, time.monotonic() - started)

    async def _follow(
        self, command: _Command, messages: _Messages, request: ExecRequest
    ) -> AsyncGenerator[OutputChunk]:
        grace = _GUEST_GRACE_SECONDS if self._is_diono else 0.0
        loop = asyncio.get_running_loop()
        stop_at = loop.time() + request.timeout_seconds + grace
        feeding: asyncio.Task[None] | None = None
        try:
            while command.ending is None:
                try:
                    message = await messages.next(stop_at - loop.time())
                except TimeoutError:
                    async for chunk in self._stop_late(command, messages):
                        yield chunk
                    return
                if message is None:
                    return
                for chunk in command.take(message):
                    yield chunk
                if command.pid and feeding is None and request.stdin and not self._is_diono:
                    feeding = asyncio.create_task(self._feed(command.pid, request.stdin))
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)

    async def _stop_late(
        self, command: _Command, messages: _Messages
    ) -> AsyncGenerator[OutputChunk]:
        """The deadline is over: kill, and take what was still under way."""
        await self._kill(command)
        loop = asyncio.get_running_loop()
        stop_at = loop.time() + _CONFIRM_SECONDS
        with contextlib.suppress(TimeoutError, StreamRefused):
            while command.ending is None:
                message = await messages.next(stop_at - loop.time())
                if message is None:
                    break
                for chunk in command.take(message):
                    yield chunk
        if command.ending is None:
            await self._keeper.end()
        command.ending = _unfinished(ExitReason.DEADLINE)

    async def _settle(self, command: _Command, messages: _Messages) -> None:
        """Leave no process behind: a caller who went away means the command must end."""
        try:
            if command.ending is None:
                await self._end_abandoned(command, messages)
            elif command.ending.survivors:
                await self._keeper.end()
        finally:
            await messages.close()

    async def _end_abandoned(self, command: _Command, messages: _Messages) -> None:
        loop = asyncio.get_running_loop()
        stop_at = loop.time() + _CONFIRM_SECONDS
        is_killed = False
        try:
            while command.ending is None:
                if command.pid is not None and not is_killed:
                    await self._kill(command)
                    is_killed = True
                message = await messages.next(stop_at - loop.time())
                if message is None:
                    return
                command.take(message)
        except TimeoutError:
            await self._keeper.end()
        except (DionoError, StreamRefused):
            return  # the sandbox is gone, or the command never started

    async def _kill(self, command: _Command) -> None:
        if command.pid is None:
            return
        with contextlib.suppress(DionoError, StreamRefused, TimeoutError):
            async with asyncio.timeout(_CONFIRM_SECONDS):
                if not self._is_diono:
                    await self._kill_foreign_tree(command.pid)
                call = {"process": {"pid": command.pid}, "signal": "SIGNAL_SIGKILL"}
                await self._channel.json("/process.Process/SendSignal", call)

    async def _kill_foreign_tree(self, pid: int) -> None:
        headers = {"Connect-Timeout-Ms": "5000"}
        async with self._channel.stream(START, kill_tree_message(pid), headers) as messages:
            async for _ in messages:
                pass

    async def _feed(self, pid: int, stdin: bytes) -> None:
        """Send stdin in pieces; a command that reads no further is no error."""
        with contextlib.suppress(DionoError):
            for start in range(0, len(stdin), _STDIN_CHUNK_BYTES):
                piece = base64.b64encode(stdin[start : start + _STDIN_CHUNK_BYTES]).decode("ascii")
                call = {"process": {"pid": pid}, "input": {"stdin": piece}}
                await self._channel.json("/process.Process/SendInput", call)
            await self._channel.json("/process.Process/CloseStdin", {"process": {"pid": pid}})


def _refused(command: _Command, refusal: StreamRefused, request: ExecRequest) -> Ending:
    """Return how a command ended whose stream says that it failed; or raise why it never began."""
    if refusal.code == "deadline_exceeded":
        return _unfinished(ExitReason.DEADLINE)
    if command.pid is not None:
        return _unfinished(ExitReason.LOST)
    message = refusal.message.lower()
    if "cwd" in message or "working directory" in message:
        raise FileMissing("the folder to run in does not exist; create it first") from refusal
    if any(part in message for part in _NOT_STARTED):
        command.outputs["stderr"].feed(f"{request.argv[0]}: {refusal.message}\n".encode())
        code = 126 if "denied" in message or "format" in message else 127
        return Ending(ExitReason.EXITED, code, is_truncated=False, survivors=0)
    raise refusal.error from refusal


async def run_outside(channel: Channel, argv: Sequence[str]) -> tuple[Ending, str]:
    """Run a short command in the user's home; return how it ended and what it said."""
    message = {"process": {"cmd": argv[0], "args": list(argv[1:])}, "stdin": False}
    command = _Command(ExecRequest(argv=tuple(argv)), is_diono=False)
    try:
        async with channel.stream(START, message, {"Connect-Timeout-Ms": "30000"}) as messages:
            async for event in messages:
                command.take(event)
    except StreamRefused as refusal:
        raise refusal.error from refusal
    ending = command.ending or _unfinished(ExitReason.LOST)
    return ending, command.outputs["stdout"].text() + command.outputs["stderr"].text()
