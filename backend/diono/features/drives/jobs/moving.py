"""Imports into and exports from a project's library, one file after the other."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncSession

from diono.drives.errors import (
    DriveItemNotFound,
    DriveItemRefused,
    DriveItemTooLarge,
    TransferBroken,
)
from diono.drives.hashes import too_large
from diono.drives.port import Drive, DriveItem, Upload
from diono.features.drives.jobs.held import Held
from diono.features.drives.jobs.walking import walk
from diono.features.drives.service import DriveLinks, OpenLink
from diono.features.drives.store import jobs as rows
from diono.features.drives.tables import DriveJobItem
from diono.features.files.errors import FileNotFound, FileTooBig, NameRefused
from diono.features.files.schemas import FileInfo, Origin
from diono.features.files.service import Files, Keeping
from diono.features.files.tables import StoredFile
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.kernel.ids import new_id

# What is the matter with one file only; the others are moved.
OF_ONE_FILE = (
    DriveItemNotFound,
    DriveItemRefused,
    DriveItemTooLarge,
    FileNotFound,
    FileTooBig,
    NameRefused,
)
TRIES = 3
_PAGE = 200


async def fetched(
    link: OpenLink, files: Files, held: Held, item: DriveItem, keeping: Keeping
) -> FileInfo:
    """Bring a file into the library, and what ``keeping`` writes along. A cut or changed body is
    fetched again. Raises TransferBroken, and what one file can have."""
    most_bytes = files.limits.most_file_bytes
    if item.size is not None and item.size > most_bytes:
        raise too_large(item.name, most_bytes)

    async def keep(drive: Drive) -> FileInfo:
        async with drive.download(item) as chunks:
            return await files.keep(held.project, item.name, _counted(chunks, held), keeping)

    for number in range(1, TRIES + 1):
        try:
            return await link.ask(keep)
        except TransferBroken:
            if number == TRIES:
                raise
    raise AssertionError("the last try returns or raises")


async def _counted(chunks: AsyncIterator[bytes], held: Held) -> AsyncIterator[bytes]:
    count = 0
    async for chunk in chunks:
        yield chunk
        count += len(chunk)
        await held.show_bytes(count)


class Mover:
    def __init__(
        self, database: Database, links: DriveLinks, files: Files, spool_dir: Path
    ) -> None:
        """``spool_dir`` holds what is on its way to a drive."""
        self._database = database
        self._links = links
        self._files = files
        self._spool_dir = spool_dir

    async def bring(self, held: Held) -> None:
        """Run an import. Raises DriveBusy, LinkBroken, QuotaExceeded, JobLost, …"""
        async with self._links.opened(held.job.started_by, str(held.job.link_id)) as link:
            await self._look(held, link)
            broken = [
                error
                for row in await self._open(held)
                if (error := await self._bring_one(held, link, row)) is not None
            ]
        if broken:
            # The others are there; these are tried again after a while.
            raise broken[0]

    async def _open(self, held: Held) -> list[DriveJobItem]:
        async with self._database.read() as session:
            return list(await rows.open_items(session, held.job.job_id))

    async def _look(self, held: Held, link: OpenLink) -> None:
        """Learn what is to be fetched, folders with all in them, so that progress is counted work
        over known work."""
        for row in await self._open(held):
            if row.name:
                continue
            try:
                item = await link.ask(lambda drive, of=row.item_id: drive.item(of))
                inside = await walk(link, item.item_id) if item.is_folder else None
            except OF_ONE_FILE as error:
                await self._fail(held, row, error)
                continue
            async with self._database.write() as session:
                row.name, row.size = item.name[:500], item.size
                if inside is None:
                    await session.merge(row)
                    await held.note(session, bytes_total=held.job.bytes_total + (item.size or 0))
                    continue
                files = [each for each in inside if not each.is_folder]
                await self._replace_folder(held, session, row, files)

    async def _replace_folder(
        self, held: Held, session: AsyncSession, row: DriveJobItem, files: list[DriveItem]
    ) -> None:
        known = await rows.known_ids(session, held.job.job_id)
        new = [each for each in files if each.item_id not in known]
        row.state = "DONE"
        await session.merge(row)
        for each in new:
            session.add(
                DriveJobItem(
                    entry_id=new_id("dji"),
                    job_id=held.job.job_id,
                    item_id=each.item_id,
                    name=each.name[:500],
                    size=each.size,
                    state="QUEUED",
                )
            )
        more = sum(each.size or 0 for each in new)
        await held.note(
            session,
            items_total=held.job.items_total - 1 + len(new),
            bytes_total=held.job.bytes_total + more,
        )

    async def _bring_one(
        self, held: Held, link: OpenLink, row: DriveJobItem
    ) -> TransferBroken | None:
        """Return why a file did not arrive whole, though tried three times."""

        async def note(session: AsyncSession, file: StoredFile) -> None:
            row.state, row.file_id, row.error, row.detail = "DONE", file.file_id, "", ""
            row.size = file.size
            await session.merge(row)
            await held.note_done(session, file.size)

        try:
            item = await link.ask(lambda drive: drive.item(row.item_id))
            await fetched(link, self._files, held, item, Keeping(Origin.DRIVE, along=note))
        except TransferBroken as error:
            row.error, row.detail = error.code, error.detail
            async with self._database.write() as session:
                await session.merge(row)
            return error
        except OF_ONE_FILE as error:
            await self._fail(held, row, error)
        return None

    async def _fail(self, held: Held, row: DriveJobItem, error: DionoError) -> None:
        row.state, row.error, row.detail = "FAILED", error.code, error.detail
        async with self._database.write() as session:
            await session.merge(row)
            await held.note(
                session,
                items_failed=held.job.items_failed + 1,
                error=error.code,
                detail=error.detail,
            )

    async def send(self, held: Held) -> None:
        """Run an export. Raises DriveBusy, LinkBroken, DriveFull, JobLost, …"""
        async with self._links.opened(held.job.started_by, str(held.job.link_id)) as link:
            for row in await self._open(held):
                try:
                    await self._send_one(held, link, row)
                except OF_ONE_FILE as error:
                    await self._fail(held, row, error)

    async def _send_one(self, held: Held, link: OpenLink, row: DriveJobItem) -> None:
        info, chunks = await self._files.read(*held.project, row.item_id)
        folder_id: str | None = held.job.request.get("folder_id")
        if row.state == "SENDING" and await self._has_arrived(link, folder_id, info):
            await chunks.aclose()
        else:
            row.state = "SENDING"
            async with self._database.write() as session:
                await session.merge(row)
                await held.note(session)
            with tempfile.TemporaryFile(dir=self._spool_dir) as spool:
                await _filled(spool, chunks)
                await self._upload(held, link, info, (folder_id, spool))
        row.state = "DONE"
        async with self._database.write() as session:
            await session.merge(row)
            await held.note_done(session, info.size)

    async def _upload(
        self, held: Held, link: OpenLink, info: FileInfo, to: tuple[str | None, BinaryIO]
    ) -> None:
        sent = 0

        def progress(count: int) -> None:
            nonlocal sent
            sent = count

        async def show() -> None:
            while True:
                await asyncio.sleep(1.0)
                await held.show_bytes(sent)

        async def upload(drive: Drive) -> DriveItem:
            to[1].seek(0)
            wanted = Upload(to[0], info.name, to[1], info.size, info.media_type, progress)
            return await drive.upload(wanted)

        showing = asyncio.create_task(show())
        try:
            await link.ask(upload)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    async def _has_arrived(self, link: OpenLink, folder_id: str | None, info: FileInfo) -> bool:
        """Tell whether an upload, of which it is not known how it ended, is there already."""
        cursor: str | None = None
        while True:
            at = cursor
            page = await link.ask(lambda drive, at=at: drive.list(folder_id, at, _PAGE))
            if any(each.name == info.name and each.size == info.size for each in page.items):
                return True
            cursor = page.cursor
            if cursor is None:
                return False


async def _filled(spool: BinaryIO, chunks: AsyncIterator[bytes]) -> None:
    async for chunk in chunks:
        await asyncio.to_thread(spool.write, chunk)
    spool.seek(0)
