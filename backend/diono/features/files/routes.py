"""Uploads, stored files and their links over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from diono.features.files.access import FilesService, LinksService, UploadsService, download
from diono.features.files.schemas import (
    ChangeFile,
    CreateLink,
    CreateUpload,
    FileInfo,
    LinkInfo,
    LinkList,
    StorageUse,
    UploadInfo,
    UploadList,
)
from diono.features.files.service import CHUNK_BYTES
from diono.features.projects.access import ActingUser, OwnedProject

router = APIRouter(prefix="/api", tags=["files"])

_PROJECT = "/projects/{project_id}"
_FILE = f"{_PROJECT}/library/{{file_id}}"
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}},
    206: {"description": "The range that was asked for."},
}
_CHUNK = {
    "requestBody": {
        "required": True,
        "content": {"application/offset+octet-stream": {"schema": {"type": "string"}}},
    }
}


@router.get(f"{_PROJECT}/storage")
async def storage_use(project: OwnedProject, files: FilesService) -> StorageUse:
    """Return how much the project's owner stores, and may store."""
    return await files.use(project[0])


@router.post(f"{_PROJECT}/uploads", status_code=201)
async def create_upload(
    project: OwnedProject, uploads: UploadsService, body: CreateUpload
) -> UploadInfo:
    """Begin an upload: room for it is held; a file that is too large is refused at once."""
    return await uploads.create(project, body)


@router.get(f"{_PROJECT}/uploads")
async def list_uploads(project: OwnedProject, uploads: UploadsService) -> UploadList:
    """List the uploads that are not complete, newest first."""
    return UploadList(items=await uploads.listed(project))


@router.get(f"{_PROJECT}/uploads/{{upload_id}}")
async def get_upload(project: OwnedProject, uploads: UploadsService, upload_id: str) -> UploadInfo:
    """Tell where to go on: the next chunk starts at `offset`."""
    return await uploads.one(project, upload_id)


@router.head(f"{_PROJECT}/uploads/{{upload_id}}", include_in_schema=False)
async def head_upload(project: OwnedProject, uploads: UploadsService, upload_id: str) -> Response:
    """Tell where to go on, in `Upload-Offset`."""
    upload = await uploads.one(project, upload_id)
    headers = {"Upload-Offset": str(upload.offset), "Upload-Length": str(upload.size)}
    return Response(headers={**headers, "Cache-Control": "no-store"})


@router.patch(f"{_PROJECT}/uploads/{{upload_id}}", max_body_size=CHUNK_BYTES, openapi_extra=_CHUNK)
async def send_chunk(
    request: Request,
    project: OwnedProject,
    uploads: UploadsService,
    upload_id: str,
    upload_offset: Annotated[int, Header(ge=0, lt=2**63)],
) -> UploadInfo:
    """Send the next bytes, up to `chunk_bytes`; the answer comes after they are kept for good.
    A chunk that does not start at the upload's offset gets 409."""
    return await uploads.add(project, upload_id, upload_offset, request.stream())


@router.delete(f"{_PROJECT}/uploads/{{upload_id}}", status_code=204)
async def cancel_upload(project: OwnedProject, uploads: UploadsService, upload_id: str) -> None:
    """Forget an upload and free the room that it held."""
    await uploads.cancel(project, upload_id)


@router.get(_FILE)
async def get_stored_file(project: OwnedProject, files: FilesService, file_id: str) -> FileInfo:
    return await files.one(*project, file_id)


@router.patch(_FILE)
async def change_stored_file(
    project: OwnedProject, files: FilesService, file_id: str, body: ChangeFile
) -> FileInfo:
    """Rename or tag a file."""
    return await files.change(*project, file_id, body)


@router.delete(_FILE, status_code=204)
async def delete_stored_file(project: OwnedProject, files: FilesService, file_id: str) -> None:
    await files.remove(*project, file_id)


@router.get(f"{_FILE}/content", response_class=StreamingResponse, responses=_BYTES)
async def read_stored_file(
    request: Request, project: OwnedProject, files: FilesService, file_id: str
) -> Response:
    """Return the bytes, to keep; `Range` and `If-None-Match` are understood."""
    return await download(request, await files.one(*project, file_id), files)


@router.get(
    f"{_FILE}/thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
async def read_thumbnail(project: OwnedProject, files: FilesService, file_id: str) -> Response:
    """Return a small picture of the file, if the parser made one."""
    picture = await files.thumbnail(project[1], file_id)
    return Response(
        picture, headers={"Cache-Control": "private, max-age=300"}, media_type="image/png"
    )


@router.post(f"{_FILE}/links", status_code=201)
async def create_link(
    project: OwnedProject, actor: ActingUser, links: LinksService, file_id: str, body: CreateLink
) -> LinkInfo:
    """Make a link that works without a session, for a time and for this content only."""
    return await links.create(project, file_id, actor.user_id, body.expires_seconds)


@router.get(f"{_FILE}/links")
async def list_links(project: OwnedProject, links: LinksService, file_id: str) -> LinkList:
    """List the file's links; their addresses were shown once."""
    return LinkList(items=await links.listed(project, file_id))


@router.delete(f"{_FILE}/links/{{link_id}}", status_code=204)
async def revoke_link(
    project: OwnedProject, actor: ActingUser, links: LinksService, file_id: str, link_id: str
) -> None:
    """End a link at once."""
    await links.revoke(project, file_id, link_id, actor.user_id)


@router.get("/downloads/{token}", response_class=StreamingResponse, responses=_BYTES)
async def follow_link(
    request: Request, links: LinksService, files: FilesService, token: str
) -> Response:
    """Return the file of a live link; nothing but the link is needed."""
    return await download(request, await links.follow(token), files)
