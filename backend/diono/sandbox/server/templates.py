"""The control plane's template routes."""

from typing import Any

from fastapi import APIRouter, Request

from diono.sandbox.errors import TemplateMissing
from diono.sandbox.images.template_builds import TemplateBuilds
from diono.sandbox.server import replies
from diono.sandbox.server.desk import Desk, SandboxCaller, TemplateCaller, TheDesk
from diono.sandbox.server.keys import Caller
from diono.sandbox.server.template_builds import described, owner_of

router = APIRouter()
Json = dict[str, Any]


async def _list(desk: Desk, caller: Caller, builds: TemplateBuilds | None) -> list[Json]:
    visible = [each for each in await desk.templates.ready() if each.owner in {"", caller.owner}]
    own = () if builds is None else await builds.list(owner_of(caller))
    return [
        *(replies.templated(template) for template in visible),
        *(described(record) for record in own),
    ]


@router.get("/templates")
@router.get("/v2/templates")
@router.get("/default-templates")
async def list_templates(request: Request, desk: TheDesk, caller: SandboxCaller) -> list[Json]:
    return await _list(desk, caller, request.app.state.builds)


@router.get("/templates/aliases/{alias}")
async def find_alias(alias: str, desk: TheDesk, caller: SandboxCaller) -> Json:
    template = await desk.templates.find(alias, caller.owner)
    return {"templateID": template.template_id, "public": not template.owner}


@router.delete("/templates/{template_id}", status_code=204)
async def delete_template(
    template_id: str, request: Request, desk: TheDesk, caller: TemplateCaller
) -> None:
    """A snapshot is a template too: this is how the SDKs delete one."""
    builds: TemplateBuilds | None = request.app.state.builds
    if builds is not None and await builds.delete(owner_of(caller), template_id):
        return
    if not await desk.fleet.delete_snapshot(template_id, caller.owner or "admin"):
        raise TemplateMissing("there is no such template or snapshot of yours")
