"""Errors of the OpenAI-compatible endpoint, and the shape in which its clients read any error."""

from typing import Any

from diono.kernel.errors import DionoError, ErrorKind, InvalidInput


class NotSupported(InvalidInput):
    """The request asks for something that this endpoint does not do."""

    code = "unsupported_parameter"


class TooManyAnswers(DionoError):
    code = "too_many_requests"
    kind = ErrorKind.TOO_MANY


_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_SERVER_ERRORS = 500
# OpenAI's clients know these causes by their own codes.
_CODES = {"context_exceeded": "context_length_exceeded", "key_refused": "invalid_api_key"}
# What our other routes answer with 413 or 422 is 400 there.
_STATUS = {413: 400, 422: 400}


def openai_status(status: int) -> int:
    return _STATUS.get(status, status)


def openai_error(status: int, code: str, detail: str) -> dict[str, Any]:
    """Return the body of an error; ``status`` is HTTP's."""
    default = "server_error" if status >= _SERVER_ERRORS else "invalid_request_error"
    error = {
        "message": detail,
        "type": _TYPES.get(status, default),
        "param": None,
        "code": _CODES.get(code, code),
    }
    return {"error": error}
