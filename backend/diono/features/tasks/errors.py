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


class TaskNotRunning(Conflict):
    code = "task_not_running"


class TaskNotEnded(Conflict):
    code = "task_not_ended"


class NoOpenQuestion(Conflict):
    code = "no_open_question"


class OptionsTooLarge(DionoError):
    code = "options_too_large"
    kind = ErrorKind.TOO_LARGE


class ProjectNeeded(InvalidInput):
    code = "project_needed"


class PriceUnknown(InvalidInput):
    """A paid model has no price, but the task may cost only so much."""

    code = "price_unknown"


class TaskQuotaReached(DionoError):
    code = "task_quota_reached"
    kind = ErrorKind.TOO_MANY
    retry_after_seconds = 60
