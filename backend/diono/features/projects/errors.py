"""Errors of projects."""

from diono.kernel.errors import NotFound


class ProjectNotFound(NotFound):
    code = "project_not_found"
