"""Documents of a project: listed, read, watched, removed, read again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import column, select, table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.documents.errors import (
    AnchorNotFound,
    DocumentNotFound,
    DocumentNotReady,
    NoThumbnail,
)
from diono.features.documents.schemas import (
    DocumentDetail,
    DocumentInfo,
    DocumentPage,
    DocumentPreview,
    DocumentStatus,
    SectionPage,
)
from diono.features.documents.service.views import detail_of, info_of, parsed_of, section_of
from diono.features.documents.store import documents as rows
from diono.features.documents.store import pieces
from diono.features.documents.tables import Document
from diono.features.files.schemas import FileInfo, Origin
from diono.features.files.service import Files
from diono.infra.blobs import Blobs
from diono.infra.bus import Bus
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.ids import new_id

HEARTBEAT_SECONDS = 15.0
# Wakes those who parse: there is something to do.
WORK_TOPIC = "documents"
_ANCHORS_NAMED = 12
_PROJECTS = table("projects", column("project_id"), column("owner_id"))


def topic_of(project_id: str) -> str:
    return f"documents:{project_id}"


@dataclass(frozen=True)
class Store:
    """Where documents are kept."""

    database: Database
    bus: Bus
    blobs: Blobs
    clock: Clock


class Documents:
    """Every method takes a project that the caller may use; foreign documents are missing ones."""

    def __init__(self, store: Store, files: Files) -> None:
        self._store = store
        self._files = files

    async def file_saved(self, file: FileInfo) -> None:
        """Make a document of a new file, or read one again that got a new content. What a task
        built is no document until somebody asks."""
        if file.origin is not Origin.TASK:
            await self._add(file)

    async def file_removed(self, project_id: str, file_id: str) -> None:
        async with self._store.database.write() as session:
            row = await rows.of_file(session, project_id, file_id)
            if row is not None:
                await rows.remove(session, row.document_id)
        self._changed(project_id)

    async def add(self, project: tuple[str, str], file_id: str) -> DocumentInfo:
        """Make a document of a stored file; one that there is already stays. Raises
        FileNotFound."""
        return await self._add(await self._files.one(*project, file_id))

    async def page(
        self, project_id: str, cursor: str | None, limit: int, status: DocumentStatus | None
    ) -> DocumentPage:
        async with self._store.database.read() as session:
            found = await rows.page(session, project_id, cursor, limit + 1, status)
        items = [info_of(row) for row in found[:limit]]
        has_more = len(found) > limit
        return DocumentPage(items=items, next_cursor=items[-1].document_id if has_more else None)

    async def one(self, project_id: str, document_id: str) -> DocumentDetail:
        """Raises DocumentNotFound."""
        async with self._store.database.read() as session:
            return detail_of(await self.found(session, project_id, document_id))

    async def preview(self, project_id: str, document_id: str) -> DocumentPreview:
        """Raises DocumentNotFound, DocumentNotReady."""
        async with self._store.database.read() as session:
            row = await self.found(session, project_id, document_id)
        check_ready(row)
        parsed = parsed_of(row)
        return DocumentPreview(name=row.name, text=parsed.preview_text, tables=list(parsed.tables))

    async def sections(
        self,
        project_id: str,
        document_id: str,
        anchor: str | None = None,
        cursor: int = 1,
        limit: int = 20,
    ) -> SectionPage:
        """Return sections from an anchor or a number on. Raises DocumentNotFound,
        DocumentNotReady, AnchorNotFound."""
        async with self._store.database.read() as session:
            row = await self.found(session, project_id, document_id)
            check_ready(row)
            if anchor is not None:
                cursor = await self._number_of(session, row, anchor)
            found = await pieces.from_number(session, document_id, cursor, limit + 1)
        next_cursor = found[limit].number if len(found) > limit else None
        return SectionPage(
            items=[section_of(piece) for piece in found[:limit]], next_cursor=next_cursor
        )

    async def thumbnail(self, project_id: str, document_id: str) -> bytes:
        """Return a PNG. Raises DocumentNotFound, NoThumbnail."""
        async with self._store.database.read() as session:
            row = await self.found(session, project_id, document_id)
            outputs = await rows.outputs(session, document_id)
        output = outputs.get(str(row.facts.get("thumbnail") or ""))
        if output is None:
            raise NoThumbnail("There is no picture of this document. Read its preview instead.")
        return await self._store.blobs.get(output.sha256)

    async def original(
        self, project_id: str, document_id: str
    ) -> tuple[DocumentInfo, AsyncIterator[bytes]]:
        """Return the stored file as it came. Raises DocumentNotFound."""
        async with self._store.database.read() as session:
            row = await self.found(session, project_id, document_id)
        return info_of(row), self._store.blobs.read(row.sha256)

    async def remove(self, project: tuple[str, str], document_id: str, with_file: bool) -> None:
        """Raises DocumentNotFound."""
        async with self._store.database.write() as session:
            row = await self.found(session, project[1], document_id)
            await rows.remove(session, document_id)
        self._changed(project[1])
        if with_file:
            await self._files.remove(*project, row.file_id)

    async def parse_again(self, project_id: str, document_id: str) -> DocumentInfo:
        """Read a document once more. Raises DocumentNotFound, DocumentNotReady while it is being
        read."""
        async with self._store.database.write() as session:
            row = await self.found(session, project_id, document_id)
            if row.status in {DocumentStatus.PARSING, DocumentStatus.WAITING}:
                raise DocumentNotReady(
                    f"{row.name} is being read already ({row.status}). Follow its progress at "
                    f"`GET /api/projects/{project_id}/documents/events`."
                )
            await self._begin(session, row)
        self._changed(project_id)
        return info_of(row)

    async def watch(
        self, project_id: str, since: int, *, follows: bool = True
    ) -> AsyncIterator[tuple[int, DocumentInfo] | str | None]:
        """Yield (revision, document) for each change after ``since``; the id of a document that
        was removed meanwhile; None as a heartbeat. Without ``follows`` it ends once no document
        is waiting or being read."""
        known: set[str] = set()
        database, bus = self._store.database, self._store.bus
        with bus.subscribe(topic_of(project_id)) as subscription:
            while True:
                async with database.read() as session:
                    changed = await rows.changed_after(session, project_id, since)
                    present = await rows.ids(session, project_id)
                    has_open = await rows.has_open(session, project_id)
                for row in changed:
                    since = max(since, row.revision)
                    yield row.revision, info_of(row)
                for document_id in known - present:
                    yield document_id
                known = present
                if not (changed or has_open or follows):
                    return
                if not changed and not await subscription.wait(HEARTBEAT_SECONDS):
                    yield None

    async def found(self, session: AsyncSession, project_id: str, document_id: str) -> Document:
        """Raises DocumentNotFound."""
        row = await rows.one(session, project_id, document_id)
        if row is None:
            raise DocumentNotFound(f"The project has no document {document_id!r}.")
        return row

    async def _number_of(self, session: AsyncSession, row: Document, anchor: str) -> int:
        number = await pieces.number_of(session, row.document_id, anchor)
        if number is None:
            have = await pieces.anchors(session, row.document_id, _ANCHORS_NAMED)
            raise AnchorNotFound(
                f"{row.name} has no section {anchor[:100]!r}. It has: {', '.join(have) or 'none'}."
            )
        return number

    async def _add(self, file: FileInfo) -> DocumentInfo:
        try:
            async with self._store.database.write() as session:
                row = await self._row_of(session, file)
        except IntegrityError:
            # Another process was first with the same file.
            async with self._store.database.write() as session:
                row = await self._row_of(session, file)
        self._changed(file.project_id)
        return info_of(row)

    async def _row_of(self, session: AsyncSession, file: FileInfo) -> Document:
        row = await rows.of_file(session, file.project_id, file.file_id)
        if row is None:
            owner = select(_PROJECTS.c.owner_id).where(_PROJECTS.c.project_id == file.project_id)
            now = self._store.clock.now()
            row = Document(
                document_id=new_id("doc"),
                project_id=file.project_id,
                owner_id=str(await session.scalar(owner)),
                file_id=file.file_id,
                created_at=now,
                changed_at=now,
                revision=0,
                sha256="",
            )
            session.add(row)
        row.name, row.size, row.media_type = file.name, file.size, file.media_type
        if row.sha256 != file.sha256:
            row.sha256 = file.sha256
            await self._begin(session, row)
        return row

    async def _begin(self, session: AsyncSession, row: Document) -> None:
        """Put a document in line; whoever reads its former content loses the claim to it."""
        await rows.clear(session, row.document_id)
        row.status, row.progress, row.progress_note = DocumentStatus.WAITING, 0.0, ""
        row.error_code, row.error_reason = "", ""
        row.attempts, row.claimed_by, row.claimed_until = 0, "", None
        row.facts, row.kind, row.title = {}, "", ""
        row.piece_count, row.vector_count = 0, 0
        rows.touch(row, self._store.clock.now())

    def _changed(self, project_id: str) -> None:
        self._store.bus.publish(topic_of(project_id))
        self._store.bus.publish(WORK_TOPIC)


def check_ready(row: Document) -> None:
    """Raises DocumentNotReady."""
    if row.status == DocumentStatus.REFUSED:
        raise DocumentNotReady(
            f"{row.name} could not be read ({row.error_code}): {row.error_reason} The file itself "
            "can be downloaded."
        )
    if row.status != DocumentStatus.READY:
        raise DocumentNotReady(
            f"{row.name} is {row.status} ({row.progress:.0%}). Wait until it is ready."
        )
