"""Errors of links to drives and of what is moved over them."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, NotFound


class DriveLinkNotFound(NotFound):
    code = "drive_link_not_found"


class ConnectUnknown(NotFound):
    """The connection is unknown, somebody else's, used already, or too old."""

    code = "connect_unknown"


class DriveJobNotFound(NotFound):
    code = "drive_job_not_found"


class DriveSyncNotFound(NotFound):
    code = "drive_sync_not_found"


class DriveSyncExists(Conflict):
    code = "drive_sync_exists"


class TooManyDriveThings(DionoError):
    """Too many links, open connections or unfinished jobs of one user."""

    code = "too_many_drive_things"
    kind = ErrorKind.TOO_MANY
