"""What the former adapters lack of today's port; they leave together with this module."""

from collections.abc import AsyncGenerator, Sequence
from typing import NoReturn

from diono.kernel.errors import InvalidInput
from diono.sandbox.port import (
    ExecEvent,
    ExecRequest,
    ExecResult,
    LogPage,
    ServiceSignal,
    ServiceStatus,
    SnippetRequest,
)


def _missing() -> NoReturn:
    raise InvalidInput("this adapter has not got that call; use the E2B-wire adapters")


class LegacySandbox:
    def stream(self, request: ExecRequest) -> AsyncGenerator[ExecEvent]:
        _missing()

    async def run_python(self, request: SnippetRequest) -> ExecResult:
        _missing()

    async def install_node(self, folder: str = ".", timeout_seconds: float = 300) -> ExecResult:
        _missing()

    async def list_services(self) -> Sequence[ServiceStatus]:
        _missing()

    async def restart_service(self, name: str) -> ServiceStatus:
        _missing()

    async def signal_service(self, name: str, signal: ServiceSignal) -> None:
        _missing()

    async def service_logs(self, name: str, cursor: int = 0, limit_bytes: int = 64_000) -> LogPage:
        _missing()


class LegacySandboxes:
    async def pause(self, owner: str, project: str) -> bool:
        _missing()
