"""Bodies of the control plane's requests, as the SDKs send them. Unknown fields of the wire are
ignored, for newer SDKs' sake."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from diono.kernel.errors import InvalidInput
from diono.sandbox.egress.policy import policy_of
from diono.sandbox.fleet import CreateRequest, Lifetime, NetworkPolicy, VolumeMount
from diono.sandbox.port import Limits

_LONGEST_SECONDS = 86_400
_LONGEST_LIFE_SECONDS = 365 * 86_400
_METADATA_LIMIT = 64
_ENV_LIMIT = 256
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORKSPACE_PATHS = frozenset({"/work", "/home/user"})
VOLUME_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
ALL_ADDRESSES = frozenset({"0.0.0.0/0", "::/0"})


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class _Transform(_Body):
    headers: Mapping[str, str] = Field(default_factory=dict[str, str], max_length=32)


class _Rule(_Body):
    transform: _Transform = Field(default_factory=_Transform)


class NetworkBody(_Body):
    """``rules`` put headers into requests by host; nothing is opened by them."""

    allow_public_traffic: bool | None = None
    allow_out: list[str] = Field(default_factory=list[str], max_length=256)
    deny_out: list[str] = Field(default_factory=list[str], max_length=256)
    rules: Mapping[str, list[_Rule]] | None = Field(default=None, max_length=64)
    egress_proxy: Mapping[str, Any] | None = None
    allow_internet_access: bool | None = Field(default=None, alias="allow_internet_access")

    def policy(self, is_open: bool | None, is_public: bool) -> NetworkPolicy:
        policy_of(is_open, self.model_dump(by_alias=True))  # raises for what cannot be enforced
        headers = {
            host.lower(): {
                name: text for rule in rules for name, text in rule.transform.headers.items()
            }
            for host, rules in (self.rules or {}).items()
        }
        return NetworkPolicy(
            is_open=bool(is_open) or bool(ALL_ADDRESSES & set(self.allow_out)),
            allow_out=tuple(self.allow_out),
            deny_out=tuple(self.deny_out),
            headers=headers,
            takes_public_traffic=is_public,
        )


class _AutoResume(_Body):
    enabled: bool = False


class _VolumeMount(_Body):
    name: str = Field(pattern=VOLUME_NAME)
    path: str = "/work"


class _Ours(_Body):
    """A part of the body that is ours alone: a word that we do not know is a mistake."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Limits(_Ours):
    cpus: float | None = None
    memory_mb: int | None = Field(default=None, alias="memoryMB")
    pids: int | None = None
    disk_mb: int | None = Field(default=None, alias="diskMB")

    def over(self, limits: Limits) -> Limits:
        """Raises InvalidInput for a limit outside its bounds."""
        changes = self.model_dump(exclude_none=True)
        try:
            return Limits(**{**limits.model_dump(), **changes})
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidInput(f"limits.{first['loc'][0]}: {first['msg']}") from error


class Extension(_Ours):
    """Ours, under ``diono``: what the wire has no word for. ``owner`` and ``runtime`` are for
    admins only."""

    owner: str = Field(default="", max_length=200)
    runtime: str = Field(default="", max_length=64)
    limits: _Limits | None = None
    idle: float | None = Field(default=None, gt=0, le=_LONGEST_SECONDS)
    max_age: float | None = Field(default=None, gt=0, le=_LONGEST_LIFE_SECONDS)
    wakes_on_traffic: bool | None = None


def _environment(values: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in values.items():
        if not _VARIABLE.fullmatch(name) or "\x00" in value:
            raise ValueError(f"{name[:40]!r} is no variable that a process can have")
    return values


class CreateBody(_Body):
    template_id: str = Field(default="base", alias="templateID", min_length=1, max_length=200)
    timeout: int = Field(default=300, ge=0, le=_LONGEST_SECONDS)
    metadata: Mapping[str, str] | None = Field(default=None, max_length=_METADATA_LIMIT)
    env_vars: Annotated[Mapping[str, str], AfterValidator(_environment)] | None = Field(
        default=None, max_length=_ENV_LIMIT
    )
    auto_pause: bool = False
    auto_pause_memory: bool = True
    auto_resume: _AutoResume | None = None
    allow_internet_access: bool | None = Field(default=None, alias="allow_internet_access")
    network: NetworkBody | None = None
    volume_mounts: list[_VolumeMount] | None = None
    mcp: Mapping[str, Any] | None = None
    iam: Mapping[str, Any] | None = None
    diono: Extension = Field(default_factory=Extension)

    def to_request(self, owner: str, idempotency_key: str, limits: Limits) -> CreateRequest:
        """Raises InvalidInput for what we cannot do: better than doing something else."""
        if self.mcp or self.iam:
            raise InvalidInput("MCP gateways and workload identities are not built")
        network = self.network or NetworkBody()
        is_public = network.allow_public_traffic is True
        return CreateRequest(
            template=self.template_id,
            owner=owner,
            metadata=self.metadata or {},
            env=self.env_vars or {},
            lifetime=self._lifetime(),
            limits=self.diono.limits.over(limits) if self.diono.limits else None,
            network=network.policy(self.allow_internet_access, is_public),
            volume=self._volume(),
            runtime=self.diono.runtime,
            idempotency_key=idempotency_key,
        )

    def _lifetime(self) -> Lifetime:
        wakes = self.diono.wakes_on_traffic
        if wakes is None:
            wakes = self.auto_resume is not None and self.auto_resume.enabled
        if wakes and self.auto_pause and not self.auto_pause_memory:
            raise InvalidInput("autoResume needs a pause that keeps the memory")
        return Lifetime(
            timeout=max(1, self.timeout),
            idle=self.diono.idle,
            max_age=self.diono.max_age,
            is_paused_at_end=self.auto_pause,
            keeps_memory=self.auto_pause_memory,
            wakes_on_traffic=wakes,
        )

    def _volume(self) -> VolumeMount | None:
        mounts = self.volume_mounts or []
        if len(mounts) > 1:
            raise InvalidInput("a sandbox takes one volume; mount the others in other sandboxes")
        if not mounts:
            return None
        if mounts[0].path.rstrip("/") not in _WORKSPACE_PATHS:
            raise InvalidInput("a volume is mounted at /home/user: it becomes the workspace")
        return VolumeMount(name=mounts[0].name, path=mounts[0].path)


class TimeoutBody(_Body):
    timeout: int = Field(ge=0, le=_LONGEST_SECONDS)


class ConnectBody(_Body):
    timeout: int = Field(default=300, ge=0, le=_LONGEST_SECONDS)
    memory: bool = True


class RefreshBody(_Body):
    duration: int = Field(default=15, ge=0, le=_LONGEST_SECONDS)


class PauseBody(_Body):
    memory: bool = True


class SnapshotBody(_Body):
    name: str = Field(default="", max_length=128)


class ForkBody(_Body):
    timeout: int = Field(default=300, ge=0, le=_LONGEST_SECONDS)
    count: int = Field(default=1, ge=1, le=20)


class VolumeBody(_Body):
    name: str = Field(pattern=VOLUME_NAME)
