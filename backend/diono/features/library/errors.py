"""What can go wrong with a library's listing, exports and imports."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput, NotFound, Unavailable


class CursorRefused(InvalidInput):
    code = "cursor_refused"


class ImportNotFound(NotFound):
    code = "import_not_found"


class ImportRunning(Conflict):
    code = "import_running"


class SourceRefused(InvalidInput):
    """The address or the file is none that can be imported."""

    code = "import_source_refused"


class ArchiveRefused(InvalidInput):
    """The archive holds what no honest one does."""

    code = "archive_refused"


class ArchiveTooLarge(DionoError):
    code = "archive_too_large"
    kind = ErrorKind.TOO_LARGE


class CloneFailed(Unavailable):
    code = "clone_failed"


class NothingToExport(InvalidInput):
    code = "nothing_to_export"


class ExportFailed(Unavailable):
    code = "export_failed"
