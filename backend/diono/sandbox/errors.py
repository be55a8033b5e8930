"""What can go wrong with a sandbox, in the words of the port."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput, NotFound, Unavailable


class SandboxGone(Conflict):
    """The sandbox ended; its workspace is kept and opening it again gives a fresh one."""

    code = "sandbox_gone"


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
