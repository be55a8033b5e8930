"""Packages for a sandbox. Fetched by the service in a step of its own where it can; else by the
sandbox's own package manager, with a way to the registries while it runs."""

import contextlib
from collections.abc import Mapping
from typing import Protocol

from diono.sandbox import checks
from diono.sandbox.fleet import Streams
from diono.sandbox.installs import steps
from diono.sandbox.installs.orders import FetchOrder, FetchResult
from diono.sandbox.port import ExecRequest, ExecResult

_PIP = (
    *("python3", "-I", "-m", "pip", "--isolated", "install", "--no-input", "--no-cache-dir"),
    *("--only-binary", ":all:", "--target", "/work/.packages", "--upgrade", "--no-compile"),
    *("--disable-pip-version-check", "--progress-bar", "off", "--timeout", "20", "--retries", "1"),
)
_NPM = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund")


class _NobodyFetches(Exception):
    """The server has no step that fetches packages."""


class Owner(Protocol):
    """Who keeps the sandbox: the adapter that opened it."""

    async def end(self, sandbox_id: str) -> None:
        """Destroy it: processes may be left that nothing else can reach."""
        ...

    def forget(self, sandbox_id: str) -> None:
        """It is gone; the next ``open`` must not return it."""
        ...

    async def dial(self, sandbox_id: str, port: int) -> Streams:
        """Open a stream to a loopback port. PortClosed, SandboxGone."""
        ...

    async def fetch(self, sandbox_id: str, order: FetchOrder) -> FetchResult | None:
        """Put packages where the sandbox can read them; None if the server cannot do that."""
        ...

    def registry_access(self, sandbox_id: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Let the sandbox reach the package registries, and nothing else, for a while."""
        ...


class Installer:
    def __init__(self, sandbox_id: str, place: steps.Place, owner: Owner) -> None:
        self._sandbox_id = sandbox_id
        self._place = place
        self._owner = owner

    async def _fetch(self, order: FetchOrder) -> FetchResult:
        result = await self._owner.fetch(self._sandbox_id, order)
        if result is None:
            raise _NobodyFetches
        return result

    async def known(self, order: FetchOrder) -> Mapping[str, bool]:
        """Ask the registry which packages it knows; names without an answer are left out."""
        result = await self._owner.fetch(self._sandbox_id, order)
        return result.known if result is not None else {}

    async def install(self, order: FetchOrder, folder: str = ".") -> ExecResult:
        """Install packages by name, or what the manifests in ``folder`` name."""
        try:
            return await steps.install(self._place, self._fetch, order, folder)
        except _NobodyFetches:
            argv = _NPM if order.manager == "npm" else (*_PIP, "--", *order.packages)
            request = ExecRequest(
                argv=argv,
                cwd=checks.workspace_path(folder),
                env={"PYTHONPATH": ""},
                timeout_seconds=order.timeout_seconds,
            )
            async with self._owner.registry_access(self._sandbox_id):
                return await self._place.execute(request)
