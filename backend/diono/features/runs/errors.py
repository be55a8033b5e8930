"""Errors of runs."""

from diono.kernel.errors import InvalidInput


class FileUnreadable(InvalidInput):
    """A file's content is not what its encoding says."""

    code = "file_unreadable"
