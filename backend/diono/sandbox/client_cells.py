"""Cells of the lasting interpreter over the wire: its lines, read into the port's result."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from diono.sandbox.client_http import Call, Channel, JsonObject, error_of_reply
from diono.sandbox.client_output import Output
from diono.sandbox.errors import SandboxGone
from diono.sandbox.port import CellRequest, ExecResult, ExitReason

_LINE_LIMIT_BYTES = 16 * 1024 * 1024
_REFUSAL_LIMIT_BYTES = 4000
_JSON = {"Content-Type": "application/json"}


class _Cell:
    """What a cell has said so far."""

    def __init__(self, limit_bytes: int) -> None:
        self.out = Output(limit_bytes)
        self.err = Output(limit_bytes)
        self.is_over = False
        self._exit_code = 0

    def take(self, event: Mapping[str, Any]) -> None:
        match event.get("type"):
            case "stdout":
                self.out.feed(_encoded(event.get("text")))
            case "stderr":
                self.err.feed(_encoded(event.get("text")))
            case "result" if event.get("text"):
                self.out.feed(_encoded(event.get("text")) + b"\n")
            case "error":
                self._exit_code = 1
                self.err.feed(_encoded(event.get("traceback") or event.get("value")) + b"\n")
            case "end_of_execution":
                self.is_over = True
            case _:
                pass

    def result(self, reason: ExitReason, seconds: float) -> ExecResult:
        return ExecResult(
            reason=reason,
            exit_code=self._exit_code if reason is ExitReason.EXITED else None,
            stdout=self.out.text(),
            stderr=self.err.text(),
            is_truncated=self.out.is_truncated or self.err.is_truncated,
            seconds=seconds,
        )


def _encoded(text: object) -> bytes:
    return str(text or "").encode("utf-8", "replace")


async def run_cell(channel: Channel, request: CellRequest) -> ExecResult:
    """Run a cell in the interpreter that all callers of this sandbox share."""
    started = time.monotonic()
    cell = _Cell(request.output_limit_bytes)
    reason = ExitReason.EXITED
    content = json.dumps({"code": request.code}).encode()
    call = Call("POST", "/execute", {}, _JSON, content, None)
    try:
        async with asyncio.timeout(request.timeout_seconds), channel.open(call) as response:
            if response.status_code != 200:
                body = (await response.aread())[:_REFUSAL_LIMIT_BYTES]
                raise error_of_reply(response.status_code, response.headers, body)
            async for event in _events(response.aiter_bytes()):
                cell.take(event)
    except TimeoutError:
        # Whoever leaves interrupts the cell; the interpreter and its variables stay.
        reason = ExitReason.DEADLINE
    if reason is ExitReason.EXITED and not cell.is_over:
        reason = ExitReason.LOST
    return cell.result(reason, time.monotonic() - started)


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[JsonObject]:
    buffer = bytearray()
    async for chunk in chunks:
        buffer += chunk
        *lines, rest = bytes(buffer).split(b"\n") if b"\n" in chunk else (bytes(buffer),)
        for line in lines:
            if line.strip():
                yield _event(line)
        buffer = bytearray(rest)
        if len(buffer) > _LINE_LIMIT_BYTES:
            raise SandboxGone("the interpreter sent a line that is too long to be read")


def _event(line: bytes) -> JsonObject:
    try:
        event: object = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise SandboxGone("the interpreter sent something that is not an event")
    return cast(JsonObject, event)
