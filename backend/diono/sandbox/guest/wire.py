"""What goes over the wire: Connect's frames and error codes, and envd's plain errors."""

from __future__ import annotations

import errno
import json
import struct
from typing import Any

Json = dict[str, Any]

_STATUS = {
    "canceled": 499,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "out_of_range": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "already_exists": 409,
    "aborted": 409,
    "resource_exhausted": 429,
    "unimplemented": 501,
    "unavailable": 503,
    "deadline_exceeded": 504,
}
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_BY_ERRNO = {
    errno.ENOENT: "not_found",
    errno.ENOTDIR: "invalid_argument",
    errno.ELOOP: "invalid_argument",
    errno.ENAMETOOLONG: "invalid_argument",
    errno.EINVAL: "invalid_argument",
    errno.EISDIR: "invalid_argument",
    errno.E2BIG: "invalid_argument",
    errno.EXDEV: "invalid_argument",
    errno.ENOEXEC: "invalid_argument",
    errno.EEXIST: "already_exists",
    errno.ENOTEMPTY: "already_exists",
    errno.EACCES: "permission_denied",
    errno.EPERM: "permission_denied",
    errno.EROFS: "permission_denied",
    errno.ENOSPC: "resource_exhausted",
    errno.EDQUOT: "resource_exhausted",
    errno.EFBIG: "resource_exhausted",
    errno.EAGAIN: "resource_exhausted",
    errno.ENOMEM: "resource_exhausted",
    errno.EMFILE: "resource_exhausted",
}


class HttpError(Exception):
    """A refusal in envd's plain shape ``{code, message}``; ``status`` is the code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> Json:
        return {"code": self.status, "message": self.message}


class RpcError(HttpError):
    """A refusal in Connect's shape; ``code`` is one of its names."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(_STATUS.get(code, 500), message)
        self.code = code

    def body(self) -> Json:
        return {"code": self.code, "message": self.message}


def rpc_error_of(error: OSError, subject: str = "") -> RpcError:
    """Translate an error of the operating system."""
    reason = error.strerror or "refused"
    message = f"{subject}: {reason}" if subject else reason
    return RpcError(_BY_ERRNO.get(error.errno or 0, "internal"), message)


def http_error_of(error: OSError, subject: str = "") -> HttpError:
    """The same for ``/files``: a full disk is 507, a file over the size limit 413."""
    rpc = rpc_error_of(error, subject)
    if error.errno in _NO_ROOM:
        return HttpError(507, f"not enough disk space available: {rpc.message}")
    if error.errno == errno.EFBIG:
        return HttpError(413, rpc.message)
    status = 403 if rpc.code == "permission_denied" else 400
    return HttpError({"not_found": 404}.get(rpc.code, status), rpc.message)


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def frame(payload: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BI", flags, len(payload)) + payload


def end_frame(error: RpcError | None = None) -> bytes:
    """The last frame of a stream."""
    return frame(encode({"error": error.body()}) if error else b"{}", flags=2)


def decode(payload: bytes) -> Json:
    """Parse a JSON object; RpcError invalid_argument if it is none."""
    try:
        value = json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        raise RpcError("invalid_argument", "the message is not valid JSON") from error
    if not isinstance(value, dict):
        raise RpcError("invalid_argument", "the message must be a JSON object")
    return value  # pyright: ignore[reportUnknownVariableType]


def text_of(value: Any, name: str, default: str = "") -> str:
    """Return a string field; RpcError if it is something else or holds a NUL character."""
    if value is None:
        return default
    if not isinstance(value, str):
        raise RpcError("invalid_argument", f"{name} must be a string")
    if "\0" in value:
        raise RpcError("invalid_argument", f"{name} must not hold a NUL character")
    return value


def object_of(value: Any, name: str) -> Json:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RpcError("invalid_argument", f"{name} must be an object")
    return value  # pyright: ignore[reportUnknownVariableType]


def number_of(value: Any, name: str, default: int = 0, highest: int = 2**31 - 1) -> int:
    """Return a whole number from 0 to ``highest``; proto3 may send it as a string."""
    if value is None:
        return default
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise RpcError("invalid_argument", f"{name} must be a number") from error
    if not 0 <= number <= highest:
        raise RpcError("invalid_argument", f"{name} is out of range")
    return number
