"""Errors of tasks."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput, NotFound


class TaskNotFound(NotFound):
    code = "task_not_found"


class ArtifactNotFound(NotFound):
    code = "artifact_not_found"


class PromptEmpty(InvalidInput):
    code = "prompt_empty"


class PromptTooLong(DionoError):
    code = "prompt_too_long"
    kind = ErrorKind.TOO_LARGE


class TaskEnded(Conflict):
    code = "task_ended"


class NoPreview(Conflict):
    code = "no_preview"


class StreamCut(DionoError):
    """The reader asked for events after one that does not exist."""

    code = "unknown_event_id"
    kind = ErrorKind.INVALID
