"""Sandboxes of any server that speaks the E2B wire: our own service on this machine (by its unix
socket) or on another (by URL), or somebody else's."""

import base64
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from diono.sandbox.client import Parts
from diono.sandbox.client_cache import SandboxCache, SandboxRef, workspace_name
from diono.sandbox.client_control import Control
from diono.sandbox.client_exec import Commands
from diono.sandbox.client_foreign import ForeignServices, prepare_root
from diono.sandbox.client_http import Channel
from diono.sandbox.client_relay import RelayFar, open_websocket
from diono.sandbox.client_services import GuestServices
from diono.sandbox.client_sessions import Found, WireSandboxes
from diono.sandbox.client_tunnel import Far, Tunnels
from diono.sandbox.config import REGISTRIES, RemoteServer
from diono.sandbox.fleet import ENVD_PORT, Streams
from diono.sandbox.installs.orders import FetchOrder, FetchResult
from diono.sandbox.port import EngineHealth, NetworkPolicy, SandboxSpec
from diono.sandbox.sockets import short_path

_UNIX_URL = "http://sandboxd"
_POOL = httpx.Limits(max_connections=200, max_keepalive_connections=40, keepalive_expiry=30)


class _Nobody:
    """Keeps nothing: what looks after services ends by itself."""

    async def end(self) -> None: ...


class RemoteBackend:
    def __init__(self, server: RemoteServer) -> None:
        self._server = server
        self._tunnels = Tunnels()
        self._names = ExitStack()
        self._socket: Path | None = None
        if server.url.startswith("/"):
            name = self._names.enter_context(short_path(Path(server.url)))
            self._socket = Path(name)
            self._url = _UNIX_URL
            self._transport = httpx.AsyncHTTPTransport(uds=name, limits=_POOL)
        else:
            self._url = server.url.rstrip("/")
            self._transport = httpx.AsyncHTTPTransport(limits=_POOL)
        self.control = Control(self._transport, self._url, server.api_key)
        self.control.assume(server.is_diono)
        self._is_diono = server.is_diono is not False

    async def create(self, spec: SandboxSpec, seconds: int) -> SandboxRef:
        self._is_diono = await self.control.is_diono()
        ref = await self.control.create(spec, seconds)
        if not self._is_diono:
            await self._prepare(ref)
        return ref

    async def _prepare(self, ref: SandboxRef) -> None:
        root = base64.b64encode(b"root:").decode("ascii")
        channel = self._channel(ref, {"Authorization": f"Basic {root}"})
        await prepare_root(channel)

    async def find(self, owner: str, project: str) -> Found | None:
        listed = await self.control.list(owner, project)
        return Found(*listed[0]) if listed else None

    async def connect(self, owner: str, sandbox_id: str, seconds: int) -> SandboxRef:
        self._is_diono = await self.control.is_diono()
        return await self.control.connect(owner, sandbox_id, seconds)

    async def kill(self, owner: str, sandbox_id: str) -> None:
        await self.control.kill(owner, sandbox_id)

    async def release(self, owner: str, sandbox_id: str) -> None:
        if await self.control.is_diono():
            await self.control.kill(owner, sandbox_id)
        else:
            await self.control.pause(owner, sandbox_id)

    async def pause(self, owner: str, sandbox_id: str) -> bool:
        return await self.control.pause(owner, sandbox_id)

    async def delete_workspace(self, owner: str, project: str) -> None:
        if await self.control.is_diono():
            await self.control.delete_volume(owner, workspace_name(owner, project))
            return
        for sandbox_id, _ in await self.control.list(owner, project):
            await self.control.kill(owner, sandbox_id)

    async def set_network(self, owner: str, sandbox_id: str, policy: NetworkPolicy) -> None:
        await self.control.set_network(owner, sandbox_id, policy)

    async def fetch(self, owner: str, order: FetchOrder) -> FetchResult | None:
        return await self.control.fetch(owner, order)

    def _channel(self, ref: SandboxRef, extra: dict[str, str]) -> Channel:
        server = self._server
        headers = {"X-Access-Token": ref.access_token, **extra}
        domain = server.domain or ref.domain
        if server.sandbox_url or self._is_diono or not domain:
            headers |= {"E2b-Sandbox-Id": ref.sandbox_id, "E2b-Sandbox-Port": str(ENVD_PORT)}
            return Channel(self._transport, server.sandbox_url or self._url, headers)
        scheme = urlsplit(self._url).scheme or "https"
        url = f"{scheme}://{ENVD_PORT}-{ref.sandbox_id}.{domain}"
        return Channel(self._transport, url, headers)

    def parts(self, ref: SandboxRef) -> Parts:
        if self._is_diono:
            channel = self._channel(ref, {})
            return Parts(channel, GuestServices(channel), is_diono=True)
        user = base64.b64encode(b"user:").decode("ascii")
        channel = self._channel(ref, {"Authorization": f"Basic {user}"})
        commands = Commands(channel, False, _Nobody())
        return Parts(channel, ForeignServices(commands.run), is_diono=False)

    async def dial(self, ref: SandboxRef, port: int) -> Streams:
        channel = self.parts(ref).channel

        async def open_far() -> Far:
            if self._is_diono:
                return await open_websocket(self._url, self._socket, port, channel.headers)
            return await RelayFar(channel, port).open()

        return await self._tunnels.join(open_far)

    async def health(self) -> EngineHealth:
        return await self.control.health()

    async def close(self) -> None:
        await self._tunnels.close()
        await self._transport.aclose()
        self._names.close()


class RemoteSandboxes(WireSandboxes):
    """Closing it ends nothing: the server's sandboxes go on for other callers."""

    def __init__(
        self,
        server: RemoteServer,
        cache: SandboxCache | None = None,
        registries: Sequence[str] = REGISTRIES,
    ) -> None:
        backend = RemoteBackend(server)
        super().__init__(backend, cache, registries)
        self.control = backend.control
