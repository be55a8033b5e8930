"""The control plane's template builds: E2B's calls over the image builder's."""

import hashlib
import hmac
import math
import secrets
import time
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from diono.kernel.errors import DionoError, ErrorKind
from diono.sandbox.fleet import ENVD_VERSION
from diono.sandbox.images.build_models import BuildLine
from diono.sandbox.images.records import BuildRecord, TemplateRecord
from diono.sandbox.images.template_builds import TemplateBuilds
from diono.sandbox.server.desk import TemplateCaller, same
from diono.sandbox.server.keys import Caller
from diono.sandbox.wire_errors import NotBuilt

router = APIRouter()
Json = dict[str, Any]
UPLOAD_SECONDS = 3600
_LINES_LIMIT = 100
_SECRET = secrets.token_bytes(32)


class UploadRefused(DionoError):
    code = "upload_refused"
    kind = ErrorKind.UNAUTHENTICATED


class NewBuild(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str = ""
    alias: str = ""
    tags: list[str] = Field(default_factory=list[str], max_length=20)
    cpus: float | None = Field(default=None, alias="cpuCount")
    memory_mb: int | None = Field(default=None, alias="memoryMB")


class TagOrder(BaseModel):
    model_config = ConfigDict(extra="ignore")

    target: str = ""
    name: str = ""
    tags: list[str] = Field(max_length=20)


async def builds_of(request: Request) -> TemplateBuilds:
    builds: TemplateBuilds | None = request.app.state.builds
    if builds is None:
        raise NotBuilt("this service builds no templates; use the ones that GET /templates lists")
    return builds


Builds = Annotated[TemplateBuilds, Depends(builds_of)]


def owner_of(caller: Caller) -> str:
    return caller.owner or "admin"


@router.post("/v3/templates", status_code=202)
async def request_build(body: NewBuild, builds: Builds, caller: TemplateCaller) -> Json:
    ticket = await builds.request(
        owner_of(caller), body.name or body.alias, body.tags, body.cpus, body.memory_mb
    )
    return {
        "templateID": ticket.template_id,
        "buildID": ticket.build_id,
        "public": False,
        "names": [ticket.name],
        "aliases": [ticket.name],
        "tags": list(ticket.tags),
    }


@router.post("/templates/tags", status_code=201)
async def assign_tags(body: TagOrder, builds: Builds, caller: TemplateCaller) -> Json:
    build_id, tags = await builds.assign_tags(owner_of(caller), body.target, body.tags)
    return {"buildID": build_id, "tags": list(tags)}


@router.delete("/templates/tags", status_code=204)
async def remove_tags(body: TagOrder, builds: Builds, caller: TemplateCaller) -> None:
    await builds.remove_tags(owner_of(caller), body.name, body.tags)


@router.get("/templates/{template_id}/tags")
async def list_tags(template_id: str, builds: Builds, caller: TemplateCaller) -> list[Json]:
    tags = await builds.tags(owner_of(caller), template_id)
    return [
        {"tag": tag, "buildID": each.build_id, "createdAt": each.created_at.isoformat()}
        for tag, each in tags.items()
    ]


@router.get("/templates/{template_id}/files/{digest}", status_code=201)
async def upload_link(
    template_id: str, digest: str, request: Request, builds: Builds, caller: TemplateCaller
) -> Json:
    owner = owner_of(caller)
    present = await builds.has_files(owner, template_id, digest)
    ends = str(int(time.time()) + UPLOAD_SECONDS)
    signed = _signature(owner, template_id, digest, ends)
    base = str(request.base_url).rstrip("/")
    query = f"owner={owner.encode().hex()}&ends={ends}&signature={signed}"
    return {"present": present, "url": f"{base}/templates/{template_id}/files/{digest}?{query}"}


def _signature(owner: str, template_id: str, digest: str, ends: str) -> str:
    text = "\0".join((owner, template_id, digest, ends)).encode()
    return hmac.new(_SECRET, text, hashlib.sha256).hexdigest()


@router.put("/templates/{template_id}/files/{digest}")
async def upload(template_id: str, digest: str, request: Request, builds: Builds) -> Json:
    """The link carries the right to this one upload; SDKs send no key with it."""
    query = request.query_params
    try:
        owner = bytes.fromhex(query.get("owner", "")).decode()
        is_timely = float(query.get("ends", "0")) > time.time()
    except (ValueError, UnicodeDecodeError) as error:
        raise UploadRefused("the upload link is not whole") from error
    expected = _signature(owner, template_id, digest, query.get("ends", ""))
    if not (same(query.get("signature", ""), expected) and is_timely):
        raise UploadRefused("the upload link is wrong or has ended; ask for another")
    await builds.put_files(owner, template_id, digest, request.stream())
    return {}


@router.post("/v2/templates/{template_id}/builds/{build_id}", status_code=202)
async def start_build(
    template_id: str, build_id: str, body: Json, builds: Builds, caller: TemplateCaller
) -> Json:
    await builds.start(owner_of(caller), template_id, build_id, body)
    return {}


@router.get("/templates/{template_id}/builds/{build_id}/status")
async def build_status(
    template_id: str, build_id: str, request: Request, builds: Builds, caller: TemplateCaller
) -> Json:
    offset = _number(request.query_params.get("logsOffset", ""))
    state = await builds.state(owner_of(caller), template_id, build_id, offset, _LINES_LIMIT)
    reply: Json = {
        "templateID": template_id,
        "buildID": build_id,
        "status": state.status,
        "logs": [],
        "logEntries": [_line(line) for line in state.lines],
    }
    if state.problem:
        reply["reason"] = {"message": state.problem, "step": state.problem_step, "logEntries": []}
    return reply


@router.get("/templates/{template_id}/builds/{build_id}/logs")
async def build_logs(
    template_id: str, build_id: str, builds: Builds, caller: TemplateCaller
) -> Json:
    state = await builds.state(owner_of(caller), template_id, build_id, 0, _LINES_LIMIT)
    return {"logs": [_line(line) for line in state.lines]}


@router.get("/templates/{template_id}")
async def get_template(template_id: str, builds: Builds, caller: TemplateCaller) -> Json:
    record = await builds.get(owner_of(caller), template_id)
    listed = [_build(build) for build in record.builds.values()]
    return {**described(record), "builds": listed}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _line(line: BuildLine) -> Json:
    at = line.at.isoformat()
    return {"timestamp": at, "message": line.text, "level": line.level, "step": line.step}


def _build(build: BuildRecord) -> Json:
    finished: datetime | None = build.finished_at
    return {
        "buildID": build.build_id,
        "status": build.status.value,
        "createdAt": build.created_at.isoformat(),
        "updatedAt": build.updated_at.isoformat(),
        **({"finishedAt": finished.isoformat()} if finished else {}),
        "cpuCount": math.ceil(build.limits.cpus),
        "memoryMB": build.limits.memory_mb,
        "diskSizeMB": build.limits.disk_mb,
        "envdVersion": ENVD_VERSION,
    }


def described(record: TemplateRecord) -> Json:
    """A user's template as GET /templates lists it."""
    build = record.last_build() or BuildRecord(build_id="")
    return {
        "templateID": record.template_id,
        "buildID": build.build_id,
        "cpuCount": math.ceil(build.limits.cpus),
        "memoryMB": build.limits.memory_mb,
        "diskSizeMB": build.limits.disk_mb,
        "public": False,
        "aliases": [record.name],
        "names": [record.name],
        "createdAt": record.created_at.isoformat(),
        "updatedAt": record.updated_at.isoformat(),
        "createdBy": None,
        "lastSpawnedAt": None,
        "spawnCount": 0,
        "buildCount": len(record.builds),
        "envdVersion": ENVD_VERSION,
        "buildStatus": build.status.value,
    }
