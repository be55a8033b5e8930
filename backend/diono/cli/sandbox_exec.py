"""`diono sandbox exec`: a command in a sandbox, its output as it comes, its status as ours."""

import base64
import codecs
import contextlib
import json
import struct
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import httpx

from diono.cli.outcome import RemoteError, ServerProblem
from diono.cli.sandbox_api import Json, SandboxApi, away, error_of, guest_headers
from diono.cli.shapes import section
from diono.cli.text import terminal_text

_START = "/process.Process/Start"
_SIGNAL = "/process.Process/SendSignal"
_END_FLAG = 2
_HEADER_BYTES = 5
_FRAME_LIMIT_BYTES = 16 * 2**20
_KILLED = 137
# What a shell and timeout(1) would say.
_NOT_STARTED = 127
_TIME_OVER = 124
_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Command:
    """``stdin`` None: the command reads nothing. ``timeout_seconds`` None: no limit of ours."""

    argv: Sequence[str]
    cwd: str = ""
    env: dict[str, str] = field(default_factory=dict[str, str])
    user: str = "user"
    stdin: bytes | None = None
    timeout_seconds: int | None = None


@dataclass
class Outcome:
    status: int = _KILLED
    note: str = ""
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)


class Sink:
    """Where a stream goes: bytes as they are, but on a terminal without what would steer it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        is_terminal = out.isatty()
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoder = decoder("replace") if is_terminal else None

    def write(self, data: bytes) -> None:
        if self._decoder is not None:
            data = terminal_text(self._decoder.decode(data)).encode()
        self._out.write(data)
        self._out.flush()


async def execute(api: SandboxApi, machine: Json, command: Command, *, is_quiet: bool) -> Outcome:
    """Run it to its end and return how it ended; ``is_quiet`` gathers output instead of showing it.

    When we are interrupted the command is killed. Raises RemoteError, ServerProblem.
    """
    outcome = Outcome()
    sinks = None if is_quiet else (Sink(sys.stdout.buffer), Sink(sys.stderr.buffer))
    process_id: int | None = None
    is_ended = False
    try:
        async with aclosing(_events(api, machine, command)) as events:
            async for event in events:
                if start := event.get("start"):
                    process_id = int(start["pid"])
                elif data := event.get("data"):
                    _pass_on(data, outcome, sinks)
                elif "end" in event:
                    is_ended = True
                    _note_end(event["end"], outcome)
    except RemoteError as error:
        if not _note_refusal(error, outcome, was_started=process_id is not None):
            raise
        is_ended = True
    finally:
        if process_id is not None and not is_ended:
            await _kill(api, machine, process_id)
    if not is_ended:
        raise ServerProblem("the connection ended before the command did; it was lost")
    return outcome


def _pass_on(data: Json, outcome: Outcome, sinks: tuple[Sink, Sink] | None) -> None:
    for number, name in enumerate(("stdout", "stderr")):
        chunk = base64.b64decode(data.get(name, ""))
        if not chunk:
            continue
        if sinks is not None:
            sinks[number].write(chunk)
        elif number == 0:
            outcome.stdout += chunk
        else:
            outcome.stderr += chunk


def _note_end(end: Json, outcome: Outcome) -> None:
    outcome.status = int(end.get("exitCode", 0))
    more = section(end, "diono")
    if more.get("memory"):
        outcome.note = "killed: it used more memory than the sandbox has"
    elif more.get("deadline"):
        outcome.note = "killed: its time was over"
    elif not end.get("exited", True):
        outcome.note = str(end.get("error") or end.get("status") or "killed")
    if outcome.note and outcome.status <= 0:
        outcome.status = _KILLED


def _note_refusal(error: RemoteError, outcome: Outcome, *, was_started: bool) -> bool:
    """Note the ends of a stream that are an end of the command; False for all others."""
    if error.remote_code == "deadline_exceeded":
        outcome.status, outcome.note = _TIME_OVER, "killed: its time was over"
        return True
    if not was_started and error.remote_code in ("invalid_argument", "not_found"):
        outcome.status, outcome.note = _NOT_STARTED, error.detail
        return True
    return False


async def _kill(api: SandboxApi, machine: Json, process_id: int) -> None:
    body = {"process": {"pid": process_id}, "signal": "SIGNAL_SIGKILL"}
    with contextlib.suppress(RemoteError, ServerProblem):
        await api.guest(machine, _SIGNAL, body)


async def _events(api: SandboxApi, machine: Json, command: Command) -> AsyncGenerator[Json]:
    """Yield the process's events. Raises RemoteError for an error at the stream's end."""
    body = json.dumps(_message(command)).encode()
    headers = guest_headers(machine, command.user) | {
        "Content-Type": "application/connect+json",
        "Connect-Protocol-Version": "1",
    }
    if command.timeout_seconds is not None:
        headers["Connect-Timeout-Ms"] = str(command.timeout_seconds * 1000)
    try:
        async with api.client.stream(
            "POST",
            _START,
            content=struct.pack(">BI", 0, len(body)) + body,
            headers=headers,
            timeout=httpx.Timeout(None, connect=5.0, write=_GRACE_SECONDS * 6),
        ) as answer:
            if answer.status_code != 200:
                await answer.aread()
                raise error_of(answer)
            async for flag, message in frames(answer.aiter_bytes()):
                if flag != _END_FLAG:
                    yield message.get("event", {})
                elif error := message.get("error"):
                    code, text = str(error.get("code", "unknown")), str(error.get("message", ""))
                    raise RemoteError(code, text, 400)
    except httpx.TransportError as error:
        raise away(api.url, error) from error


def _message(command: Command) -> Json:
    process: Json = {
        "cmd": command.argv[0],
        "args": list(command.argv[1:]),
        "envs": command.env,
    }
    if command.cwd:
        process["cwd"] = command.cwd
    message: Json = {"process": process, "stdin": False}
    if command.stdin is not None:
        message["diono"] = {"stdin": base64.b64encode(command.stdin).decode()}
    return message


async def frames(chunks: AsyncIterator[bytes]) -> AsyncGenerator[tuple[int, Json]]:
    """Cut a Connect stream into (flag, message). Raises ServerProblem for what is none."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        while len(waiting) >= _HEADER_BYTES:
            flag, length = struct.unpack_from(">BI", waiting)
            if length > _FRAME_LIMIT_BYTES:
                raise ServerProblem("the sandbox's answer is no process stream")
            end = _HEADER_BYTES + length
            if len(waiting) < end:
                break
            yield flag, _object(bytes(waiting[_HEADER_BYTES:end]))
            del waiting[:end]


def _object(text: bytes) -> Json:
    try:
        message: Any = json.loads(text or b"{}")
    except ValueError as error:
        raise ServerProblem("the sandbox's answer is no process stream") from error
    return section({"message": message}, "message")
