"""The fleet: every sandbox of one engine, and what may be done with it. The sandbox service's
inner port: the E2B-wire server and the in-process adapter stand on it, ``engine`` implements it.

A *sandbox* here is what the E2B wire calls one: an id, a template, an owner, a life with a
deadline. States: running, paused (frozen in memory, or stopped with its disk kept). Its guest
answers HTTP (envd and the code interpreter on one socket) through ``dial``.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from diono.sandbox.port import EngineHealth, Limits, NetworkPolicy

ENVD_PORT = 49983
INTERPRETER_PORT = 49999
GUEST_PORTS = frozenset({ENVD_PORT, INTERPRETER_PORT})
ENVD_VERSION = "0.6.4"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class SandboxState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"


class PauseDepth(StrEnum):
    """How far down the ladder a paused sandbox is; each step costs less and wakes slower."""

    FROZEN = "frozen"
    STOPPED = "stopped"
    ARCHIVED = "archived"


class VolumeMount(_Frozen):
    """A named volume of the owner, kept when the sandbox ends. One sandbox at a time."""

    name: str = Field(min_length=1, max_length=200)
    path: str = "/work"


class Lifetime(_Frozen):
    """Seconds. ``timeout`` runs from the last create, connect or set_timeout. ``idle`` ends
    (or pauses) a sandbox nobody has spoken to; ``max_age`` ends it whatever happens."""

    timeout: float = Field(default=300, gt=0)
    idle: float | None = Field(default=None, gt=0)
    max_age: float | None = Field(default=None, gt=0)
    is_paused_at_end: bool = False
    keeps_memory: bool = True
    wakes_on_traffic: bool = False


class CreateRequest(_Frozen):
    template: str = "base"
    owner: str = Field(min_length=1, max_length=200)
    metadata: Mapping[str, str] = Field(default_factory=dict)
    env: Mapping[str, str] = Field(default_factory=dict)
    lifetime: Lifetime = Lifetime()
    limits: Limits | None = Field(default=None, description="None: the template's.")
    runtime: str = Field(default="", description="Isolation tier; empty: the template's.")
    network: NetworkPolicy = NetworkPolicy()
    volume: VolumeMount | None = Field(
        default=None, description="The workspace at /work; None: a disk that ends with the sandbox."
    )
    idempotency_key: str = ""


class SandboxInfo(_Frozen):
    sandbox_id: str
    owner: str
    template_id: str
    template_name: str
    metadata: Mapping[str, str]
    state: SandboxState
    pause_depth: PauseDepth | None
    started_at: datetime
    ends_at: datetime
    limits: Limits
    lifetime: Lifetime
    network: NetworkPolicy
    volume: VolumeMount | None
    access_token: str = Field(description="envd's; whoever has it may do all inside.")
    traffic_token: str = Field(description="Opens the sandbox's other ports.")


class Metrics(_Frozen):
    """One sample. Bytes; ``cpu_used_percent`` is of all the CPUs the sandbox may use."""

    at: datetime
    cpu_count: float
    cpu_used_percent: float
    memory_used: int
    memory_total: int
    memory_cache: int
    disk_used: int
    disk_total: int


class SnapshotInfo(_Frozen):
    """A frozen copy of a sandbox's disk, usable as a template."""

    snapshot_id: str
    names: tuple[str, ...]
    owner: str
    template_id: str
    created_at: datetime


class Template(_Frozen):
    """What a sandbox starts from. ``image`` is an engine reference made by us, never a caller's."""

    template_id: str
    names: tuple[str, ...]
    image: str
    owner: str = Field(default="", description="Empty: everybody's.")
    limits: Limits = Limits()
    start_command: str = ""
    ready_command: str = ""
    preimports: tuple[str, ...] = Field(
        default=(), description="Python modules the interpreter loads before it is claimed."
    )
    snapshot_of: str = ""
    pool_size: int = Field(default=0, ge=0)
    runtime: str = Field(default="", description="Isolation tier; empty: the service's own.")


class Templates(Protocol):
    """Which templates exist. Errors: TemplateMissing."""

    async def find(self, name_or_id: str, owner: str) -> Template:
        """Return the template that ``owner`` may use under this name or id."""
        ...

    async def ready(self) -> Sequence[Template]:
        """Return the templates whose image is on this machine (pools are kept for these)."""
        ...


class Egress(Protocol):
    """The proxy that is a sandbox's only way out. One unix socket per machine."""

    async def open(self, machine_id: str, socket_path: str) -> None:
        """Listen on ``socket_path`` (in a folder mounted read-only); refuse all until a policy."""
        ...

    def set_policy(self, machine_id: str, policy: NetworkPolicy) -> None: ...

    async def close(self, machine_id: str) -> None: ...


class Fleet(Protocol):
    """Errors: SandboxMissing, SandboxPaused, QuotaReached (with retry_after_seconds),
    TemplateMissing, VolumeBusy, EngineMissing, StorageFull, InvalidInput (errors.py).

    Every method that names a sandbox takes it of any owner: the caller has checked the key.
    """

    async def create(self, request: CreateRequest) -> SandboxInfo:
        """Claim a warm machine or start one; queue fairly by owner when the house is full.

        The same idempotency key of the same owner gives the same sandbox.
        """
        ...

    async def info(self, sandbox_id: str) -> SandboxInfo: ...

    async def list(self, owner: str | None = None) -> Sequence[SandboxInfo]:
        """Return running and paused sandboxes, newest first; None: of everybody."""
        ...

    async def kill(self, sandbox_id: str) -> bool:
        """End it and its own disk (a named volume stays). False if there is none."""
        ...

    async def set_timeout(self, sandbox_id: str, seconds: float) -> None: ...

    async def connect(self, sandbox_id: str, timeout: float) -> tuple[SandboxInfo, bool]:
        """Wake if paused; never shortens the life. The flag says whether it was woken."""
        ...

    async def pause(self, sandbox_id: str, keeps_memory: bool = True) -> bool:
        """False if it is paused already."""
        ...

    async def dial(self, sandbox_id: str, port: int) -> Streams:
        """Open a byte stream to a port: GUEST_PORTS speak HTTP with the guest, others reach the
        sandbox's loopback. Wakes a paused sandbox whose lifetime says so, else SandboxPaused.
        Raises PortClosed. Counts as activity."""
        ...

    async def metrics(
        self, sandbox_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[Metrics]: ...

    async def set_network(self, sandbox_id: str, policy: NetworkPolicy) -> None: ...

    async def snapshot(self, sandbox_id: str, name: str = "") -> SnapshotInfo: ...

    async def snapshots(self, owner: str, sandbox_id: str = "") -> Sequence[SnapshotInfo]: ...

    async def delete_snapshot(self, snapshot_id: str, owner: str) -> bool: ...

    async def fork(
        self, sandbox_id: str, count: int, timeout: float
    ) -> Sequence[SandboxInfo | Exception]: ...

    async def volumes(self, owner: str) -> Sequence[str]: ...

    async def delete_volume(self, owner: str, name: str) -> bool:
        """VolumeBusy while a sandbox uses it."""
        ...

    async def health(self) -> EngineHealth: ...

    async def close(self) -> None:
        """End what runs; paused sandboxes and volumes stay on disk."""
        ...
