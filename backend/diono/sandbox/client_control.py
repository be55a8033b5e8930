"""The control plane of an E2B-wire server, as far as projects' sandboxes need it."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from diono.kernel.errors import Conflict, DionoError, NotFound, Unavailable
from diono.sandbox.client_cache import SandboxRef, workspace_name
from diono.sandbox.client_http import AWAY, Call, Channel, JsonObject
from diono.sandbox.errors import EngineMissing, FileMissing, SandboxGone, TemplateMissing
from diono.sandbox.extensions import (
    CREATE_FIELD,
    ERROR_CODE_HEADER,
    HEALTH_PATH,
    OWNER_HEADER,
    PACKAGES_PATH,
    TEMPLATES_PATH,
    VOLUMES_PATH,
)
from diono.sandbox.installs.orders import FetchOrder, FetchResult
from diono.sandbox.port import EngineHealth, NetworkPolicy, SandboxSpec
from diono.sandbox.template_states import TemplateState

_CREATE_SECONDS = 90.0
_PAUSE_SECONDS = 60.0
_FETCH_GRACE_SECONDS = 30.0
_STATES = TypeAdapter(tuple[TemplateState, ...])
_MISSING = "the sandbox was not found: it has ended"


class _Created(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    sandboxID: str = Field(min_length=1, max_length=200)  # noqa: N815 - the wire's name
    envdAccessToken: str | None = None  # noqa: N815
    trafficAccessToken: str | None = None  # noqa: N815
    domain: str | None = None


class _Listed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    sandboxID: str  # noqa: N815 - the wire's name
    state: str = "running"


class _Page(BaseModel):
    items: list[_Listed]


def network_body(policy: NetworkPolicy) -> JsonObject:
    return {
        "allow_internet_access": policy.is_open,
        "allowOut": list(policy.allow_out),
        "denyOut": list(policy.deny_out),
    }


def _create_body(spec: SandboxSpec, seconds: int, is_diono: bool) -> JsonObject:
    body: JsonObject = {
        "templateID": spec.template,
        "timeout": seconds,
        "metadata": {"owner": spec.owner, "project": spec.project},
        "envVars": dict(spec.env),
        "allow_internet_access": spec.network.is_open,
    }
    if spec.network.allow_out or spec.network.deny_out:
        network = network_body(spec.network)
        body["network"] = {"allowOut": network["allowOut"], "denyOut": network["denyOut"]}
    if not is_diono:
        return {**body, "autoPause": True}
    limits = spec.limits
    return {
        **body,
        "volumeMounts": []
        if spec.is_disposable
        else [{"name": workspace_name(spec.owner, spec.project), "path": "/work"}],
        CREATE_FIELD: {
            "limits": {
                "cpus": limits.cpus,
                "memoryMB": limits.memory_mb,
                "pids": limits.pids,
                "diskMB": limits.disk_mb,
            },
            "idle": spec.idle_seconds,
            "maxAge": None if spec.is_kept else spec.max_age_seconds,
        },
    }


class Control:
    """``key`` is the API key, or the file that holds it (it is written anew by each life of the
    local service, so a refusal reads it again)."""

    def __init__(self, transport: httpx.AsyncBaseTransport, url: str, key: str | Path) -> None:
        self._channel = Channel(transport, url, {})
        self._key_file = key if isinstance(key, Path) else None
        self._key = "" if isinstance(key, Path) else key
        self._is_diono: bool | None = None

    async def _headers(self, owner: str) -> dict[str, str]:
        if not self._key and self._key_file is not None:
            try:
                self._key = (await asyncio.to_thread(self._key_file.read_text)).strip()
            except OSError as error:
                raise EngineMissing(AWAY) from error
        headers = {"X-API-KEY": self._key, "Content-Type": "application/json"}
        return {**headers, OWNER_HEADER: quote(owner, safe="@.+-_ ")} if owner else headers

    async def ask(self, call: Call, owner: str = "") -> bytes:
        """Return the reply's body; ``owner``: on whose behalf. Reads a changed key file again."""
        for attempt in range(2):
            headers = {**call.headers, **await self._headers(owner)}
            ready = Call(call.method, call.path, call.query, headers, call.content, call.seconds)
            try:
                return await self._channel.request(ready)
            except Unavailable as error:
                is_refused = error.code in ("key_refused", Unavailable.code)
                if self._key_file is None or attempt or not is_refused:
                    raise
                self._key = ""
            except NotFound as error:
                raise _missing(error) from error
            except DionoError as error:
                if error.code != "internal_error" or self._key_file is None or attempt:
                    raise
                self._key = ""
        raise EngineMissing(AWAY)

    async def post(
        self, path: str, body: Mapping[str, object], owner: str, seconds: float = 30.0
    ) -> bytes:
        content = json.dumps(body).encode()
        return await self.ask(Call("POST", path, content=content, seconds=seconds), owner)

    async def is_diono(self) -> bool:
        """Whether the server has our extensions; asked once."""
        if self._is_diono is None:
            call = Call("GET", HEALTH_PATH, headers=await self._headers(""))
            async with self._channel.open(call) as response:
                is_ours = ERROR_CODE_HEADER in response.headers
                self._is_diono = is_ours or response.status_code == 200
        return self._is_diono

    def assume(self, is_diono: bool | None) -> None:
        self._is_diono = is_diono

    async def health(self) -> EngineHealth:
        if not await self.is_diono():
            await self.ask(Call("GET", "/v2/sandboxes", {"limit": "1"}))
            return EngineHealth(is_ready=True, engine="E2B-compatible server")
        return EngineHealth.model_validate_json(await self.ask(Call("GET", HEALTH_PATH)))

    async def template_states(self) -> tuple[TemplateState, ...]:
        """Return how far the server's own templates are; none if it does not tell."""
        if not await self.is_diono():
            return ()
        return _STATES.validate_json(await self.ask(Call("GET", TEMPLATES_PATH)))

    async def create(self, spec: SandboxSpec, seconds: int) -> SandboxRef:
        body = _create_body(spec, seconds, await self.is_diono())
        try:
            return _ref(await self.post("/v2/sandboxes", body, spec.owner, _CREATE_SECONDS))
        except FileMissing as error:
            raise TemplateMissing(f"there is no template {spec.template!r}") from error

    async def list(self, owner: str, project: str) -> list[tuple[str, bool]]:
        """Return (id, whether it runs) of a project's sandboxes."""
        metadata = urlencode({"owner": owner, "project": project}, quote_via=quote)
        query = {"metadata": metadata, "state": "running,paused", "limit": "10"}
        raw = await self.ask(Call("GET", "/v2/sandboxes", query), owner)
        try:
            page = _Page.model_validate_json(b'{"items":' + raw + b"}")
        except ValidationError as error:
            raise EngineMissing("the sandbox service sent a list that cannot be read") from error
        return [(item.sandboxID, item.state == "running") for item in page.items]

    async def connect(self, owner: str, sandbox_id: str, seconds: int) -> SandboxRef:
        path = f"/v2/sandboxes/{quote(sandbox_id, safe='')}/connect"
        try:
            return _ref(await self.post(path, {"timeout": seconds}, owner, _CREATE_SECONDS))
        except FileMissing as error:
            raise SandboxGone(_MISSING) from error

    async def kill(self, owner: str, sandbox_id: str) -> None:
        path = f"/sandboxes/{quote(sandbox_id, safe='')}"
        try:
            await self.ask(Call("DELETE", path, seconds=_PAUSE_SECONDS), owner)
        except (FileMissing, SandboxGone):
            return

    async def pause(self, owner: str, sandbox_id: str) -> bool:
        """False if it sleeps already."""
        path = f"/sandboxes/{quote(sandbox_id, safe='')}/pause"
        try:
            await self.post(path, {}, owner, _PAUSE_SECONDS)
        except FileMissing as error:
            raise SandboxGone(_MISSING) from error
        except Conflict:
            return False
        return True

    async def set_network(self, owner: str, sandbox_id: str, policy: NetworkPolicy) -> None:
        path = f"/sandboxes/{quote(sandbox_id, safe='')}/network"
        content = json.dumps(network_body(policy)).encode()
        await self.ask(Call("PUT", path, content=content), owner)

    async def fetch(self, owner: str, order: FetchOrder) -> FetchResult | None:
        """None where nobody fetches packages for sandboxes."""
        if not await self.is_diono():
            return None
        seconds = order.timeout_seconds + _FETCH_GRACE_SECONDS
        raw = await self.post(PACKAGES_PATH, order.model_dump(mode="json"), owner, seconds)
        return FetchResult.model_validate_json(raw)

    async def delete_volume(self, owner: str, name: str) -> None:
        try:
            await self.ask(Call("DELETE", f"{VOLUMES_PATH}/{quote(name, safe='')}"), owner)
        except NotFound:
            return


def _missing(error: DionoError) -> DionoError:
    return error if error.code != NotFound.code else FileMissing(error.detail)


def _ref(raw: bytes) -> SandboxRef:
    try:
        made = _Created.model_validate_json(raw)
    except ValidationError as error:
        raise EngineMissing("the sandbox service sent a reply that cannot be read") from error
    return SandboxRef(
        sandbox_id=made.sandboxID,
        access_token=made.envdAccessToken or "",
        traffic_token=made.trafficAccessToken or "",
        domain=made.domain or "",
    )
