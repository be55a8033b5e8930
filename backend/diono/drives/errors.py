"""Errors of cloud drives."""

from typing import ClassVar

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput, NotFound, Unavailable


class DriveProviderUnknown(NotFound):
    code = "drive_provider_unknown"


class DriveClientMissing(Conflict):
    """The admin has not given the provider a client id yet."""

    code = "drive_client_missing"


class ConnectModeRefused(InvalidInput):
    """The provider cannot be connected this way, or not on this server."""

    code = "connect_mode_refused"


class ConnectRefused(InvalidInput):
    """The provider, or the user there, said no."""

    code = "connect_refused"


class AccessExpired(DionoError):
    """The access token has ended: refresh it and ask again. Never leaves the drives."""

    code = "drive_access_expired"
    kind = ErrorKind.UNAVAILABLE


class LinkBroken(Conflict):
    """The provider takes the link's tokens no more; the user has to connect again."""

    code = "drive_link_broken"


class DriveBusy(Unavailable):
    """The provider asks to be left alone for a while, or fails. ``retry_after`` is in seconds;
    None: it did not say."""

    code = "drive_busy"

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class TransferBroken(DriveBusy):
    """A body was cut, or is not what its checksum says. It may be tried again."""

    code = "drive_transfer_broken"


class CursorExpired(DionoError):
    """The provider no longer knows the cursor: compare everything and take a new one."""

    code = "drive_cursor_expired"
    kind = ErrorKind.CONFLICT


class DriveItemNotFound(NotFound):
    code = "drive_item_not_found"


class DriveItemRefused(InvalidInput):
    """The provider does not hand this item out, or does not take it; the detail says why."""

    code = "drive_item_refused"


class DriveItemTooLarge(DionoError):
    code = "drive_item_too_large"
    kind = ErrorKind.TOO_LARGE


class DriveFull(DionoError):
    code = "drive_full"
    kind: ClassVar[ErrorKind] = ErrorKind.STORAGE_FULL
