"""What is known of a sandbox, on disk before it exists, so that a crash leaves no orphan."""

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from diono.sandbox.engine.disks import Disk
from diono.sandbox.fleet import (
    Lifetime,
    NetworkPolicy,
    PauseDepth,
    SandboxInfo,
    SandboxState,
    SnapshotInfo,
    Template,
    VolumeMount,
)
from diono.sandbox.port import Limits

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 20


class Stage(StrEnum):
    """Where on the ladder a sandbox is. ``ending`` rows are finished by whoever finds them."""

    STARTING = "starting"
    RUNNING = "running"
    FROZEN = "frozen"
    STOPPED = "stopped"
    ARCHIVED = "archived"
    ENDING = "ending"


_DEPTHS = {
    Stage.FROZEN: PauseDepth.FROZEN,
    Stage.STOPPED: PauseDepth.STOPPED,
    Stage.ARCHIVED: PauseDepth.ARCHIVED,
}
PAUSED_STAGES = frozenset(_DEPTHS)


def new_name() -> str:
    """Return an id that is also a host name's label: 100 random bits, small letters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


def new_token() -> str:
    return secrets.token_hex(32)


def boot_id() -> str:
    """Return the name of this run of the kernel: the clock of deadlines counts within it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class Row(BaseModel):
    """Times named ``_at`` are of the machine's monotonic clock, valid within ``boot``."""

    model_config = ConfigDict(frozen=True)

    sandbox_id: str
    owner: str
    template: Template
    metadata: Mapping[str, str]
    env: Mapping[str, str]
    lifetime: Lifetime
    limits: Limits
    network: NetworkPolicy
    volume: VolumeMount | None
    disk: Disk
    idempotency_key: str = ""
    access_token: str = Field(default_factory=new_token)
    traffic_token: str = Field(default_factory=new_token)
    started: datetime = Field(default_factory=lambda: datetime.now(UTC))
    stage: Stage = Stage.STARTING
    machine_id: str = ""
    boot: str = ""
    ends_at: float = 0
    oldest_at: float | None = None
    paused: datetime | None = None

    @property
    def is_running(self) -> bool:
        return self.stage is Stage.RUNNING

    def info(self) -> SandboxInfo:
        now = datetime.now(UTC)
        if self.is_running:
            ends = now + timedelta(seconds=max(0.0, self.ends_at - time.monotonic()))
        else:
            ends = self.paused or now
        return SandboxInfo(
            sandbox_id=self.sandbox_id,
            owner=self.owner,
            template_id=self.template.template_id,
            template_name=self.template.names[0] if self.template.names else "",
            metadata=self.metadata,
            state=SandboxState.PAUSED if self.stage in PAUSED_STAGES else SandboxState.RUNNING,
            pause_depth=_DEPTHS.get(self.stage),
            started_at=self.started,
            ends_at=ends,
            limits=self.limits,
            lifetime=self.lifetime,
            network=self.network,
            volume=self.volume,
            access_token=self.access_token,
            traffic_token=self.traffic_token,
        )


class SnapshotRow(BaseModel):
    """A snapshot is a disk and the template it grew on: the rest of a machine is read-only."""

    model_config = ConfigDict(frozen=True)

    snapshot_id: str
    name: str
    owner: str
    sandbox_id: str
    template: Template
    disk: Disk
    size_mb: int
    created: datetime

    def info(self) -> SnapshotInfo:
        return SnapshotInfo(
            snapshot_id=self.snapshot_id,
            names=(self.name,) if self.name else (),
            owner=self.owner,
            template_id=self.template.template_id,
            created_at=self.created,
        )

    def as_template(self) -> Template:
        limits = self.template.limits.model_copy(update={"disk_mb": self.size_mb})
        return self.template.model_copy(
            update={
                "template_id": self.snapshot_id,
                "names": (self.name,) if self.name else (self.snapshot_id,),
                "owner": self.owner,
                "limits": limits,
                "snapshot_of": self.template.template_id,
                "pool_size": 0,
            }
        )
