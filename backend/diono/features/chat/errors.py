"""Errors of chats."""

from diono.kernel.errors import NotFound


class TurnNotFound(NotFound):
    code = "turn_not_found"


class ProjectFileNotFound(NotFound):
    code = "file_not_found"
