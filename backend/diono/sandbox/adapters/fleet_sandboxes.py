"""Sandboxes of a fleet in this very process: the wire without a network between."""

from collections.abc import Sequence
from typing import Protocol

from diono.sandbox.client import Parts
from diono.sandbox.client_cache import SandboxRef, workspace_name
from diono.sandbox.client_http import Channel
from diono.sandbox.client_services import GuestServices
from diono.sandbox.client_sessions import Found, WireSandboxes
from diono.sandbox.config import REGISTRIES
from diono.sandbox.fleet import (
    ENVD_PORT,
    CreateRequest,
    Fleet,
    Lifetime,
    SandboxInfo,
    SandboxState,
    Streams,
    VolumeMount,
)
from diono.sandbox.installs.orders import FetchOrder, FetchResult
from diono.sandbox.port import EngineHealth, NetworkPolicy, SandboxSpec
from diono.sandbox.transport import fleet_transport


def lifetime_of(spec: SandboxSpec, seconds: int) -> Lifetime:
    age = None if spec.is_kept else float(spec.max_age_seconds)
    return Lifetime(timeout=seconds, idle=spec.idle_seconds, max_age=age)


class Packages(Protocol):
    """Fetches packages into the folder that all sandboxes share."""

    async def fetch(self, order: FetchOrder) -> FetchResult: ...


class FleetBackend:
    def __init__(self, fleet: Fleet, packages: Packages | None) -> None:
        self._fleet = fleet
        self._packages = packages
        self._transport = fleet_transport(fleet)

    async def create(self, spec: SandboxSpec, seconds: int) -> SandboxRef:
        return _ref(
            await self._fleet.create(
                CreateRequest(
                    template=spec.template,
                    owner=spec.owner,
                    metadata={"owner": spec.owner, "project": spec.project},
                    env=spec.env,
                    lifetime=lifetime_of(spec, seconds),
                    limits=spec.limits,
                    network=spec.network,
                    volume=None
                    if spec.is_disposable
                    else VolumeMount(name=workspace_name(spec.owner, spec.project)),
                )
            )
        )

    async def find(self, owner: str, project: str) -> Found | None:
        for info in await self._fleet.list(owner):
            if info.metadata.get("project") == project:
                return Found(info.sandbox_id, info.state is SandboxState.RUNNING)
        return None

    async def connect(self, owner: str, sandbox_id: str, seconds: int) -> SandboxRef:
        info, _ = await self._fleet.connect(sandbox_id, seconds)
        return _ref(info)

    async def kill(self, owner: str, sandbox_id: str) -> None:
        await self._fleet.kill(sandbox_id)

    async def release(self, owner: str, sandbox_id: str) -> None:
        await self._fleet.kill(sandbox_id)

    async def pause(self, owner: str, sandbox_id: str) -> bool:
        return await self._fleet.pause(sandbox_id)

    async def delete_workspace(self, owner: str, project: str) -> None:
        await self._fleet.delete_volume(owner, workspace_name(owner, project))

    async def set_network(self, owner: str, sandbox_id: str, policy: NetworkPolicy) -> None:
        await self._fleet.set_network(sandbox_id, policy)

    async def fetch(self, owner: str, order: FetchOrder) -> FetchResult | None:
        return None if self._packages is None else await self._packages.fetch(order)

    def parts(self, ref: SandboxRef) -> Parts:
        headers = {"X-Access-Token": ref.access_token}
        channel = Channel(self._transport, f"http://{ref.sandbox_id}:{ENVD_PORT}", headers)
        return Parts(channel, GuestServices(channel), is_diono=True)

    async def dial(self, ref: SandboxRef, port: int) -> Streams:
        return await self._fleet.dial(ref.sandbox_id, port)

    async def health(self) -> EngineHealth:
        return await self._fleet.health()

    async def close(self) -> None:
        await self._transport.aclose()


def _ref(info: SandboxInfo) -> SandboxRef:
    return SandboxRef(
        sandbox_id=info.sandbox_id,
        access_token=info.access_token,
        traffic_token=info.traffic_token,
    )


class FleetSandboxes(WireSandboxes):
    """Closing it ends nothing: the fleet belongs to whoever made it."""

    def __init__(
        self,
        fleet: Fleet,
        packages: Packages | None = None,
        registries: Sequence[str] = REGISTRIES,
    ) -> None:
        super().__init__(FleetBackend(fleet, packages), registries=registries)
