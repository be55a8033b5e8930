"""Errors of the figures."""

from diono.kernel.errors import DionoError, ErrorKind, NotFound


class AdminOnly(DionoError):
    code = "admin_only"
    kind = ErrorKind.FORBIDDEN


class VersionNotFound(NotFound):
    code = "file_version_not_found"
