"""The library's services of a request, and exports that begin before their status line."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse

from diono.features.files.access import disposition
from diono.features.files.schemas import TAG_LENGTH, Origin
from diono.features.library.schemas import ExportForm
from diono.features.library.service import Exports, Imports, Library, Wanted, export_name
from diono.features.projects.access import OwnedProject, ProjectsService

_TYPES = {ExportForm.BUNDLE: "application/x-git-bundle"}


def library_service(request: Request) -> Library:
    return request.app.state.library


def imports_service(request: Request) -> Imports:
    return request.app.state.imports


def exports_service(request: Request) -> Exports:
    return request.app.state.exports


LibraryService = Annotated[Library, Depends(library_service)]
ImportsService = Annotated[Imports, Depends(imports_service)]
ExportsService = Annotated[Exports, Depends(exports_service)]


def wanted_items(
    query: Annotated[str, Query(max_length=200, description="Part of a name.")] = "",
    tag: Annotated[str, Query(max_length=TAG_LENGTH)] = "",
    origin: Origin | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Wanted:
    return Wanted(query.replace("\x00", ""), tag.replace("\x00", ""), origin or "", None, limit)


WantedItems = Annotated[Wanted, Depends(wanted_items)]


async def opened_export(
    project: OwnedProject,
    exports: ExportsService,
    projects: ProjectsService,
    form: ExportForm,
) -> AsyncGenerator[StreamingResponse]:
    """Yield a reply whose first bytes are there, so that a refusal has a status of its own."""
    name = (await projects.one(*project)).name
    async with exports.open(project, form) as content:
        first = await anext(content, b"")

        async def whole() -> AsyncGenerator[bytes]:
            yield first
            async for piece in content:
                yield piece

        headers = {
            "Content-Disposition": disposition(export_name(name, form)),
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        kind = _TYPES.get(form, "application/zip")
        yield StreamingResponse(whole(), headers=headers, media_type=kind)


OpenedExport = Annotated[StreamingResponse, Depends(opened_export)]
