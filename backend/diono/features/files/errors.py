"""What can go wrong with stored files and uploads."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput, NotFound


class FileNotFound(NotFound):
    code = "file_not_found"


class UploadNotFound(NotFound):
    code = "upload_not_found"


class LinkRefused(NotFound):
    code = "link_refused"


class NameRefused(InvalidInput):
    code = "file_name_refused"


class FileTooBig(DionoError):
    code = "file_too_large"
    kind = ErrorKind.TOO_LARGE


class QuotaExceeded(DionoError):
    code = "quota_exceeded"
    kind = ErrorKind.TOO_LARGE


class OffsetConflict(Conflict):
    code = "upload_offset_conflict"


class RevisionConflict(Conflict):
    code = "file_revision_conflict"


class NameTaken(Conflict):
    code = "file_name_taken"


class DigestMismatch(InvalidInput):
    code = "upload_digest_mismatch"


class TagRefused(InvalidInput):
    code = "tag_refused"


class TooManyUploads(DionoError):
    code = "too_many_uploads"
    kind = ErrorKind.TOO_MANY
