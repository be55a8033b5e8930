"""Errors of projects."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput, NotFound


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


class RoleTooLow(DionoError):
    """The project is known to who asks, but the role in it does not allow this."""

    code = "role_too_low"
    kind = ErrorKind.FORBIDDEN


class MemberNotFound(NotFound):
    code = "member_not_found"


class AlreadyMember(Conflict):
    code = "already_member"


class TooManyMembers(InvalidInput):
    code = "too_many_members"


class ProjectQuotaReached(DionoError):
    code = "project_quota_reached"
    kind = ErrorKind.TOO_MANY
    retry_after_seconds = 60
