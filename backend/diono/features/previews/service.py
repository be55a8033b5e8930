"""Previews: a running program of a project, reached on an origin of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from diono.features.previews.errors import PreviewFailed
from diono.features.previews.schemas import PreviewLink
from diono.infra.clock import Clock
from diono.infra.tokens import TokenSigner
from diono.sandbox.port import Sandbox, Sandboxes, SandboxSpec, ServiceSpec

LINK_SECONDS = 12 * 3600
AUDIENCE = "preview"
TOKEN_PARAMETER = "diono_preview"  # noqa: S105 - the name of a parameter

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Connection]]


class Gateway(Protocol):
    """Listens on a port per preview and lets only holders of a link through."""

    async def open(self, project_id: str, dial: Dial) -> int:
        """Return the port that serves the preview; the same one for the same project."""
        ...


class Previews:
    def __init__(
        self, sandboxes: Sandboxes, gateway: Gateway, signer: TokenSigner, clock: Clock
    ) -> None:
        self._sandboxes = sandboxes
        self._gateway = gateway
        self._signer = signer
        self._clock = clock

    async def open(self, spec: SandboxSpec, service: ServiceSpec, host: str) -> PreviewLink:
        """Start what is not running and return a link. Raises PreviewFailed, NoPreviewPort."""
        program_port = service.port
        if program_port is None:
            raise PreviewFailed("The program opens no port, so there is nothing to look at.")
        await self._healthy(spec, service)

        async def dial() -> Connection:
            sandbox = await self._sandboxes.find(spec.owner, spec.project)
            if sandbox is None:
                sandbox = await self._healthy(spec, service)
            return await sandbox.connect(program_port)

        port = await self._gateway.open(spec.project, dial)
        token = self._signer.sign(spec.project, AUDIENCE, LINK_SECONDS)
        return PreviewLink(
            url=f"http://{host}:{port}/?{TOKEN_PARAMETER}={token}",
            expires_at=self._clock.now() + timedelta(seconds=LINK_SECONDS),
        )

    async def _healthy(self, spec: SandboxSpec, service: ServiceSpec) -> Sandbox:
        sandbox = await self._sandboxes.open(spec)
        status = await sandbox.start_service(service)
        if not status.is_healthy:
            raise PreviewFailed(
                f"The program did not open its port {service.port} in time. Its last output: "
                f"{status.log_tail[-500:] or '(none)'}"
            )
        return sandbox
