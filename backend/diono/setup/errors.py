"""What can go wrong while setting up. Each detail names the exact way out."""

from diono.kernel.errors import DionoError, ErrorKind


class SetupFailed(DionoError):
    code = "setup_failed"
    kind = ErrorKind.UNAVAILABLE


class OfflineMissing(SetupFailed):
    code = "offline_missing"


class EngineMissing(SetupFailed):
    code = "engine_missing"


class EngineNotRunning(SetupFailed):
    code = "engine_not_running"


class NodeMissing(SetupFailed):
    code = "node_missing"


class CommandFailed(SetupFailed):
    code = "command_failed"

    def __init__(self, detail: str, output: str = "") -> None:
        super().__init__(detail)
        self.output = output
