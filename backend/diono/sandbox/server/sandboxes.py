"""The control plane's sandbox routes, for both generations of the SDKs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from diono.kernel.errors import Conflict, InvalidInput
from diono.sandbox.errors import SandboxMissing
from diono.sandbox.fleet import PauseDepth, SandboxInfo, SandboxState
from diono.sandbox.port import Limits
from diono.sandbox.server import listing, replies
from diono.sandbox.server.desk import Desk, SandboxCaller, TheDesk
from diono.sandbox.server.keys import Caller
from diono.sandbox.server.requests import (
    ConnectBody,
    CreateBody,
    PauseBody,
    RefreshBody,
    TimeoutBody,
)

router = APIRouter()
Json = dict[str, Any]

_IDEMPOTENCY_KEY = re.compile(r"[a-z0-9-]{1,255}")
_ADMIN_OWNER = "admin"
IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key")]
ListingQuery = Annotated[listing.ListQuery, Query()]


@router.post("/sandboxes", status_code=201)
@router.post("/v2/sandboxes", status_code=201)
async def create(
    body: CreateBody, desk: TheDesk, caller: SandboxCaller, idempotency_key: IdempotencyKey = ""
) -> Json:
    if idempotency_key and not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise InvalidInput("Idempotency-Key: 1 to 255 lower-case letters, digits and hyphens")
    owner = _owner_of_new(body, caller)
    if body.diono.runtime and not caller.is_admin:
        raise InvalidInput("diono.runtime: only an admin key may choose the isolation")
    limits = Limits()
    if body.diono.limits is not None:
        limits = (await desk.templates.find(body.template_id, owner)).limits
    request = body.to_request(owner, idempotency_key, limits)
    await desk.check_room(owner, caller, request.volume)
    info = await desk.fleet.create(request)
    return replies.created(info, desk.config.domain)


def _owner_of_new(body: CreateBody, caller: Caller) -> str:
    if not body.diono.owner:
        return caller.owner or _ADMIN_OWNER
    if not caller.is_admin:
        raise InvalidInput("diono.owner: only an admin key may say whose sandbox it is")
    return body.diono.owner


@router.get("/sandboxes")
async def list_running(desk: TheDesk, caller: SandboxCaller, metadata: str = "") -> list[Json]:
    running = frozenset({SandboxState.RUNNING})
    filters = listing.Filters(listing.parse_metadata(metadata), running)
    found = await _visible(desk, caller)
    return [replies.listed(info) for info in found if filters.takes(info)]


@router.get("/v2/sandboxes")
async def list_sandboxes(
    desk: TheDesk, caller: SandboxCaller, response: Response, query: ListingQuery
) -> list[Json]:
    filters = query.filters()
    found = [
        (listing.position_of(info), info)
        for info in await _visible(desk, caller)
        if filters.takes(info)
    ]
    chosen, token = listing.page(found, query.limit, query.next_token, query.order == "asc")
    if token:
        response.headers["X-Next-Token"] = token
    return [replies.listed(info) for info in chosen]


async def _visible(desk: Desk, caller: Caller) -> list[SandboxInfo]:
    return [info for info in await desk.fleet.list(caller.owner or None) if caller.sees(info.owner)]


@router.get("/sandboxes/metrics")
async def latest_metrics(
    desk: TheDesk, caller: SandboxCaller, sandbox_ids: Annotated[str, Query()] = ""
) -> Json:
    wanted = {part.strip() for part in sandbox_ids.split(",")}
    latest: Json = {}
    for info in await _visible(desk, caller):
        if info.sandbox_id in wanted:
            samples = await desk.fleet.metrics(info.sandbox_id)
            if samples:
                latest[info.sandbox_id] = replies.measured(samples[-1])
    return {"sandboxes": latest}


@router.get("/sandboxes/{sandbox_id}")
async def detail(sandbox_id: str, desk: TheDesk, caller: SandboxCaller) -> Json:
    return replies.detailed(await desk.sandbox(caller, sandbox_id), desk.config.domain)


@router.delete("/sandboxes/{sandbox_id}", status_code=204)
async def kill(sandbox_id: str, desk: TheDesk, caller: SandboxCaller) -> None:
    await desk.sandbox(caller, sandbox_id)
    desk.pool.forget(sandbox_id)
    if not await desk.fleet.kill(sandbox_id):
        raise SandboxMissing(f"Sandbox {sandbox_id!r} was not found")


@router.post("/sandboxes/{sandbox_id}/timeout", status_code=204)
async def set_timeout(
    sandbox_id: str, body: TimeoutBody, desk: TheDesk, caller: SandboxCaller
) -> None:
    await desk.sandbox(caller, sandbox_id)
    await desk.fleet.set_timeout(sandbox_id, max(1, body.timeout))


@router.post("/sandboxes/{sandbox_id}/refreshes", status_code=204)
async def refresh(
    sandbox_id: str, desk: TheDesk, caller: SandboxCaller, body: RefreshBody | None = None
) -> None:
    """Keep it alive for so long from now; never shortens its life."""
    info = await desk.sandbox(caller, sandbox_id)
    seconds = max(1, (body or RefreshBody()).duration)
    if info.ends_at < datetime.now(UTC) + timedelta(seconds=seconds):
        await desk.fleet.set_timeout(sandbox_id, seconds)


@router.post("/sandboxes/{sandbox_id}/connect")
@router.post("/v2/sandboxes/{sandbox_id}/connect")
async def connect(
    sandbox_id: str,
    desk: TheDesk,
    caller: SandboxCaller,
    response: Response,
    body: ConnectBody | None = None,
) -> Json:
    asked = body or ConnectBody()
    info = await desk.sandbox(caller, sandbox_id)
    if not asked.memory and info.pause_depth is PauseDepth.FROZEN:
        raise InvalidInput("waking without the memory that was kept is not built; leave it out")
    info, was_woken = await desk.fleet.connect(sandbox_id, max(1, asked.timeout))
    response.status_code = 201 if was_woken else 200
    return replies.created(info, desk.config.domain)


@router.post("/sandboxes/{sandbox_id}/resume", status_code=201)
async def resume(
    sandbox_id: str, desk: TheDesk, caller: SandboxCaller, body: ConnectBody | None = None
) -> Json:
    """What connect was called before: a running sandbox is a conflict here."""
    info = await desk.sandbox(caller, sandbox_id)
    if info.state is SandboxState.RUNNING:
        raise Conflict(f"Sandbox {sandbox_id!r} is running already")
    seconds = max(1, (body or ConnectBody()).timeout)
    info, _ = await desk.fleet.connect(sandbox_id, seconds)
    return replies.created(info, desk.config.domain)


@router.post("/sandboxes/{sandbox_id}/pause", status_code=204)
async def pause(
    sandbox_id: str, desk: TheDesk, caller: SandboxCaller, body: PauseBody | None = None
) -> None:
    await desk.sandbox(caller, sandbox_id)
    desk.pool.forget(sandbox_id)
    if not await desk.fleet.pause(sandbox_id, (body or PauseBody()).memory):
        raise Conflict(f"Sandbox {sandbox_id!r} is paused already")
