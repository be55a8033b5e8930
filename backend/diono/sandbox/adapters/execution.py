"""One command in a sandbox, with its deadline held out here where the tenant cannot reach it."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from diono.sandbox.adapters import guest_client
from diono.sandbox.adapters.guest_client import GuestLost, GuestReply
from diono.sandbox.port import ExecRequest, ExecResult, ExitReason

CONFIRM_SECONDS = 1.0
_CUT_MARK_BYTES = 200


class _Executed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    exit_code: int = Field(ge=0, le=255)
    is_memory: bool
    is_truncated: bool
    memory_kills: int = Field(ge=0)
    survivors: int = Field(ge=0)
    stdout_bytes: int = Field(ge=0)


@dataclass(frozen=True)
class Outcome:
    """``is_clean`` is false when processes may be left: the sandbox must then be ended."""

    result: ExecResult
    is_clean: bool
    memory_kills: int


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def without_output(reason: ExitReason, seconds: float) -> ExecResult:
    return ExecResult(reason=reason, exit_code=None, stdout="", stderr="", seconds=seconds)


def _outcome(reason: ExitReason, reply: GuestReply, seconds: float) -> Outcome:
    done = reply.parse(_Executed)
    if reason is ExitReason.EXITED and done.is_memory:
        reason = ExitReason.MEMORY
    result = ExecResult(
        reason=reason,
        exit_code=done.exit_code if reason is ExitReason.EXITED else None,
        stdout=_text(reply.body[: done.stdout_bytes]),
        stderr=_text(reply.body[done.stdout_bytes :]),
        is_truncated=done.is_truncated,
        seconds=seconds,
    )
    return Outcome(result, done.survivors == 0, done.memory_kills)


async def _stop(
    answer: asyncio.Task[GuestReply], writer: asyncio.StreamWriter
) -> GuestReply | None:
    """Have the guest kill the command's processes; None if it does not confirm in time."""
    with contextlib.suppress(GuestLost, TimeoutError, OSError):
        writer.write(b"K")
        async with asyncio.timeout(CONFIRM_SECONDS):
            return await answer
    return None


async def run(directory: Path, request: ExecRequest) -> Outcome:
    """Run to the end or to the deadline; GuestLost if the guest ends first.

    Cancelling kills the command; if that is not confirmed, GuestLost replaces the cancellation.
    """
    header = {
        "op": "execute",
        "argv": request.argv,
        "cwd": request.cwd,
        "env": dict(request.env),
        "output_limit": request.output_limit_bytes,
    }
    body_limit = 2 * (request.output_limit_bytes + _CUT_MARK_BYTES)
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with guest_client.connection(directory) as (reader, writer):
        answer = asyncio.create_task(guest_client.receive(reader, body_limit))
        try:
            async with asyncio.timeout(request.timeout_seconds):
                await guest_client.send(writer, header, request.stdin)
                reply = await asyncio.shield(answer)
            return _outcome(ExitReason.EXITED, reply, loop.time() - started)
        except TimeoutError:
            late = await _stop(answer, writer)
            seconds = loop.time() - started
            if late is None:
                result = without_output(ExitReason.DEADLINE, seconds)
                return Outcome(result, is_clean=False, memory_kills=0)
            return _outcome(ExitReason.DEADLINE, late, seconds)
        except asyncio.CancelledError:
            late = await asyncio.shield(_stop(answer, writer))
            if late is None or late.parse(_Executed).survivors:
                raise GuestLost("a cancelled command could not be ended") from None
            raise
        except OSError as error:
            raise GuestLost("the guest closed the connection") from error
        finally:
            answer.cancel()
