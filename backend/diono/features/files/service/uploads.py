"""Resumable uploads: a chunk is acknowledged once its bytes and its row are durable."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import timedelta

from diono.features.files import store
from diono.features.files.errors import (
    DigestMismatch,
    OffsetConflict,
    TooManyUploads,
    UploadNotFound,
)
from diono.features.files.schemas import CreateUpload, FileInfo, Origin, UploadInfo
from diono.features.files.service.contents import NewContent
from diono.features.files.service.files import Files
from diono.features.files.service.media import HEAD_BYTES, media_type
from diono.features.files.service.names import safe_name, shown_name
from diono.features.files.tables import Upload, UploadPart
from diono.infra.blobs import Blobs, StoredBlob
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.events import storable
from diono.kernel.ids import new_id

CHUNK_BYTES = 16 * 1024 * 1024
KEPT_HOURS = 24
MOST_OPEN = 200

Project = tuple[str, str]


class Uploads:
    """``project`` is (owner, project), which has been checked."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock, files: Files) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._files = files

    async def create(self, project: Project, wanted: CreateUpload) -> UploadInfo:
        """Hold room for a file. Raises NameRefused, FileTooBig, QuotaExceeded, FileNotFound,
        TooManyUploads."""
        if wanted.size > self._files.limits.most_file_bytes:
            raise self._files.too_big()
        now = self._clock.now()
        upload = Upload(
            upload_id=new_id("upl"),
            owner_id=project[0],
            project_id=project[1],
            name=safe_name(wanted.name),
            original_name=shown_name(storable(wanted.name)),
            size=wanted.size,
            received=0,
            expected_digest=wanted.sha256,
            replaces=wanted.replaces,
            revision=wanted.revision,
            created_at=now,
            expires_at=now + timedelta(hours=KEPT_HOURS),
        )
        async with self._database.write() as session:
            await store.lock_owner(session, project[0])
            await self._files.check_room(session, project[0], wanted.size)
            if await store.open_uploads(session, project[0], now) >= MOST_OPEN:
                raise TooManyUploads(
                    f"There are {MOST_OPEN} open uploads. Complete or cancel one first."
                )
            if wanted.replaces is not None:
                await self._files.found(session, project[1], wanted.replaces)
            session.add(upload)
        if wanted.size == 0:
            return await self._complete(project, upload)
        return self._told(upload, None)

    async def add(
        self, project: Project, upload_id: str, start: int, chunks: AsyncIterable[bytes]
    ) -> UploadInfo:
        """Keep a chunk; the last one completes the file. Raises UploadNotFound, OffsetConflict
        if it does not start where the kept bytes end, BlobTooLarge, DigestMismatch, StorageFull;
        after any of them the bytes that were kept before are still there."""
        upload = await self._open(project, upload_id)
        _check_offset(upload, start)
        most = min(CHUNK_BYTES, upload.size - start)
        blob = await self._blobs.put_stream(chunks, most_bytes=most)
        if blob.size:
            async with self._database.write() as session:
                until = self._clock.now() + timedelta(hours=KEPT_HOURS)
                if not await store.advance(session, upload_id, (start, blob.size), until):
                    raise _conflict(await store.upload_of(session, project[1], upload_id), start)
                session.add(
                    UploadPart(upload_id=upload_id, start=start, size=blob.size, sha256=blob.sha256)
                )
            upload.received = start + blob.size
        if upload.received == upload.size:
            return await self._complete(project, upload)
        return self._told(upload, None)

    async def one(self, project: Project, upload_id: str) -> UploadInfo:
        """Raises UploadNotFound."""
        async with self._database.read() as session:
            upload = await store.upload_of(session, project[1], upload_id)
        if upload is None or upload.expires_at <= self._clock.now():
            raise _missing(upload_id)
        if upload.file_id is None:
            if upload.received == upload.size:
                # It was cut off between its last chunk and its completion.
                return await self._complete(project, upload)
            return self._told(upload, None)
        return self._told(upload, await self._files.one(*project, upload.file_id))

    async def listed(self, project: Project) -> list[UploadInfo]:
        """Return the open ones, newest first."""
        async with self._database.read() as session:
            rows = await store.uploads_of(session, project[1], self._clock.now())
        return [self._told(row, None) for row in rows]

    async def cancel(self, project: Project, upload_id: str) -> None:
        """Forget what was sent. Raises UploadNotFound."""
        async with self._database.write() as session:
            if await store.upload_of(session, project[1], upload_id) is None:
                raise _missing(upload_id)
            await store.remove_upload(session, upload_id)

    async def expire(self) -> int:
        """Forget abandoned and long completed ones; return how many."""
        async with self._database.write() as session:
            doomed = await store.expired_uploads(session, self._clock.now())
            for upload_id in doomed:
                await store.remove_upload(session, upload_id)
        return len(doomed)

    async def _open(self, project: Project, upload_id: str) -> Upload:
        async with self._database.read() as session:
            upload = await store.upload_of(session, project[1], upload_id)
        if upload is None or upload.expires_at <= self._clock.now():
            raise _missing(upload_id)
        return upload

    async def _complete(self, project: Project, upload: Upload) -> UploadInfo:
        """Join the parts. Two of these may run at once: one of them stores the file."""
        async with self._database.read() as session:
            row = await store.upload_of(session, project[1], upload.upload_id)
            parts = await store.parts_of(session, upload.upload_id)
        if row is None:
            raise _missing(upload.upload_id)
        if row.file_id is not None:
            return self._told(row, await self._files.one(*project, row.file_id))
        blob = await self._joined(parts)
        if upload.expected_digest is not None and upload.expected_digest != blob.sha256:
            await self.cancel(project, upload.upload_id)
            raise DigestMismatch(
                f"What arrived has the hash {blob.sha256}, not {upload.expected_digest}. Nothing "
                "was stored; upload it again."
            )
        head = await self._head(blob)
        content = NewContent(
            blob,
            upload.original_name,
            media_type(head, upload.name),
            Origin.UPLOAD,
            upload.replaces,
            upload.revision,
        )
        info = await self._store(project, upload, content)
        upload.file_id, upload.received = info.file_id, upload.size
        return self._told(upload, info)

    async def _store(self, project: Project, upload: Upload, content: NewContent) -> FileInfo:
        async with self._database.write() as session:
            await store.lock_owner(session, project[0])
            row = await store.upload_of(session, project[1], upload.upload_id)
            if row is None:
                raise _missing(upload.upload_id)
            if row.file_id is not None:
                return (
                    await self._files.told(
                        session, [await self._files.found(session, project[1], row.file_id)]
                    )
                )[0]
            file = await self._files.add(session, project, content)
            row.file_id = file.file_id
            await store.remove_parts(session, upload.upload_id)
        return await self._files.announce(file)

    async def _joined(self, parts: Sequence[UploadPart]) -> StoredBlob:
        if len(parts) == 1:
            return StoredBlob(parts[0].sha256, parts[0].size)
        return await self._blobs.put_stream(self._contents(parts))

    async def _contents(self, parts: Sequence[UploadPart]) -> AsyncIterator[bytes]:
        for part in parts:
            async for piece in self._blobs.read(part.sha256):
                yield piece

    async def _head(self, blob: StoredBlob) -> bytes:
        head = b""
        async with aclosing(self._blobs.read(blob.sha256, 0, HEAD_BYTES)) as pieces:
            async for piece in pieces:
                head += piece
        return head

    def _told(self, upload: Upload, file: FileInfo | None) -> UploadInfo:
        return UploadInfo(
            upload_id=upload.upload_id,
            project_id=upload.project_id,
            name=upload.name,
            size=upload.size,
            offset=upload.received,
            chunk_bytes=CHUNK_BYTES,
            is_complete=file is not None,
            file=file,
            expires_at=upload.expires_at,
        )


def _check_offset(upload: Upload, start: int) -> None:
    """Raises OffsetConflict."""
    if upload.received != start or upload.file_id is not None:
        raise _conflict(upload, start)


def _conflict(upload: Upload | None, start: int) -> OffsetConflict:
    kept = 0 if upload is None else upload.received
    return OffsetConflict(
        f"The upload has {kept} bytes, so a chunk cannot start at {start}. Ask for its state and "
        "go on from its `offset`."
    )


def _missing(upload_id: str) -> UploadNotFound:
    return UploadNotFound(
        f"There is no upload {upload_id!r}, or it has expired. Begin a new one: `POST …/uploads`."
    )
