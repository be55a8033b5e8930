"""Errors of projects' services."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind


class NothingToRun(Conflict):
    """No file of the project says how it is run."""

    code = "nothing_to_run"


class ToolMissing(DionoError):
    code = "tool_missing"
    kind = ErrorKind.UNAVAILABLE


class StepFailed(Conflict):
    """Installing or building failed; the detail ends with its last output."""

    code = "step_failed"


class ServiceNotStarted(Conflict):
    code = "service_not_started"


class NoPort(Conflict):
    """The program opens no port, so there is nothing to look at."""

    code = "no_port"
