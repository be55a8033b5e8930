"""Projects' services, runs and previews over HTTP."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request

from diono.features.accounts.access import SignedIn, needs
from diono.features.previews.schemas import PreviewLink, SharedPreview
from diono.features.projects.access import OwnedProject
from diono.features.services.access import ServicesOfProjects
from diono.features.services.schemas import (
    APP,
    NAME_PATTERN,
    PlanList,
    RunProject,
    RunReport,
    ServiceList,
    SharePreview,
    SignalService,
    StartService,
)
from diono.sandbox.port import LogPage, ServiceStatus

router = APIRouter(prefix="/api/projects/{project_id}", tags=["services"])

Name = Annotated[str, Path(pattern=NAME_PATTERN, examples=[APP])]
ShownName = Annotated[str, Query(alias="service", pattern=NAME_PATTERN)]


def _host(request: Request) -> str:
    return request.url.hostname or "127.0.0.1"


@router.get("/plans")
async def list_plans(project: OwnedProject, services: ServicesOfProjects) -> PlanList:
    """Tell from the project's files how it can be run, the likeliest way first."""
    return PlanList(plans=list(await services.plans(project)))


@router.post("/run")
async def run_project(
    project: OwnedProject,
    account: SignedIn,
    services: ServicesOfProjects,
    request: Request,
    body: Annotated[RunProject, Body()] = RunProject(),  # noqa: B008 - frozen in effect
) -> RunReport:
    """Install, build and start the project, and return a link to it.

    A program for the command line is installed and built only: `service` is null.
    """
    return await services.run(project, body, _host(request), account.user_id)


@router.get("/services")
async def list_services(project: OwnedProject, services: ServicesOfProjects) -> ServiceList:
    """List the services that were started and not stopped."""
    return ServiceList(services=list(await services.services(project)))


@router.post("/services", status_code=201)
async def start_service(
    project: OwnedProject, services: ServicesOfProjects, body: StartService
) -> ServiceStatus:
    """Start a long-running process, in the place of one of the same name."""
    return await services.start(project, body)


@router.get("/services/{name}")
async def get_service(
    project: OwnedProject, services: ServicesOfProjects, name: Name
) -> ServiceStatus:
    """Return a service with the end of its log."""
    return await services.status(project, name)


@router.delete("/services/{name}", status_code=204)
async def stop_service(project: OwnedProject, services: ServicesOfProjects, name: Name) -> None:
    """Stop a service with all its processes; nothing happens if there is none."""
    await services.stop(project, name)


@router.post("/services/{name}/restart")
async def restart_service(
    project: OwnedProject, services: ServicesOfProjects, name: Name
) -> ServiceStatus:
    """Stop a service and start it again."""
    return await services.restart(project, name)


@router.post("/services/{name}/signal")
async def signal_service(
    project: OwnedProject, services: ServicesOfProjects, name: Name, body: SignalService
) -> ServiceStatus:
    """Send a signal to a service's main process group."""
    return await services.signal(project, name, body.signal)


@router.get("/services/{name}/logs")
async def read_service_logs(
    project: OwnedProject,
    services: ServicesOfProjects,
    name: Name,
    cursor: Annotated[int, Query(ge=0, description="`next_cursor` of the last page.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000_000, description="Bytes.")] = 64_000,
) -> LogPage:
    """Return what a service printed after a cursor; only the last part is kept."""
    return await services.logs(project, name, cursor, limit)


# To look is to read, also where the program has to be started for it.
@router.post("/preview", openapi_extra=needs("read"))
async def open_project_preview(
    project: OwnedProject,
    account: SignedIn,
    services: ServicesOfProjects,
    request: Request,
    service: ShownName = APP,
) -> PreviewLink:
    """Return a private link to a running service; starts the project's own if it is not running."""
    return await services.preview(project, service, _host(request), account.user_id)


@router.post("/preview/share", status_code=201)
async def share_preview(
    project: OwnedProject,
    services: ServicesOfProjects,
    request: Request,
    body: SharePreview,
    service: ShownName = APP,
) -> SharedPreview:
    """Return a link that people without an account may open until it expires or is revoked."""
    lifetime = timedelta(hours=body.hours)
    return await services.share(project, service, _host(request), lifetime)


@router.delete("/preview/share", status_code=204)
async def revoke_preview_shares(project: OwnedProject, services: ServicesOfProjects) -> None:
    """End every shared link of the project."""
    await services.unshare(project)
