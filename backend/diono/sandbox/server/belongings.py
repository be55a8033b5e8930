"""The control plane's routes around a sandbox: metrics, network, snapshots, forks, volumes."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from diono.kernel.errors import Conflict, NotFound
from diono.sandbox.fleet import SnapshotInfo
from diono.sandbox.server import listing, replies
from diono.sandbox.server.desk import Desk, SandboxCaller, TheDesk
from diono.sandbox.server.keys import Caller
from diono.sandbox.server.requests import ForkBody, NetworkBody, SnapshotBody, VolumeBody
from diono.sandbox.wire_errors import NotBuilt

router = APIRouter()
Json = dict[str, Any]
UnixTime = Annotated[int | None, Query(ge=0, le=253_402_300_799)]
SNAPSHOTS_LIMIT = 50
_NO_CONTENT_API = "none: mount the volume and use the sandbox's files"


@router.get("/sandboxes/{sandbox_id}/metrics")
async def metrics(
    sandbox_id: str,
    desk: TheDesk,
    caller: SandboxCaller,
    start: UnixTime = None,
    end: UnixTime = None,
) -> list[Json]:
    await desk.sandbox(caller, sandbox_id)
    since = None if start is None else datetime.fromtimestamp(start, UTC)
    until = None if end is None else datetime.fromtimestamp(end, UTC)
    samples = await desk.fleet.metrics(sandbox_id, since, until)
    return [replies.measured(sample) for sample in samples]


@router.put("/sandboxes/{sandbox_id}/network", status_code=204)
async def set_network(
    sandbox_id: str, body: NetworkBody, desk: TheDesk, caller: SandboxCaller
) -> None:
    """Replace the rules: what the body leaves out is cleared, as the wire has it."""
    info = await desk.sandbox(caller, sandbox_id)
    is_public = info.network.takes_public_traffic
    policy = body.policy(body.allow_internet_access, is_public)
    await desk.fleet.set_network(sandbox_id, policy)


@router.get("/sandboxes/{sandbox_id}/logs")
async def logs(sandbox_id: str, desk: TheDesk, caller: SandboxCaller) -> Json:
    """Nothing: we keep no logs of tenants outside their sandboxes."""
    await desk.sandbox(caller, sandbox_id)
    return {"logs": [], "logEntries": []}


@router.get("/v2/sandboxes/{sandbox_id}/logs")
async def logs_of_second_kind(sandbox_id: str, desk: TheDesk, caller: SandboxCaller) -> Json:
    await desk.sandbox(caller, sandbox_id)
    return {"logs": []}


@router.post("/sandboxes/{sandbox_id}/snapshots", status_code=201)
async def take_snapshot(
    sandbox_id: str, desk: TheDesk, caller: SandboxCaller, body: SnapshotBody | None = None
) -> Json:
    info = await desk.sandbox(caller, sandbox_id)
    name = "" if body is None else body.name
    if len(await desk.fleet.snapshots(info.owner)) >= SNAPSHOTS_LIMIT:
        raise Conflict(f"you have {SNAPSHOTS_LIMIT} snapshots; delete one first")
    return replies.snapshotted(await desk.fleet.snapshot(sandbox_id, name))


@router.post("/sandboxes/{sandbox_id}/fork", status_code=201)
async def fork(
    sandbox_id: str, desk: TheDesk, caller: SandboxCaller, body: ForkBody | None = None
) -> list[Json]:
    info = await desk.sandbox(caller, sandbox_id)
    asked = body or ForkBody()
    await desk.check_room(info.owner, caller, None)
    results = await desk.fleet.fork(sandbox_id, asked.count, max(1, asked.timeout))
    return [replies.forked(result, desk.config.domain) for result in results]


class SnapshotQuery(listing.PageQuery):
    sandbox_id: str = Field(default="", alias="sandboxID")
    name: str = ""

    def takes(self, snapshot: SnapshotInfo) -> bool:
        names = {snapshot.snapshot_id, *snapshot.names}
        return not self.name or bool({self.name, f"{self.name}:default"} & names)


@router.get("/snapshots")
async def list_snapshots(
    desk: TheDesk,
    caller: SandboxCaller,
    response: Response,
    query: Annotated[SnapshotQuery, Query()],
) -> list[Json]:
    snapshots = await desk.fleet.snapshots(_owner(caller), query.sandbox_id)
    found = [
        ((snapshot.created_at.isoformat(), snapshot.snapshot_id), snapshot)
        for snapshot in snapshots
        if query.takes(snapshot)
    ]
    chosen, token = listing.page(found, query.limit, query.next_token, is_ascending=False)
    if token:
        response.headers["X-Next-Token"] = token
    return [replies.snapshotted(snapshot) for snapshot in chosen]


def _owner(caller: Caller) -> str:
    return caller.owner or "admin"


@router.get("/volumes")
async def list_volumes(desk: TheDesk, caller: SandboxCaller) -> list[Json]:
    return [{"volumeID": name, "name": name} for name in await _volumes(desk, caller)]


async def _volumes(desk: Desk, caller: Caller) -> list[str]:
    owner = _owner(caller)
    made, announced = await desk.fleet.volumes(owner), await desk.volumes.names(owner)
    return sorted({*made, *announced})


@router.post("/volumes", status_code=201)
async def create_volume(body: VolumeBody, desk: TheDesk, caller: SandboxCaller) -> Json:
    await desk.volumes.add(_owner(caller), body.name)
    return {"volumeID": body.name, "name": body.name, "token": _NO_CONTENT_API}


@router.get("/volumes/{name}")
async def find_volume(name: str, desk: TheDesk, caller: SandboxCaller) -> Json:
    if name not in await _volumes(desk, caller):
        raise NotFound("there is no such volume")
    return {"volumeID": name, "name": name, "token": _NO_CONTENT_API}


@router.delete("/volumes/{name}", status_code=204)
@router.delete("/diono/volumes/{name}", status_code=204)
async def delete_volume(name: str, desk: TheDesk, caller: SandboxCaller) -> None:
    owner = _owner(caller)
    was_made = await desk.fleet.delete_volume(owner, name)
    was_announced = await desk.volumes.remove(owner, name)
    if not (was_made or was_announced):
        raise NotFound("there is no such volume")


@router.api_route("/volumecontent/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def volume_content(rest: str) -> None:
    raise NotBuilt("a volume's content is reached through a sandbox that mounts it only")


@router.api_route("/secrets", methods=["GET", "POST"])
@router.api_route("/secrets/{rest:path}", methods=["GET", "POST", "DELETE"])
async def secrets(caller: SandboxCaller, rest: str = "") -> None:
    raise NotBuilt("secrets are not built: pass values as envs, or keep them outside the sandbox")
