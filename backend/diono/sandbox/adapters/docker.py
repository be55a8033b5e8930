"""Sandboxes on this machine's container engine. Lives in the sandbox service only."""

import asyncio
import contextlib
import hashlib
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from docker.types import Mount

from diono.kernel.errors import InvalidInput
from diono.kernel.ids import new_id
from diono.sandbox.adapters import installer
from diono.sandbox.adapters.docker_sandbox import DockerSandbox, Lifeline
from diono.sandbox.adapters.engine import Engine
from diono.sandbox.adapters.guest_client import GuestLost
from diono.sandbox.adapters.ledger import Ledger, LedgerRow, instance_id
from diono.sandbox.adapters.legacy import LegacySandboxes
from diono.sandbox.adapters.machines import Machines, MachineSpec
from diono.sandbox.adapters.volumes import Volumes
from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import EngineMissing, SandboxBusy, SandboxGone
from diono.sandbox.image import image_tag
from diono.sandbox.port import EngineHealth, ExecResult, SandboxSpec

TEMPLATES = ("base",)
_NAME_LIMIT = 200


@dataclass(frozen=True)
class _Ground:
    """What every sandbox stands on, once the engine has been reached."""

    volumes: Volumes
    machines: Machines
    ledger: Ledger


@dataclass
class _Live:
    sandbox: DockerSandbox
    row: LedgerRow
    mount: Mount
    timer: asyncio.TimerHandle | None = None
    ending: asyncio.Task[None] | None = None


def workspace_key(owner: str, project: str) -> str:
    """Return the name that files and volumes of a project carry: a hash, so nobody chooses it."""
    return hashlib.sha256(f"{len(owner)}:{owner}:{project}".encode()).hexdigest()[:32]


def _check(spec: SandboxSpec) -> None:
    if not (0 < len(spec.owner) <= _NAME_LIMIT and 0 < len(spec.project) <= _NAME_LIMIT):
        raise InvalidInput(f"owner and project have 1 to {_NAME_LIMIT} characters")
    if spec.template not in TEMPLATES:
        raise InvalidInput(f"there is no template {spec.template!r}; use one of {TEMPLATES}")


def _check_device(expected: int | None, seen: int) -> None:
    if expected is not None and seen != expected:
        raise EngineMissing(
            "the sandbox does not see its own workspace (is the service in another mount "
            "namespace than the engine?); set the quota mode to 'volume'"
        )


class DockerSandboxes(LegacySandboxes):
    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._engine = Engine(config.docker_host)
        self._ground: _Ground | None = None
        self._ground_lock = asyncio.Lock()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._live: dict[str, _Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def _prepared(self) -> _Ground:
        """Reach the engine and, the first time, take away what an earlier process left behind."""
        async with self._ground_lock:
            if self._ground is None:
                state = self._config.state_dir
                state.mkdir(mode=0o700, parents=True, exist_ok=True)
                instance = instance_id(state)
                for name in await self._engine.names_of(instance):
                    await self._engine.remove(name)
                volumes = await asyncio.to_thread(Volumes, state, self._config.quota)
                ledger = Ledger(state / "ledger.json")
                ledger.clear()
                machines = Machines(self._engine, volumes, self._config, instance)
                self._ground = _Ground(volumes, machines, ledger)
            return self._ground

    async def open(self, spec: SandboxSpec) -> DockerSandbox:
        _check(spec)
        ground = await self._prepared()
        key = workspace_key(spec.owner, spec.project)
        async with self._locks[key]:
            live = self._live.get(key)
            if live is not None:
                if await self._is_alive(live):
                    self._set_deadline(key, live, spec.max_age_seconds)
                    return live.sandbox
                await self._end(key, live)
            return await self._start(ground, key, spec)

    async def _is_alive(self, live: _Live) -> bool:
        if live.ending is not None:
            return False
        try:
            await live.sandbox.pulse()
        except SandboxBusy:
            return True
        except (GuestLost, SandboxGone):
            return False
        return True

    async def _start(self, ground: _Ground, key: str, spec: SandboxSpec) -> DockerSandbox:
        sandbox_id = new_id("sbx")
        volume = f"diono-{key}"
        row = LedgerRow(
            sandbox_id=sandbox_id,
            owner=spec.owner,
            project=spec.project,
            container=ground.machines.container_name(sandbox_id),
            workspace=key,
            ends_at=time.time() + spec.max_age_seconds,
        )
        ground.ledger.add(row)
        try:
            mount, device = await asyncio.to_thread(
                ground.volumes.attach, key, volume, spec.limits.disk_mb
            )
            labels = {
                "diono.owner": spec.owner,
                "diono.project": spec.project,
                "diono.deadline": str(int(row.ends_at)),
            }
            machine = MachineSpec(sandbox_id, mount, spec.limits, labels)
            directory = await ground.machines.start(machine)
            live = _Live(DockerSandbox(sandbox_id, directory, self._lifeline(key)), row, mount)
            self._live[key] = live
            _check_device(device, (await live.sandbox.pulse()).device)
        except BaseException:
            with contextlib.suppress(EngineMissing):
                await asyncio.shield(self._clear(ground, key, sandbox_id))
            raise
        self._set_deadline(key, live, spec.max_age_seconds)
        return live.sandbox

    def _lifeline(self, key: str) -> Lifeline:
        async def end() -> None:
            live = self._live.get(key)
            if live is not None:
                await self._end_quietly(key, live)

        async def was_out_of_memory() -> bool:
            live = self._live.get(key)
            ground = await self._prepared()
            return live is not None and await ground.machines.was_out_of_memory(live.row.sandbox_id)

        async def install(packages: Sequence[str], timeout_seconds: float) -> ExecResult:
            live = self._live.get(key)
            if live is None:
                raise SandboxGone("the sandbox ended; open it again")
            ground = await self._prepared()
            return await installer.install(
                ground.machines, self._config, live.mount, packages, timeout_seconds
            )

        return Lifeline(end, was_out_of_memory, install)

    def _set_deadline(self, key: str, live: _Live, seconds: int) -> None:
        """Opening again gives more time, never less."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if live.timer is not None:
            at = max(at, live.timer.when())
            live.timer.cancel()
        live.timer = loop.call_at(at, self._on_deadline, key, live)

    def _on_deadline(self, key: str, live: _Live) -> None:
        task = asyncio.create_task(self._end_quietly(key, live))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, key: str, live: _Live) -> None:
        live.sandbox.mark_over()
        if live.timer is not None:
            live.timer.cancel()
        ground = await self._prepared()
        if live.ending is None or (live.ending.done() and live.ending.exception()):
            live.ending = asyncio.create_task(self._clear(ground, key, live.row.sandbox_id))
        await asyncio.shield(live.ending)

    async def _end_quietly(self, key: str, live: _Live) -> None:
        """An engine that is away cannot end anything now; the next open or start does."""
        with contextlib.suppress(EngineMissing):
            await self._end(key, live)

    async def _clear(self, ground: _Ground, key: str, sandbox_id: str) -> None:
        await ground.machines.stop(sandbox_id)
        live = self._live.get(key)
        if live is None or live.row.sandbox_id == sandbox_id:
            await asyncio.to_thread(ground.volumes.detach, key)
            self._live.pop(key, None)
        ground.ledger.remove(sandbox_id)

    async def find(self, owner: str, project: str) -> DockerSandbox | None:
        live = self._live.get(workspace_key(owner, project))
        return None if live is None else live.sandbox

    async def kill(self, owner: str, project: str) -> None:
        key = workspace_key(owner, project)
        async with self._locks[key]:
            live = self._live.get(key)
            if live is not None:
                await self._end(key, live)

    async def delete_workspace(self, owner: str, project: str) -> None:
        key = workspace_key(owner, project)
        ground = await self._prepared()
        async with self._locks[key]:
            live = self._live.get(key)
            if live is not None:
                await self._end(key, live)
            await asyncio.to_thread(ground.volumes.delete, key)
            if not ground.volumes.is_loop:
                await self._engine.drop_volume(f"diono-{key}")

    async def health(self) -> EngineHealth:
        try:
            ground = await self._prepared()
            facts = await self._engine.facts()
            has_image = await self._engine.has_image(image_tag(self._config))
        except EngineMissing as error:
            return EngineHealth(is_ready=False, problem=error.detail)
        problem = ""
        if not has_image:
            problem = f"the image {image_tag(self._config)} is missing; run: ./diono doctor"
        if self._config.runtime not in facts.runtimes:
            problem = f"the engine has no runtime {self._config.runtime!r}; install or change it"
        return EngineHealth(
            is_ready=not problem,
            engine=facts.engine,
            runtime=facts.runtime if self._config.runtime == "runc" else self._config.runtime,
            quota_mode=ground.volumes.mode,
            templates=TEMPLATES if has_image else (),
            problem=problem,
        )

    async def close(self) -> None:
        """End every sandbox; workspaces stay."""
        with contextlib.suppress(EngineMissing):
            ends = [self._end(key, live) for key, live in list(self._live.items())]
            await asyncio.gather(*ends)
        await self._engine.close()
