"""How a command ends: its exit status, and its error in words or as JSON."""

import json
import sys
from enum import IntEnum

from diono.kernel.errors import DionoError, ErrorKind


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    ENVIRONMENT = 3


class UsageError(DionoError):
    code = "invalid_input"
    kind = ErrorKind.INVALID


class EmptyPrompt(UsageError):
    code = "empty_prompt"


class PromptTooLarge(UsageError):
    code = "prompt_too_large"
    kind = ErrorKind.TOO_LARGE


class PortTaken(DionoError):
    code = "port_taken"
    kind = ErrorKind.UNAVAILABLE


class ServerProblem(DionoError):
    code = "server_problem"
    kind = ErrorKind.UNAVAILABLE


class RemoteError(DionoError):
    """The server's own refusal, passed on with its code."""

    def __init__(self, code: str, detail: str, http_status: int) -> None:
        super().__init__(detail)
        self.remote_code = code
        self.http_status = http_status


_USAGE_STATUSES = frozenset({400, 404, 409, 413, 422})
_EXITS = {
    ErrorKind.INVALID: Exit.USAGE,
    ErrorKind.TOO_LARGE: Exit.USAGE,
    ErrorKind.NOT_FOUND: Exit.USAGE,
    ErrorKind.CONFLICT: Exit.USAGE,
    ErrorKind.INTERNAL: Exit.FAILED,
}


def exit_status_of(error: DionoError) -> Exit:
    if isinstance(error, RemoteError):
        return Exit.USAGE if error.http_status in _USAGE_STATUSES else Exit.ENVIRONMENT
    return _EXITS.get(error.kind, Exit.ENVIRONMENT)


def show_error(error: DionoError, *, as_json: bool) -> Exit:
    """Say it on stderr; with ``as_json`` also as the one object on stdout."""
    code = error.remote_code if isinstance(error, RemoteError) else error.code
    print(f"error: {code}: {error.detail}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": code, "detail": error.detail}))
    return exit_status_of(error)
