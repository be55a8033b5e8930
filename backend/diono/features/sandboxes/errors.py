"""Errors of sandboxes and their keys."""

from diono.kernel.errors import DionoError, ErrorKind, NotFound


class SandboxKeyNotFound(NotFound):
    code = "sandbox_key_not_found"


class SandboxNotFound(NotFound):
    code = "sandbox_not_found"


class ScopeNotGiven(DionoError):
    code = "scope_not_given"
    kind = ErrorKind.FORBIDDEN
