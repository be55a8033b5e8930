"""Errors of projects."""

from diono.kernel.errors import Conflict, InvalidInput, NotFound


class ProjectNotFound(NotFound):
    code = "project_not_found"


class UserNotFound(NotFound):
    code = "user_not_found"


class ProjectBusy(Conflict):
    """A run of the project is active; the detail names it."""

    code = "project_busy"


class ProjectNotActive(Conflict):
    """The project is paused or ended."""

    code = "project_not_active"


class NotConfirmed(InvalidInput):
    code = "not_confirmed"
