"""Domain errors in the shape the E2B wire gives them; the SDKs branch on status and substrings."""

import errno
import json
import math
from dataclasses import dataclass, field

from diono.kernel.errors import DionoError, ErrorKind, Unavailable
from diono.sandbox.errors import (
    PortClosed,
    QuotaReached,
    SandboxMissing,
    SandboxPaused,
    StorageFull,
    TemplateBuilding,
)
from diono.sandbox.extensions import ERROR_CODE_HEADER

STATUS = {
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
_NOT_BUILT = 501
_BUILD_RETRY_SECONDS = "5"
_NO_RETRY = {"Should-Retry": "false"}


class NotBuilt(DionoError):
    """The wire has this call, this service does not."""

    code = "not_built"


@dataclass(frozen=True)
class Refusal:
    """A whole error response: ``{code, message}`` and what goes beside it."""

    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    extra: dict[str, str | int] = field(default_factory=dict[str, str | int])

    @property
    def body(self) -> bytes:
        content = {"code": self.status, "message": self.message, **self.extra}
        return json.dumps(content).encode()


def refusal_of(error: DionoError) -> Refusal:
    """The control plane's answer to a domain error."""
    status = _NOT_BUILT if isinstance(error, NotBuilt) else STATUS[error.kind]
    headers = {**_NO_RETRY, ERROR_CODE_HEADER: error.code}
    if isinstance(error, TemplateBuilding):
        # The SDKs try again by themselves, and say that the service is busy in the end.
        retry = {"Retry-After": _BUILD_RETRY_SECONDS, ERROR_CODE_HEADER: error.code}
        return Refusal(STATUS[ErrorKind.UNAVAILABLE], error.detail, retry)
    if isinstance(error, QuotaReached):
        # The fleet has already made the caller wait in its queue: let the caller decide.
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    elif error.kind is ErrorKind.UNAVAILABLE:
        headers = {"Retry-After": "1", ERROR_CODE_HEADER: error.code}
    return Refusal(status, error.detail, headers)


def gateway_refusal(error: DionoError, sandbox_id: str, port: int) -> Refusal:
    """The gateway's answer: a sandbox that is gone or asleep is 502 "was not found"."""
    extra: dict[str, str | int] = {"sandboxId": sandbox_id}
    named = {ERROR_CODE_HEADER: error.code}
    final = {**_NO_RETRY, **named}
    if isinstance(error, SandboxMissing):
        return Refusal(502, "The sandbox was not found", final, extra)
    if isinstance(error, SandboxPaused):
        message = "The sandbox was not found: it is paused; connect to it to wake it"
        return Refusal(502, message, final, extra)
    if isinstance(error, PortClosed):
        message = "The sandbox is running but port is not open"
        return Refusal(502, message, named, {**extra, "port": port})
    return refusal_of(error)


def of_the_host(error: OSError) -> DionoError:
    """What a failed system call of ours means for the caller."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull("this machine's disk is full; free some space and try again")
    return Unavailable(f"the sandbox service could not do this: {error.strerror}; try again")
