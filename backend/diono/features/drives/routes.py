"""Cloud drives over HTTP: links of a user, and what a project moves over them."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from diono.features.accounts.access import AdminOnly, client_address, needs
from diono.features.drives.access import ActsOnDrives, DrivesService
from diono.features.drives.schemas import (
    ConnectInfo,
    ConnectState,
    DrivesInfo,
    FinishConnect,
    ItemPage,
    JobDetail,
    JobInfo,
    JobPage,
    LinkInfo,
    SetClient,
    StartConnect,
    StartExport,
    StartImport,
    StartSync,
    SyncInfo,
    SyncList,
    UnlinkReport,
)
from diono.features.drives.service.connecting import Returned
from diono.features.projects.access import OwnedProject
from diono.kernel.errors import DionoError

router = APIRouter(prefix="/api", tags=["drives"])

COOKIE = "diono_drive"
COOKIE_SECONDS = 1800
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=4_000)]
Before = Annotated[str | None, Query(max_length=40)]


@router.get("/drives")
async def list_drives(who: ActsOnDrives, drives: DrivesService) -> DrivesInfo:
    """List the providers on offer, and your links."""
    providers = await drives.connecting.offered()
    return DrivesInfo(providers=providers, links=await drives.links.list(who.user_id))


@router.put("/drives/{provider}/client", status_code=204, openapi_extra=needs("session"))
async def set_drive_client(
    request: Request, provider: str, body: SetClient, admin: AdminOnly, drives: DrivesService
) -> None:
    """Enter the client that this server has at a provider; kept sealed. For admins."""
    await drives.clients.put(provider, body, admin.user_id, client_address(request))


@router.delete("/drives/{provider}/client", status_code=204, openapi_extra=needs("session"))
async def remove_drive_client(
    request: Request, provider: str, admin: AdminOnly, drives: DrivesService
) -> None:
    """Forget a provider's client. For admins."""
    await drives.clients.remove(provider, admin.user_id, client_address(request))


@router.post("/drives/{provider}/connect", openapi_extra=needs("session"))
async def connect_drive(
    provider: str, body: StartConnect, response: Response, who: ActsOnDrives, drives: DrivesService
) -> ConnectInfo:
    """Begin to link a drive: open `url`, then come back or `finish`. A cookie marks the browser
    that began it; no other one can come back with the code."""
    info, mark = await drives.connecting.begin(who, provider, body)
    response.set_cookie(
        COOKIE,
        mark,
        max_age=COOKIE_SECONDS,
        path="/api/drives",
        secure=drives.connecting.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return info


@router.get("/drives/{provider}/callback", status_code=303, response_class=RedirectResponse)
async def return_from_drive(
    request: Request,
    provider: str,
    drives: DrivesService,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4_000)] = "",
    error: Annotated[str, Query(max_length=500)] = "",
) -> RedirectResponse:
    """Where the provider sends the browser; it goes on to the dashboard with `linked` or
    `drive_error`."""
    returned = Returned(state, code, error, request.cookies.get(COOKIE, ""))
    try:
        link = await drives.connecting.come_back(provider, returned, client_address(request))
        told = {"linked": link.link_id}
    except DionoError as problem:
        told = {"drive_error": problem.code}
    answer = RedirectResponse(
        f"{drives.connecting.public_url}/drives?{urlencode(told)}", status_code=303
    )
    answer.delete_cookie(COOKIE, path="/api/drives")
    # The address has the code in it.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@router.post("/drives/connects/{connect_id}/finish", openapi_extra=needs("session"))
async def finish_drive_connection(
    connect_id: str, body: FinishConnect, who: ActsOnDrives, drives: DrivesService
) -> ConnectState:
    """Finish by a pasted code, or ask whether the code was typed in; `link` is null until then."""
    return await drives.connecting.finish(who, connect_id, body.code)


@router.get("/drives/links/{link_id}")
async def get_drive_link(link_id: str, who: ActsOnDrives, drives: DrivesService) -> LinkInfo:
    """Return one of your links."""
    return LinkInfo.model_validate(await drives.links.one(who.user_id, link_id))


@router.delete("/drives/links/{link_id}", openapi_extra=needs("session"))
async def unlink_drive(link_id: str, who: ActsOnDrives, drives: DrivesService) -> UnlinkReport:
    """Forget a link, and revoke it at the provider. What was imported stays."""
    return await drives.links.unlink(who.user_id, link_id, who.address)


@router.get("/drives/links/{link_id}/items")
async def browse_drive(
    link_id: str,
    who: ActsOnDrives,
    drives: DrivesService,
    folder_id: Annotated[str | None, Query(max_length=1_000, description="None: the root.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ItemPage:
    """List a folder of the drive."""
    return await drives.links.browse(who.user_id, link_id, folder_id or None, cursor, limit)


@router.get("/drives/links/{link_id}/search")
async def search_drive(
    link_id: str,
    who: ActsOnDrives,
    drives: DrivesService,
    text: Annotated[str, Query(min_length=1, max_length=200)],
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ItemPage:
    """Find files by their names, or contents where the provider looks into them."""
    return await drives.links.search(who.user_id, link_id, text, cursor, limit)


@router.post("/projects/{project_id}/drive-imports", status_code=202)
async def start_drive_import(
    project: OwnedProject, who: ActsOnDrives, drives: DrivesService, body: StartImport
) -> JobInfo:
    """Fetch files into the project's library, over a link of yours."""
    return await drives.transfers.start_import(who, project, body)


@router.get("/projects/{project_id}/drive-imports")
async def list_drive_imports(
    project: OwnedProject, drives: DrivesService, before: Before = None, limit: Limit = 20
) -> JobPage:
    """List the project's imports, newest first."""
    return await drives.transfers.page(project, "import", before, limit)


@router.get("/projects/{project_id}/drive-imports/{job_id}")
async def get_drive_import(project: OwnedProject, drives: DrivesService, job_id: str) -> JobDetail:
    """Return an import with its progress and its files."""
    return await drives.transfers.one(project, "import", job_id)


@router.post("/projects/{project_id}/drive-imports/{job_id}/cancel")
async def cancel_drive_import(project: OwnedProject, drives: DrivesService, job_id: str) -> JobInfo:
    """Stop an import; what has arrived stays."""
    return await drives.transfers.cancel(project, "import", job_id)


@router.post("/projects/{project_id}/drive-exports", status_code=202)
async def start_drive_export(
    project: OwnedProject, who: ActsOnDrives, drives: DrivesService, body: StartExport
) -> JobInfo:
    """Put files of the project's library onto a drive of yours; nothing there is overwritten."""
    return await drives.transfers.start_export(who, project, body)


@router.get("/projects/{project_id}/drive-exports")
async def list_drive_exports(
    project: OwnedProject, drives: DrivesService, before: Before = None, limit: Limit = 20
) -> JobPage:
    """List the project's exports, newest first."""
    return await drives.transfers.page(project, "export", before, limit)


@router.get("/projects/{project_id}/drive-exports/{job_id}")
async def get_drive_export(project: OwnedProject, drives: DrivesService, job_id: str) -> JobDetail:
    """Return an export with its progress and its files."""
    return await drives.transfers.one(project, "export", job_id)


@router.post("/projects/{project_id}/drive-exports/{job_id}/cancel")
async def cancel_drive_export(project: OwnedProject, drives: DrivesService, job_id: str) -> JobInfo:
    """Stop an export; what was sent stays."""
    return await drives.transfers.cancel(project, "export", job_id)


@router.post("/projects/{project_id}/drive-syncs", status_code=201)
async def create_drive_sync(
    project: OwnedProject, who: ActsOnDrives, drives: DrivesService, body: StartSync
) -> SyncInfo:
    """Follow a folder of your drive, and bring what is in it."""
    return await drives.syncs.create(who, project, body)


@router.get("/projects/{project_id}/drive-syncs")
async def list_drive_syncs(
    project: OwnedProject, who: ActsOnDrives, drives: DrivesService
) -> SyncList:
    """List the folders that the project's library follows, with their last runs."""
    return await drives.syncs.list(who, project)


@router.get("/projects/{project_id}/drive-syncs/{sync_id}")
async def get_drive_sync(
    project: OwnedProject, who: ActsOnDrives, drives: DrivesService, sync_id: str
) -> SyncInfo:
    """Return a followed folder with the progress of its last run."""
    return await drives.syncs.one(who, project, sync_id)


@router.post("/projects/{project_id}/drive-syncs/{sync_id}/run", status_code=202)
async def run_drive_sync(
    project: OwnedProject, who: ActsOnDrives, drives: DrivesService, sync_id: str
) -> JobInfo:
    """Bring the library into step with the folder: only what has changed is fetched."""
    return await drives.syncs.run(who, project, sync_id)


@router.post("/projects/{project_id}/drive-syncs/{sync_id}/cancel")
async def cancel_drive_sync(
    project: OwnedProject, drives: DrivesService, sync_id: str
) -> JobInfo | None:
    """Stop the run that is under way; the next one goes on from where it came."""
    return await drives.syncs.cancel(project, sync_id)


@router.delete("/projects/{project_id}/drive-syncs/{sync_id}", status_code=204)
async def remove_drive_sync(project: OwnedProject, drives: DrivesService, sync_id: str) -> None:
    """Follow the folder no more; its files stay in the library."""
    await drives.syncs.remove(project, sync_id)
