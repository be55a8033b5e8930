"""Files that are stored, listed with their tags, renamed and removed."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence

from loguru import logger
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.files import store
from diono.features.files.errors import (
    FileNotFound,
    FileTooBig,
    NameTaken,
    QuotaExceeded,
    RevisionConflict,
    TagRefused,
)
from diono.features.files.schemas import (
    MOST_TAGS,
    TAG_LENGTH,
    ChangeFile,
    FileInfo,
    Origin,
    StorageUse,
)
from diono.features.files.service.contents import Keeping, Limits, NewContent
from diono.features.files.service.media import Sniffed, media_type
from diono.features.files.service.names import name_key, numbered, safe_name, shown_name
from diono.features.files.tables import StoredFile
from diono.infra.blobs import Blobs, BlobTooLarge
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.kernel.events import storable
from diono.kernel.ids import new_id

SavedListener = Callable[[FileInfo], Awaitable[None]]
RemovedListener = Callable[[str, str], Awaitable[None]]
_NAMES_TRIED = 200


class Files:
    """``owner_id`` is the owner of the project, who has been checked and who is charged."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock, limits: Limits) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self.limits = limits
        self._saved: list[SavedListener] = []
        self._removed: list[RemovedListener] = []

    def on_saved(self, listener: SavedListener) -> None:
        """Call it after a file was stored or got a new content; its errors are logged only."""
        self._saved.append(listener)

    def on_removed(self, listener: RemovedListener) -> None:
        """Call it with (project, file) after a file was removed."""
        self._removed.append(listener)

    async def save(
        self,
        owner_id: str,
        project_id: str,
        name: str,
        chunks: AsyncIterable[bytes],
        *,
        origin: Origin | str,
        replaces: str | None = None,
    ) -> FileInfo:
        """Store a stream; a taken name gets a number, ``replaces`` gives an existing file this
        content. Raises NameRefused, FileTooBig, QuotaExceeded, FileNotFound, StorageFull."""
        keeping = Keeping(Origin(origin), replaces)
        return await self.keep((owner_id, project_id), name, chunks, keeping)

    async def keep(
        self,
        project: tuple[str, str],
        name: str,
        chunks: AsyncIterable[bytes],
        keeping: Keeping,
    ) -> FileInfo:
        """Store a stream as ``save`` does, with what is to be written along with it."""
        safe = safe_name(name)
        use = await self.use(project[0])
        most = min(self.limits.most_file_bytes, max(0, use.quota - use.used - use.held))
        sniffed = Sniffed(chunks)
        try:
            blob = await self._blobs.put_stream(sniffed, most_bytes=most)
        except BlobTooLarge as error:
            if most < self.limits.most_file_bytes:
                raise self._over_quota() from error
            raise self.too_big() from error
        kind = media_type(sniffed.head, safe)
        content = NewContent(blob, name, kind, keeping.origin, keeping.replaces)
        async with self._database.write() as session:
            await store.lock_owner(session, project[0])
            await self.check_room(session, project[0], blob.size)
            file = await self.add(session, project, content)
            if keeping.along is not None:
                await keeping.along(session, file)
        return await self.announce(file)

    async def read(
        self, owner_id: str, project_id: str, file_id: str
    ) -> tuple[FileInfo, AsyncGenerator[bytes]]:
        """Return the file and its content. Raises FileNotFound."""
        info = await self.one(owner_id, project_id, file_id)
        return info, self._blobs.read(info.sha256)

    async def content(self, info: FileInfo, start: int, end: int) -> AsyncGenerator[bytes]:
        """Return the bytes of a file that has been looked up. Raises BlobMissing."""
        await self._blobs.size(info.sha256)
        return self._blobs.read(info.sha256, start, end)

    async def one(self, owner_id: str, project_id: str, file_id: str) -> FileInfo:
        """Raises FileNotFound."""
        async with self._database.read() as session:
            file = await self.found(session, project_id, file_id)
            return (await self.told(session, [file]))[0]

    async def change(
        self, owner_id: str, project_id: str, file_id: str, wanted: ChangeFile
    ) -> FileInfo:
        """Rename or tag a file. Raises FileNotFound, NameRefused, NameTaken, TagRefused."""
        tags = None if wanted.tags is None else checked_tags(wanted.tags)
        async with self._database.write() as session:
            file = await self.found(session, project_id, file_id, is_for_update=True)
            if wanted.name is not None:
                await self._rename(session, file, wanted.name)
            if tags is not None:
                await store.set_tags(session, file_id, tags)
            file.updated_at = self._clock.now()
        return await self.one(owner_id, project_id, file_id)

    async def remove(self, owner_id: str, project_id: str, file_id: str) -> None:
        """Raises FileNotFound. Its content goes with the next sweep, unless others have it."""
        async with self._database.write() as session:
            await self.found(session, project_id, file_id)
            await store.remove_file(session, file_id)
        for listener in self._removed:
            await _told_to(listener(project_id, file_id))

    async def set_thumbnail(self, project_id: str, file_id: str, picture: bytes) -> None:
        """Keep a picture that was made in a sandbox. Raises FileNotFound."""
        sha256 = await self._blobs.put(picture)
        async with self._database.write() as session:
            file = await self.found(session, project_id, file_id, is_for_update=True)
            file.thumbnail_sha256 = sha256

    async def thumbnail(self, project_id: str, file_id: str) -> bytes:
        """Raises FileNotFound."""
        async with self._database.read() as session:
            file = await self.found(session, project_id, file_id)
        if file.thumbnail_sha256 is None:
            raise FileNotFound(f"The file {file_id!r} has no thumbnail.")
        return await self._blobs.get(file.thumbnail_sha256)

    async def use(self, owner_id: str) -> StorageUse:
        async with self._database.read() as session:
            used = await store.used_bytes(session, owner_id)
            held = await store.held_bytes(session, owner_id, self._clock.now())
        limits = self.limits
        return StorageUse(
            used=used, held=held, quota=limits.quota, most_file_bytes=limits.most_file_bytes
        )

    async def check_room(self, session: AsyncSession, owner_id: str, size: int) -> None:
        """Raises QuotaExceeded. The caller holds the owner's row (``store.lock_owner``)."""
        used = await store.used_bytes(session, owner_id)
        held = await store.held_bytes(session, owner_id, self._clock.now())
        if used + held + size > self.limits.quota:
            raise self._over_quota()

    def too_big(self) -> FileTooBig:
        return FileTooBig(
            f"A file may have {self.limits.most_file_bytes} bytes. Send a smaller one, or ask an "
            "admin to raise DIONO_FILE_LIMIT_MB."
        )

    def _over_quota(self) -> QuotaExceeded:
        return QuotaExceeded(
            f"The project's owner may store {self.limits.quota} bytes in all, open uploads "
            "included. Remove files, or ask an admin to raise DIONO_USER_QUOTA_MB."
        )

    async def add(
        self, session: AsyncSession, project: tuple[str, str], content: NewContent
    ) -> StoredFile:
        """Add or replace a file in the caller's transaction. Raises FileNotFound,
        RevisionConflict."""
        now, blob = self._clock.now(), content.blob
        if content.replaces is not None:
            file = await self.found(session, project[1], content.replaces, is_for_update=True)
            if content.revision is not None and content.revision != file.revision:
                raise RevisionConflict(
                    f"The file has revision {file.revision} by now, not {content.revision}. Read "
                    "it again before you replace it."
                )
            file.revision += 1
            file.thumbnail_sha256 = None
        else:
            name = await self._free_name(session, project[1], safe_name(content.given_name))
            file = StoredFile(
                file_id=new_id("fil"),
                owner_id=project[0],
                project_id=project[1],
                name=name,
                name_key=name_key(name),
                original_name=shown_name(storable(content.given_name)),
                revision=1,
                created_at=now,
            )
            session.add(file)
        file.size, file.sha256 = blob.size, blob.sha256
        file.media_type, file.origin = content.media_type, content.origin
        file.updated_at = now
        await session.flush()
        return file

    async def announce(self, file: StoredFile) -> FileInfo:
        """Tell the listeners of a file whose transaction is through."""
        async with self._database.read() as session:
            (info,) = await self.told(session, [file])
        for listener in self._saved:
            await _told_to(listener(info))
        return info

    async def found(
        self, session: AsyncSession, project_id: str, file_id: str, *, is_for_update: bool = False
    ) -> StoredFile:
        """Raises FileNotFound."""
        file = await store.file_of(session, project_id, file_id, is_for_update=is_for_update)
        if file is None:
            raise FileNotFound(f"The project has no stored file {file_id!r}.")
        return file

    async def told(self, session: AsyncSession, files: Sequence[StoredFile]) -> list[FileInfo]:
        tags = await store.tags_of(session, [file.file_id for file in files])
        return [info_of(file, tags.get(file.file_id, [])) for file in files]

    async def _rename(self, session: AsyncSession, file: StoredFile, given: str) -> None:
        name = safe_name(given)
        key = name_key(name)
        if key != file.name_key and await store.taken_keys(session, file.project_id, [key]):
            raise NameTaken(f"The project has another file {name!r}. Choose another name.")
        file.name, file.name_key = name, key
        file.original_name = shown_name(storable(given))

    async def _free_name(self, session: AsyncSession, project_id: str, name: str) -> str:
        names = [name, *(numbered(name, number) for number in range(2, _NAMES_TRIED))]
        taken = await store.taken_keys(session, project_id, [name_key(item) for item in names])
        for item in names:
            if name_key(item) not in taken:
                return item
        return numbered(name, int(self._clock.now().timestamp() * 1_000_000))


def info_of(file: StoredFile, tags: Sequence[str]) -> FileInfo:
    return FileInfo(
        file_id=file.file_id,
        project_id=file.project_id,
        name=file.name,
        original_name=file.original_name,
        size=file.size,
        sha256=file.sha256,
        media_type=file.media_type,
        origin=Origin(file.origin),
        tags=list(tags),
        revision=file.revision,
        has_thumbnail=file.thumbnail_sha256 is not None,
        created_at=file.created_at,
        updated_at=file.updated_at,
    )


def checked_tags(given: Sequence[str]) -> list[str]:
    """Return them in order, each once. Raises TagRefused."""
    tags = sorted({" ".join(shown_name(storable(tag)).split()).casefold() for tag in given})
    if len(tags) > MOST_TAGS or not all(0 < len(tag) <= TAG_LENGTH for tag in tags):
        raise TagRefused(f"A tag has 1 to {TAG_LENGTH} characters; a file up to {MOST_TAGS} tags.")
    return tags


async def _told_to(telling: Awaitable[None]) -> None:
    try:
        await telling
    except DionoError as error:
        logger.warning("a listener to stored files failed: {}", error.detail)
