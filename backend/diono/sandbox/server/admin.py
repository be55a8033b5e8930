"""Our own routes of the control plane: keys, links to ports, and how the engine is."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from diono.kernel.errors import InvalidInput, NotFound
from diono.sandbox.extensions import HEALTH_PATH, KEYS_PATH, TEMPLATES_PATH
from diono.sandbox.fleet import GUEST_PORTS
from diono.sandbox.images.store import TemplateStore
from diono.sandbox.port import EngineHealth
from diono.sandbox.scopes import Scope
from diono.sandbox.server.desk import AdminCaller, SandboxCaller, TheDesk
from diono.sandbox.server.keys import Key
from diono.sandbox.server.signing import LINK_PARAMETER, link_token
from diono.sandbox.template_states import TemplateState

router = APIRouter()


class NewKey(BaseModel):
    owner: str = Field(min_length=1, max_length=200)
    name: str = Field(default="", max_length=200)
    scopes: tuple[Scope, ...] = Field(default=(Scope.SANDBOX, Scope.TEMPLATES), min_length=1)
    expires_at: AwareDatetime | None = None


class KeyReply(BaseModel):
    """``key`` is the text itself, in the answer to its making only."""

    key_id: str
    owner: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    key: str | None = None


def _reply(key: Key, secret: str | None = None) -> dict[str, Any]:
    reply = KeyReply(**key.model_dump(exclude={"digest"}), key=secret)
    return reply.model_dump(mode="json", exclude={"key"} if secret is None else set())


@router.post(KEYS_PATH, status_code=201)
async def issue_key(body: NewKey, desk: TheDesk, caller: AdminCaller) -> dict[str, Any]:
    key, secret = await desk.keys.issue(body.owner, body.name, body.scopes, body.expires_at)
    return _reply(key, secret)


@router.get(KEYS_PATH)
async def list_keys(desk: TheDesk, caller: AdminCaller, owner: str = "") -> list[dict[str, Any]]:
    return [_reply(key) for key in desk.keys.list(owner or caller.owner)]


@router.delete(KEYS_PATH + "/{key_id}", status_code=204)
async def revoke_key(key_id: str, desk: TheDesk, caller: AdminCaller) -> None:
    if not await desk.keys.revoke(key_id):
        raise NotFound("there is no such key")


@router.get(HEALTH_PATH)
async def engine_health(desk: TheDesk, caller: AdminCaller) -> EngineHealth:
    return await desk.fleet.health()


@router.get(TEMPLATES_PATH)
async def template_states(desk: TheDesk, caller: SandboxCaller) -> Sequence[TemplateState]:
    """How far our own templates' images are; those being built say what is being done."""
    return await desk.templates.states() if isinstance(desk.templates, TemplateStore) else ()


@router.get("/health")
async def is_up() -> dict[str, bool]:
    """For load balancers: says nothing but that we answer."""
    return {"ok": True}


class NewLink(BaseModel):
    port: int = Field(ge=1, le=65535)
    seconds: int = Field(default=3600, ge=1, le=30 * 86_400)


@router.post("/diono/sandboxes/{sandbox_id}/links", status_code=201)
async def share_port(
    sandbox_id: str, body: NewLink, desk: TheDesk, caller: SandboxCaller
) -> dict[str, Any]:
    """A link that opens one port of a sandbox to a browser for a while. Needs a domain."""
    info = await desk.sandbox(caller, sandbox_id)
    if not desk.config.domain:
        raise InvalidInput("links need host names: start the service with a domain")
    if body.port in GUEST_PORTS:
        raise InvalidInput("this port is not for browsers")
    expires_at = int(time.time()) + body.seconds
    token = link_token(info, body.port, expires_at)
    host = f"{body.port}-{info.sandbox_id}.{desk.config.domain}"
    return {"url": f"http://{host}/?{LINK_PARAMETER}={token}", "expires_at": expires_at}
