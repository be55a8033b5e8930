"""Errors of API keys."""

from diono.kernel.errors import DionoError, ErrorKind, InvalidInput, NotFound


class KeyNotFound(NotFound):
    code = "key_not_found"


class KeyRefused(DionoError):
    """The key is unknown, revoked, expired, or its account is gone: one text for all of them."""

    code = "key_refused"
    kind = ErrorKind.UNAUTHENTICATED


class TooManyKeys(InvalidInput):
    code = "too_many_keys"
