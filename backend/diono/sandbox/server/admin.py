"""Our own routes of the control plane: keys, and how the engine is. For admin keys."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from diono.kernel.errors import NotFound
from diono.sandbox.extensions import HEALTH_PATH, KEYS_PATH
from diono.sandbox.port import EngineHealth
from diono.sandbox.scopes import Scope
from diono.sandbox.server.desk import AdminCaller, TheDesk
from diono.sandbox.server.keys import Key

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


@router.get("/health")
async def is_up() -> dict[str, bool]:
    """For load balancers: says nothing but that we answer."""
    return {"ok": True}
