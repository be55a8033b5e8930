"""The file services of a request, and ranges of what it wants."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import Response, StreamingResponse

from diono.features.files.schemas import FileInfo
from diono.features.files.service import Files, Links, Uploads

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
# Types that a browser may show by itself; anything else, above all markup, is bytes to keep.
_INERT = re.compile(r"image/(png|jpeg|gif|webp|bmp)|application/pdf|text/(plain|csv)|audio/.*")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
}


def files_service(request: Request) -> Files:
    return request.app.state.files


def uploads_service(request: Request) -> Uploads:
    return request.app.state.uploads


def links_service(request: Request) -> Links:
    return request.app.state.links


FilesService = Annotated[Files, Depends(files_service)]
UploadsService = Annotated[Uploads, Depends(uploads_service)]
LinksService = Annotated[Links, Depends(links_service)]


async def download(request: Request, info: FileInfo, files: Files) -> Response:
    """Return a stored file, or the range of it that the request names, as an attachment."""
    etag = f'"{info.sha256}"'
    headers = {**_HEADERS, "ETag": etag, "Content-Disposition": disposition(info.name)}
    if etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("Range", "")
    part = _range(wanted, info.size) if request.headers.get("If-Range", etag) == etag else None
    start, end = part or (0, info.size)
    if start >= end and part is not None:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{info.size}"})
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{info.size}"
    kind = info.media_type if _INERT.fullmatch(info.media_type) else "application/octet-stream"
    content = await files.content(info, start, end)
    return StreamingResponse(content, 206 if part else 200, headers, kind)


def disposition(name: str) -> str:
    """Return the header that makes a browser keep a file under its name (RFC 6266)."""
    plain = name.encode("ascii", "replace").decode().replace("\\", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _range(wanted: str, size: int) -> tuple[int, int] | None:
    """Return (start, end); None, so all of it, for several ranges or other units."""
    match = _RANGE.fullmatch(wanted.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
