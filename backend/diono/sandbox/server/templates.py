"""The control plane's template routes."""

from typing import Any

from fastapi import APIRouter

from diono.sandbox.errors import TemplateMissing
from diono.sandbox.server import replies
from diono.sandbox.server.desk import Desk, SandboxCaller, TemplateCaller, TheDesk
from diono.sandbox.server.keys import Caller
from diono.sandbox.wire_errors import NotBuilt

router = APIRouter()
Json = dict[str, Any]
_NO_BUILDS = "this service builds no templates; use the ones that GET /templates lists"


async def _list(desk: Desk, caller: Caller) -> list[Json]:
    visible = [each for each in await desk.templates.ready() if each.owner in {"", caller.owner}]
    return [replies.templated(template) for template in visible]


@router.get("/templates")
@router.get("/v2/templates")
@router.get("/default-templates")
async def list_templates(desk: TheDesk, caller: SandboxCaller) -> list[Json]:
    return await _list(desk, caller)


@router.get("/templates/aliases/{alias}")
async def find_alias(alias: str, desk: TheDesk, caller: SandboxCaller) -> Json:
    template = await desk.templates.find(alias, caller.owner)
    return {"templateID": template.template_id, "public": not template.owner}


@router.delete("/templates/{template_id}", status_code=204)
async def delete_template(template_id: str, desk: TheDesk, caller: TemplateCaller) -> None:
    """A snapshot is a template too: this is how the SDKs delete one."""
    if not await desk.fleet.delete_snapshot(template_id, caller.owner or "admin"):
        raise TemplateMissing("there is no such template or snapshot of yours")


@router.post("/v3/templates")
@router.post("/v2/templates/{template_id}/builds/{build_id}")
@router.get("/templates/{template_id}/builds/{build_id}/status")
@router.get("/templates/{template_id}/files/{digest}")
async def build(caller: TemplateCaller) -> None:
    raise NotBuilt(_NO_BUILDS)
