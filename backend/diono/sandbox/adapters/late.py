"""The remote adapter, loaded at its first use: its HTTP client takes longer to import than the
server's first reply may wait."""

import asyncio
import importlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from diono.sandbox.config import RemoteServer
from diono.sandbox.keyring import RunningSandbox, SandboxKey
from diono.sandbox.port import EngineHealth, Sandbox, SandboxSpec
from diono.sandbox.scopes import Scope
from diono.sandbox.template_states import TemplateState

if TYPE_CHECKING:
    from diono.sandbox.adapters.keyring import RemoteKeyring
    from diono.sandbox.adapters.remote import RemoteSandboxes


_START_SECONDS = 15.0


class LateSandboxes:
    """``starting`` is done when the local service listens; the first callers wait for it.
    ``redis_url`` empty: ids are remembered in this process only."""

    def __init__(
        self,
        server: RemoteServer,
        starting: asyncio.Task[None],
        redis_url: str,
        registries: Sequence[str],
    ) -> None:
        self._server = server
        self._starting = starting
        self._redis_url = redis_url
        self._registries = registries
        self._loading: asyncio.Task[RemoteSandboxes] | None = None

    async def loaded(self) -> "RemoteSandboxes":
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        return await asyncio.shield(self._loading)

    async def _load(self) -> "RemoteSandboxes":
        await asyncio.wait({self._starting}, timeout=_START_SECONDS)
        cache = None
        if self._redis_url:
            name = "diono.sandbox.adapters.redis_cache"
            cache = (await asyncio.to_thread(importlib.import_module, name)).RedisCache(
                self._redis_url
            )
        name = "diono.sandbox.adapters.remote"
        remote = await asyncio.to_thread(importlib.import_module, name)
        return remote.RemoteSandboxes(self._server, cache, self._registries)

    async def open(self, spec: SandboxSpec) -> Sandbox:
        return await (await self.loaded()).open(spec)

    async def find(self, owner: str, project: str) -> Sandbox | None:
        return await (await self.loaded()).find(owner, project)

    async def kill(self, owner: str, project: str) -> None:
        await (await self.loaded()).kill(owner, project)

    async def pause(self, owner: str, project: str) -> bool:
        return await (await self.loaded()).pause(owner, project)

    async def delete_workspace(self, owner: str, project: str) -> None:
        await (await self.loaded()).delete_workspace(owner, project)

    async def health(self) -> EngineHealth:
        return await (await self.loaded()).health()

    async def template_states(self) -> Sequence[TemplateState]:
        return await (await self.loaded()).control.template_states()

    async def close(self) -> None:
        if self._loading is not None:
            await (await self.loaded()).close()


class LateKeyring:
    """The keyring over the same client."""

    def __init__(self, sandboxes: LateSandboxes) -> None:
        self._sandboxes = sandboxes

    async def _real(self) -> "RemoteKeyring":
        control = (await self._sandboxes.loaded()).control
        name = "diono.sandbox.adapters.keyring"
        module = await asyncio.to_thread(importlib.import_module, name)
        return module.RemoteKeyring(control)

    async def issue(
        self, owner: str, name: str, scopes: Sequence[Scope], expires_at: datetime | None
    ) -> tuple[SandboxKey, str]:
        return await (await self._real()).issue(owner, name, scopes, expires_at)

    async def keys(self, owner: str) -> Sequence[SandboxKey]:
        return await (await self._real()).keys(owner)

    async def revoke(self, owner: str, key_id: str) -> bool:
        return await (await self._real()).revoke(owner, key_id)

    async def sandboxes(self, owner: str) -> Sequence[RunningSandbox]:
        return await (await self._real()).sandboxes(owner)

    async def kill(self, owner: str, sandbox_id: str) -> bool:
        return await (await self._real()).kill(owner, sandbox_id)
