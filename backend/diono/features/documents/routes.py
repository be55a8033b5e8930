"""Documents over HTTP. What stands in a document is data; it is never served as a page."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diono.features.documents.access import (
    DocumentsService,
    Following,
    SearchService,
    TablesService,
)
from diono.features.documents.schemas import (
    AddDocument,
    AskAnswer,
    AskDocuments,
    DocumentDetail,
    DocumentInfo,
    DocumentPage,
    DocumentPreview,
    DocumentStatus,
    RowPage,
    SearchResult,
    SectionPage,
)
from diono.features.projects.access import ActingUser, OwnedProject
from diono.kernel.errors import DionoError

router = APIRouter(prefix="/api/projects/{project_id}/documents", tags=["documents"])

_INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-cache",
}
_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}
_BYTES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
Number = Annotated[int, Query(ge=1, le=10**9)]


@router.get("")
async def list_documents(
    project: OwnedProject,
    documents: DocumentsService,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    status: DocumentStatus | None = None,
) -> DocumentPage:
    """List a project's documents, newest first."""
    return await documents.page(project[1], cursor, limit, status)


@router.post("", status_code=201)
async def add_document(
    project: OwnedProject, documents: DocumentsService, body: AddDocument
) -> DocumentInfo:
    """Make a document of a stored file. Uploads become documents by themselves."""
    return await documents.add(project, body.file_id)


@router.get("/search")
async def search_documents(
    project: OwnedProject,
    search: SearchService,
    q: Annotated[str, Query(min_length=1, max_length=1000, description="Words; no syntax.")],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> SearchResult:
    """Find sections by words, and by meaning where a model of embeddings is set."""
    return await search.search(project[1], q, limit)


@router.get("/events", response_class=EventSourceResponse)
async def follow_documents(
    project: OwnedProject,
    follower: Following,
    since: Annotated[int, Query(ge=0, lt=2**62)] = 0,
    follow: Annotated[bool, Query(description="Go on when all documents are settled.")] = False,
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**62)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream each change of a document: `document` events with its state and progress, `removed`
    with its id. Ends once all are settled, unless `follow`; with an event `error` as soon as you
    may no longer read the project. Resumes after `Last-Event-ID`."""
    start = since if last_event_id is None else last_event_id
    try:
        async with aclosing(follower.watch(project[1], start, follows=follow)) as changes:
            async for change in changes:
                yield _told(change)
    except DionoError as error:
        yield ServerSentEvent(data={"error": error.code, "detail": error.detail}, event="error")


def _told(change: tuple[int, DocumentInfo] | str | None) -> ServerSentEvent:
    if change is None:
        return ServerSentEvent(comment="still here")
    if isinstance(change, str):
        return ServerSentEvent(data={"document_id": change}, event="removed")
    revision, info = change
    return ServerSentEvent(data=info.model_dump(mode="json"), event="document", id=str(revision))


@router.post("/ask")
async def ask_documents(
    project: OwnedProject, actor: ActingUser, tables: TablesService, body: AskDocuments
) -> AskAnswer:
    """Answer a question over tables: a number, the code that made it, the cells it comes from, a
    chart, and what was understood. It may take some seconds, with a small model half a minute."""
    return await tables.ask(project, actor.user_id, body)


@router.get("/answers/{answer_id}")
async def get_answer(project: OwnedProject, tables: TablesService, answer_id: str) -> AskAnswer:
    return await tables.answer(project[1], answer_id)


@router.get("/answers/{answer_id}/chart", response_class=Response, responses=_PNG)
async def get_chart(project: OwnedProject, tables: TablesService, answer_id: str) -> Response:
    """Return the chart of an answer, a PNG."""
    content = await tables.chart(project[1], answer_id)
    return Response(content, media_type="image/png", headers=_INERT)


@router.get("/{document_id}")
async def get_document(
    project: OwnedProject, documents: DocumentsService, document_id: str
) -> DocumentDetail:
    """Return a document with its metadata, and its tables with their profile."""
    return await documents.one(project[1], document_id)


@router.delete("/{document_id}", status_code=204)
async def delete_document(
    project: OwnedProject,
    documents: DocumentsService,
    document_id: str,
    keep_file: Annotated[bool, Query(description="Keep the stored file.")] = False,
) -> None:
    """Remove a document, what was read of it, and its file."""
    await documents.remove(project, document_id, with_file=not keep_file)


@router.post("/{document_id}/parse", status_code=202)
async def parse_document(
    project: OwnedProject, documents: DocumentsService, document_id: str
) -> DocumentInfo:
    """Read a document once more."""
    return await documents.parse_again(project[1], document_id)


@router.get("/{document_id}/sections")
async def list_sections(
    project: OwnedProject,
    documents: DocumentsService,
    document_id: str,
    anchor: Annotated[str | None, Query(max_length=300)] = None,
    cursor: Number = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> SectionPage:
    """Return the text piece by piece, from an anchor or a cursor on."""
    return await documents.sections(project[1], document_id, anchor, cursor, limit)


@router.get("/{document_id}/rows")
async def list_rows(
    project: OwnedProject,
    tables: TablesService,
    document_id: str,
    table: Annotated[str, Query(min_length=1, max_length=300)],
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RowPage:
    """Return rows of a table; beyond the first they come from a sandbox."""
    return await tables.rows(project, document_id, table, offset, limit)


@router.get("/{document_id}/preview")
async def preview_document(
    project: OwnedProject, documents: DocumentsService, document_id: str
) -> DocumentPreview:
    """Return the beginning of the text and of each table."""
    return await documents.preview(project[1], document_id)


@router.get("/{document_id}/thumbnail", response_class=Response, responses=_PNG)
async def document_thumbnail(
    project: OwnedProject, documents: DocumentsService, document_id: str
) -> Response:
    """Return a small picture, a PNG made in a sandbox."""
    content = await documents.thumbnail(project[1], document_id)
    return Response(content, media_type="image/png", headers=_INERT)


@router.get("/{document_id}/content", response_class=StreamingResponse, responses=_BYTES)
async def download_document(
    project: OwnedProject, documents: DocumentsService, document_id: str
) -> Response:
    """Return the file as it came, to keep."""
    info, content = await documents.original(project[1], document_id)
    name = quote(info.name, safe="")
    headers = {
        **_INERT,
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Length": str(info.size),
    }
    return StreamingResponse(content, headers=headers, media_type="application/octet-stream")
