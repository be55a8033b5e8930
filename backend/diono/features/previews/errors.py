"""Errors of previews."""

from diono.kernel.errors import DionoError, ErrorKind


class PreviewFailed(DionoError):
    code = "preview_failed"
    kind = ErrorKind.UNAVAILABLE


class NoPreviewPort(DionoError):
    code = "no_preview_port"
    kind = ErrorKind.UNAVAILABLE
