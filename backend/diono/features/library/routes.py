"""A project's library over HTTP: one list, exports, imports."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from diono.features.library.access import (
    ImportsService,
    LibraryService,
    OpenedExport,
    WantedItems,
)
from diono.features.library.schemas import CreateImport, ImportInfo, ImportList, LibraryPage
from diono.features.projects.access import OwnedProject

router = APIRouter(prefix="/api/projects/{project_id}", tags=["library"])


@router.get("/library")
async def list_library(
    project: OwnedProject, library: LibraryService, wanted: WantedItems, cursor: str | None = None
) -> LibraryPage:
    """List stored files and the files of finished tasks, newest first; search them by name, tag
    and origin."""
    return await library.page(project[1], wanted, cursor)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}, "application/x-git-bundle": {}}}},
)
async def export_project(export: OpenedExport) -> StreamingResponse:
    """Return the workspace as a zip, its git history as a bundle, or the stored files as a zip.
    The first two want a project in which nothing runs, for they commit what is there."""
    return export


@router.post("/imports", status_code=202)
async def start_import(
    project: OwnedProject, imports: ImportsService, body: CreateImport
) -> ImportInfo:
    """Bring an uploaded archive, or a git repository, into the workspace. What was there is
    committed first; files of the same path are replaced."""
    return await imports.start(project, body)


@router.get("/imports")
async def list_imports(project: OwnedProject, imports: ImportsService) -> ImportList:
    return ImportList(items=await imports.listed(project))


@router.get("/imports/{import_id}")
async def get_import(project: OwnedProject, imports: ImportsService, import_id: str) -> ImportInfo:
    """Tell how far an import is."""
    return await imports.one(project, import_id)
