"""What can go wrong with a sandbox, in the words of the port."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput, NotFound, Unavailable


class SandboxGone(Conflict):
    """The sandbox ended; its workspace is kept and opening it again gives a fresh one."""

    code = "sandbox_gone"


class SandboxMissing(NotFound):
    """The id names no sandbox, or one that has ended. The wire says "was not found"."""

    code = "sandbox_missing"


class SandboxPaused(Conflict):
    """The sandbox sleeps and does not wake by itself; connect to it first."""

    code = "sandbox_paused"


class TemplateMissing(NotFound):
    code = "template_missing"


class TemplateBuilding(Conflict):
    """The template's image is not here yet; the detail says how far its build is. Ask again."""

    code = "template_building"


class VolumeBusy(Conflict):
    """A live sandbox uses the volume; the detail names it."""

    code = "volume_busy"


class QuotaReached(DionoError):
    """Too many sandboxes, for the user or in total; try again after ``retry_after_seconds``."""

    code = "quota_reached"
    kind = ErrorKind.TOO_MANY

    def __init__(self, detail: str, retry_after_seconds: float = 5.0) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class SandboxBusy(Unavailable):
    code = "sandbox_busy"


class EngineMissing(Unavailable):
    code = "engine_missing"


class PathRefused(InvalidInput):
    code = "path_refused"


class RequirementRefused(InvalidInput):
    code = "requirement_refused"


class FileMissing(NotFound):
    code = "file_missing"


class ServiceMissing(NotFound):
    code = "service_missing"


class FileTooLarge(DionoError):
    code = "file_too_large"
    kind = ErrorKind.TOO_LARGE


class PortClosed(Unavailable):
    code = "port_closed"


class PortTaken(Conflict):
    code = "port_taken"


class WorkspaceFull(DionoError):
    """The project has used up its own share of the disk."""

    code = "workspace_full"
    kind = ErrorKind.STORAGE_FULL


class StorageFull(DionoError):
    """The machine itself has no room for another workspace."""

    code = "storage_full"
    kind = ErrorKind.STORAGE_FULL


_KNOWN: tuple[type[DionoError], ...] = (
    InvalidInput,
    NotFound,
    Conflict,
    Unavailable,
    SandboxGone,
    SandboxMissing,
    SandboxPaused,
    TemplateMissing,
    TemplateBuilding,
    VolumeBusy,
    QuotaReached,
    SandboxBusy,
    EngineMissing,
    PathRefused,
    RequirementRefused,
    FileMissing,
    ServiceMissing,
    FileTooLarge,
    PortClosed,
    PortTaken,
    WorkspaceFull,
    StorageFull,
)
_BY_CODE = {known.code: known for known in _KNOWN}


def error_from(code: str, detail: str) -> DionoError:
    """Rebuild an error that crossed a wire; an unknown code becomes a plain DionoError."""
    return _BY_CODE.get(code, DionoError)(detail)
