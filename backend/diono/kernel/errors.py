"""The one tree of domain errors.

A domain error knows nothing of HTTP: it has a stable ``code`` (snake_case, never reworded once
released), a ``kind`` that the edges map to a status or an exit code, and a ``detail`` that says
what happened and the way out.
"""

from enum import StrEnum
from typing import ClassVar


class ErrorKind(StrEnum):
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    STORAGE_FULL = "storage_full"
    INTERNAL = "internal"


class DionoError(Exception):
    """Base of every error that Diono raises on purpose."""

    code: ClassVar[str] = "internal_error"
    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInput(DionoError):
    code = "invalid_input"
    kind = ErrorKind.INVALID


class NotFound(DionoError):
    code = "not_found"
    kind = ErrorKind.NOT_FOUND


class Conflict(DionoError):
    code = "conflict"
    kind = ErrorKind.CONFLICT


class Unavailable(DionoError):
    code = "unavailable"
    kind = ErrorKind.UNAVAILABLE
