"""The container engine's own HTTP interface, over its socket: no threads, every call bounded."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from diono.sandbox.errors import EngineMissing, StorageFull

DEFAULT_SOCKET = "/var/run/docker.sock"
_WAY_OUT = "start it (for example: systemctl start docker) and run: ./diono doctor"
_CALL_SECONDS = 30.0
_LOOK_SECONDS = 10.0
_DETAIL_LIMIT = 300
_FULL = "no space left on device"


class EngineRefused(EngineMissing):
    """The engine is there and said no."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


class ContainerMissing(EngineRefused):
    """The engine knows no such container (or image)."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class _State(_Part):
    pid: int = Field(default=0, alias="Pid")
    is_running: bool = Field(default=False, alias="Running")
    is_paused: bool = Field(default=False, alias="Paused")
    is_out_of_memory: bool = Field(default=False, alias="OOMKilled")
    exit_code: int = Field(default=0, alias="ExitCode")


class _Inspection(_Part):
    id: str = Field(alias="Id")
    state: _State = Field(alias="State")


class ContainerRow(_Part):
    """One line of the engine's list."""

    id: str = Field(alias="Id")
    names: tuple[str, ...] = Field(alias="Names")
    labels: dict[str, str] = Field(alias="Labels")
    state: str = Field(alias="State")


class _ImageConfig(_Part):
    volumes: dict[str, object] | None = Field(default=None, alias="Volumes")


class _Image(_Part):
    config: _ImageConfig | None = Field(default=None, alias="Config")


class _Component(_Part):
    name: str = Field(alias="Name")
    version: str = Field(alias="Version")


class _Version(_Part):
    version: str = Field(default="?", alias="Version")
    api: str = Field(default="?", alias="ApiVersion")
    components: tuple[_Component, ...] = Field(default=(), alias="Components")


class _Info(_Part):
    runtimes: dict[str, object] = Field(default_factory=dict, alias="Runtimes")


class _Created(_Part):
    id: str = Field(alias="Id")


Shape = TypeVar("Shape", bound=BaseModel)
_ROWS = TypeAdapter(list[ContainerRow])


@dataclass(frozen=True)
class Container:
    """A container as the engine sees it."""

    container_id: str
    pid: int
    is_running: bool
    is_paused: bool
    is_out_of_memory: bool
    exit_code: int


@dataclass(frozen=True)
class EngineFacts:
    engine: str
    runc: str
    runtimes: tuple[str, ...]


@dataclass(frozen=True)
class EngineEvent:
    """``action`` is ``oom`` or ``die``; ``labels`` are the container's."""

    action: str
    labels: Mapping[str, str]


def _transport(docker_host: str) -> tuple[httpx.AsyncHTTPTransport, str]:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=16)
    if docker_host.startswith(("tcp://", "http://")):
        address = docker_host.partition("://")[2]
        return httpx.AsyncHTTPTransport(limits=limits), f"http://{address}"
    path = docker_host.removeprefix("unix://") or DEFAULT_SOCKET
    return httpx.AsyncHTTPTransport(uds=path, limits=limits), "http://engine"


def _said(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])[:_DETAIL_LIMIT]
    except (ValueError, KeyError, TypeError):
        return response.text[:_DETAIL_LIMIT]


def _raise_for(response: httpx.Response) -> None:
    """Translate a refusal into our errors; nothing for a success (304 is one: already so)."""
    status = response.status_code
    if status < 400:
        return
    said = _said(response)
    if _FULL in said:
        raise StorageFull("this machine's disk is full; free some space")
    if status == 404:
        raise ContainerMissing(f"the container engine has no such thing: {said}", status)
    raise EngineRefused(f"the container engine refused: {said}", status)


class EngineApi:
    """Raises EngineMissing when the engine is away, hangs or refuses."""

    def __init__(self, docker_host: str) -> None:
        transport, base_url = _transport(docker_host)
        self._client = httpx.AsyncClient(transport=transport, base_url=base_url, trust_env=False)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        seconds: float = _CALL_SECONDS,
    ) -> httpx.Response:
        try:
            response = await self._client.request(
                method, path, params=query, json=body, timeout=seconds
            )
        except httpx.TimeoutException as error:
            raise EngineMissing(
                f"the container engine did not answer within {seconds:g} s; {_WAY_OUT}"
            ) from error
        except httpx.HTTPError as error:
            raise EngineMissing(f"no container engine answers ({error}); {_WAY_OUT}") from error
        _raise_for(response)
        return response

    async def create(self, name: str, body: Mapping[str, Any]) -> str:
        """Create a container and return its id."""
        reply = await self._call("POST", "/containers/create", query={"name": name}, body=body)
        return _parsed(_Created, reply).id

    async def start(self, name: str) -> None:
        await self._call("POST", f"/containers/{name}/start")

    async def remove(self, name: str) -> None:
        """Kill and remove; nothing to do if it is gone or going already."""
        try:
            await self._call("DELETE", f"/containers/{name}", query={"force": "1", "v": "1"})
        except EngineRefused as error:
            if error.status not in (404, 409):
                raise

    async def look(self, name: str) -> Container | None:
        """Return the container as it is; None if there is none of this name."""
        try:
            reply = await self._call("GET", f"/containers/{name}/json", seconds=_LOOK_SECONDS)
        except ContainerMissing:
            return None
        seen = _parsed(_Inspection, reply)
        state = seen.state
        return Container(
            seen.id,
            state.pid,
            state.is_running,
            state.is_paused,
            state.is_out_of_memory,
            state.exit_code,
        )

    async def set_paused(self, name: str, is_paused: bool) -> None:
        verb = "pause" if is_paused else "unpause"
        await self._call("POST", f"/containers/{name}/{verb}", seconds=_LOOK_SECONDS)

    async def update(self, name: str, resources: Mapping[str, int]) -> None:
        await self._call("POST", f"/containers/{name}/update", body=resources)

    async def list(self, label: str) -> list[ContainerRow]:
        """Return the containers, in any state, that carry ``label`` (KEY=VALUE)."""
        filters = json.dumps({"label": [label]})
        reply = await self._call("GET", "/containers/json", query={"all": "1", "filters": filters})
        try:
            return _ROWS.validate_json(reply.content)
        except ValidationError as error:
            raise EngineMissing("the container engine's list has an unknown shape") from error

    async def image_volumes(self, image: str) -> tuple[str, ...] | None:
        """Return the folders an image wants anonymous volumes for; None if it is not here."""
        try:
            reply = await self._call("GET", f"/images/{image}/json", seconds=_LOOK_SECONDS)
        except ContainerMissing:
            return None
        config = _parsed(_Image, reply).config
        return tuple((config.volumes if config else None) or ())

    async def drop_volume(self, name: str) -> None:
        try:
            await self._call("DELETE", f"/volumes/{name}", query={"force": "1"})
        except ContainerMissing:
            return

    async def facts(self) -> EngineFacts:
        version = _parsed(_Version, await self._call("GET", "/version", seconds=_LOOK_SECONDS))
        info = _parsed(_Info, await self._call("GET", "/info", seconds=_LOOK_SECONDS))
        parts = {part.name: part.version for part in version.components}
        return EngineFacts(
            f"Docker {version.version} (API {version.api})",
            f"runc {parts.get('runc', '?')}",
            tuple(info.runtimes),
        )

    @asynccontextmanager
    async def events(self, label: str) -> AsyncGenerator[AsyncGenerator[EngineEvent]]:
        """The ``oom`` and ``die`` events of containers with ``label``, until the engine goes."""
        filters = {"type": ["container"], "event": ["oom", "die"], "label": [label]}
        timeout = httpx.Timeout(_LOOK_SECONDS, read=None)
        query = {"filters": json.dumps(filters)}
        try:
            async with self._client.stream(
                "GET", "/events", params=query, timeout=timeout
            ) as stream:
                yield _events_of(stream)
        except httpx.HTTPError as error:
            raise EngineMissing(f"the container engine went away ({error})") from error

    async def close(self) -> None:
        await self._client.aclose()


class _Actor(_Part):
    attributes: dict[str, str] = Field(default_factory=dict, alias="Attributes")


class _Event(_Part):
    action: str = Field(default="", alias="Action")
    actor: _Actor = Field(default=_Actor(), alias="Actor")


async def _events_of(stream: httpx.Response) -> AsyncGenerator[EngineEvent]:
    async for line in stream.aiter_lines():
        if line:
            event = _Event.model_validate_json(line)
            yield EngineEvent(event.action, event.actor.attributes)


def _parsed(shape: type[Shape], reply: httpx.Response) -> Shape:
    try:
        return shape.model_validate_json(reply.content)
    except ValidationError as error:
        raise EngineMissing("the container engine's answer has an unknown shape") from error
