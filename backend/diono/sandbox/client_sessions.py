"""Projects' sandboxes over the E2B wire: found, opened, reconnected and ended. What differs
between servers is a ``Backend``."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from diono.kernel.errors import DionoError, InvalidInput
from diono.sandbox.client import Parts, WireSandbox
from diono.sandbox.client_cache import MemoryCache, SandboxCache, SandboxRef, workspace_name
from diono.sandbox.config import REGISTRIES
from diono.sandbox.errors import EngineMissing, SandboxGone, SandboxMissing, VolumeBusy
from diono.sandbox.fleet import Streams
from diono.sandbox.installs.orders import FetchOrder, FetchResult
from diono.sandbox.port import EngineHealth, NetworkPolicy, SandboxSpec

_NAME_LIMIT = 200
_TRUST_SECONDS = 5.0
_KEPT_SECONDS = 86_400
_BUSY_PAUSES_SECONDS = (0.02, 0.1, 0.3, 1.0, 2.0)


@dataclass(frozen=True)
class Found:
    sandbox_id: str
    is_running: bool


class Backend(Protocol):
    """One server. Errors: SandboxMissing or SandboxGone for an id that is no more, EngineMissing,
    QuotaReached, TemplateMissing, VolumeBusy."""

    async def create(self, spec: SandboxSpec, seconds: int) -> SandboxRef: ...

    async def find(self, owner: str, project: str) -> Found | None: ...

    async def connect(self, owner: str, sandbox_id: str, seconds: int) -> SandboxRef:
        """Wake it if it sleeps and give it at least so much time from now."""
        ...

    async def kill(self, owner: str, sandbox_id: str) -> None: ...

    async def release(self, owner: str, sandbox_id: str) -> None:
        """End what runs; the workspace stays."""
        ...

    async def pause(self, owner: str, sandbox_id: str) -> bool: ...

    async def delete_workspace(self, owner: str, project: str) -> None: ...

    async def set_network(self, owner: str, sandbox_id: str, policy: NetworkPolicy) -> None: ...

    async def fetch(self, owner: str, order: FetchOrder) -> FetchResult | None:
        """Put packages into the sandboxes' shared folder; None if the server has none."""
        ...

    def parts(self, ref: SandboxRef) -> Parts: ...

    async def dial(self, ref: SandboxRef, port: int) -> Streams: ...

    async def health(self) -> EngineHealth: ...

    async def close(self) -> None: ...


@dataclass
class _Live:
    spec: SandboxSpec
    ref: SandboxRef
    sandbox: WireSandbox
    trusted_until: float
    installs: int = 0


def _check(spec: SandboxSpec) -> None:
    if not (0 < len(spec.owner) <= _NAME_LIMIT and 0 < len(spec.project) <= _NAME_LIMIT):
        raise InvalidInput(f"owner and project have 1 to {_NAME_LIMIT} characters")


def _seconds(spec: SandboxSpec) -> int:
    return _KEPT_SECONDS if spec.is_kept else spec.max_age_seconds


class WireSandboxes:
    """One sandbox a (owner, project). Many of these may serve the same server at once."""

    def __init__(
        self,
        backend: Backend,
        cache: SandboxCache | None = None,
        registries: Sequence[str] = REGISTRIES,
    ) -> None:
        self._backend = backend
        self._cache = cache or MemoryCache()
        self._registries = tuple(registries)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._live: dict[str, _Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, spec: SandboxSpec) -> WireSandbox:
        _check(spec)
        key = workspace_name(spec.owner, spec.project)
        async with self._locks[key]:
            known = self._trusted(key)
            if known is not None:
                return known.sandbox
            ref = await self._reconnected(key, spec) or await self._found_or_made(spec)
            await self._cache.put(key, ref)
            return self._remember(spec, ref)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _trusted(self, key: str) -> _Live | None:
        for live in self._live.values():
            if workspace_name(live.spec.owner, live.spec.project) == key:
                return live if live.trusted_until > self._now() else None
        return None

    def _remember(self, spec: SandboxSpec, ref: SandboxRef) -> WireSandbox:
        trust = min(_TRUST_SECONDS, _seconds(spec) / 4)
        live = self._live.get(ref.sandbox_id)
        if live is None:
            sandbox = WireSandbox(ref.sandbox_id, self._backend.parts(ref), self)
            live = _Live(spec, ref, sandbox, 0.0)
            self._live[ref.sandbox_id] = live
        live.trusted_until = self._now() + trust
        return live.sandbox

    async def _reconnected(self, key: str, spec: SandboxSpec) -> SandboxRef | None:
        cached = await self._cache.get(key)
        if cached is None:
            return None
        try:
            return await self._backend.connect(spec.owner, cached.sandbox_id, _seconds(spec))
        except (SandboxMissing, SandboxGone):
            await self._cache.drop(key)
            self.forget(cached.sandbox_id)
            return None

    async def _found_or_made(self, spec: SandboxSpec) -> SandboxRef:
        """Another process may open the same project now: then its sandbox is ours too."""
        for pause in (*_BUSY_PAUSES_SECONDS, None):
            found = await self._backend.find(spec.owner, spec.project)
            if found is not None:
                with contextlib.suppress(SandboxMissing, SandboxGone):
                    seconds = _seconds(spec)
                    return await self._backend.connect(spec.owner, found.sandbox_id, seconds)
            try:
                return await self._backend.create(spec, _seconds(spec))
            except VolumeBusy:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        raise VolumeBusy("the project's workspace is in use; try again")

    async def find(self, owner: str, project: str) -> WireSandbox | None:
        key = workspace_name(owner, project)
        known = self._trusted(key)
        if known is not None:
            return known.sandbox
        async with self._locks[key]:
            found = await self._backend.find(owner, project)
            if found is None or not found.is_running:
                return None
            live = self._live.get(found.sandbox_id)
            if live is not None:
                live.trusted_until = self._now() + _TRUST_SECONDS
                return live.sandbox
            spec = SandboxSpec(owner=owner, project=project)
            ref = await self._backend.connect(owner, found.sandbox_id, 1)
            return self._remember(spec, ref)

    async def kill(self, owner: str, project: str) -> None:
        key = workspace_name(owner, project)
        async with self._locks[key]:
            await self._release(key, owner, project)

    async def _release(self, key: str, owner: str, project: str) -> None:
        found = await self._backend.find(owner, project)
        await self._cache.drop(key)
        if found is not None:
            self._end_locally(found.sandbox_id)
            with contextlib.suppress(SandboxMissing, SandboxGone):
                await self._backend.release(owner, found.sandbox_id)

    async def pause(self, owner: str, project: str) -> bool:
        key = workspace_name(owner, project)
        async with self._locks[key]:
            found = await self._backend.find(owner, project)
            if found is None or not found.is_running:
                return False
            live = self._live.get(found.sandbox_id)
            if live is not None:
                live.trusted_until = 0.0
            return await self._backend.pause(owner, found.sandbox_id)

    async def delete_workspace(self, owner: str, project: str) -> None:
        key = workspace_name(owner, project)
        async with self._locks[key]:
            await self._release(key, owner, project)
            await self._backend.delete_workspace(owner, project)

    async def health(self) -> EngineHealth:
        try:
            return await self._backend.health()
        except DionoError as error:
            return EngineHealth(is_ready=False, problem=error.detail)

    async def close(self) -> None:
        """Let go of connections; the server's sandboxes go on for other callers."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._cache.close()
        await self._backend.close()

    def _end_locally(self, sandbox_id: str) -> None:
        live = self._live.pop(sandbox_id, None)
        if live is not None:
            live.sandbox.mark_over()

    # What the sandboxes ask of their owner.

    async def end(self, sandbox_id: str) -> None:
        live = self._live.get(sandbox_id)
        self._end_locally(sandbox_id)
        if live is not None:
            with contextlib.suppress(DionoError):
                await self._backend.kill(live.spec.owner, sandbox_id)

    def forget(self, sandbox_id: str) -> None:
        live = self._live.pop(sandbox_id, None)
        if live is not None:
            key = workspace_name(live.spec.owner, live.spec.project)
            task = asyncio.create_task(self._cache.drop(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def dial(self, sandbox_id: str, port: int) -> Streams:
        live = self._live.get(sandbox_id)
        if live is None:
            raise SandboxGone("the sandbox ended; open it again (its files are kept)")
        try:
            return await self._backend.dial(live.ref, port)
        except SandboxMissing as error:
            raise SandboxGone("the sandbox ended; open it again (its files are kept)") from error

    async def fetch(self, sandbox_id: str, order: FetchOrder) -> FetchResult | None:
        live = self._live.get(sandbox_id)
        return None if live is None else await self._backend.fetch(live.spec.owner, order)

    @contextlib.asynccontextmanager
    async def registry_access(self, sandbox_id: str) -> AsyncGenerator[None]:
        live = self._live.get(sandbox_id)
        if live is None:
            raise SandboxGone("the sandbox ended; open it again (its files are kept)")
        owner, policy = live.spec.owner, live.spec.network
        wider = policy.model_copy(update={"allow_out": (*policy.allow_out, *self._registries)})
        live.installs += 1
        try:
            await self._backend.set_network(owner, sandbox_id, wider)
            yield
        finally:
            live.installs -= 1
            if live.installs == 0:
                with contextlib.suppress(SandboxMissing, SandboxGone, EngineMissing):
                    await self._backend.set_network(owner, sandbox_id, policy)
