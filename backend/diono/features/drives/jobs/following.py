"""Brings a library into step with a folder of a drive.

Every file is stored in one transaction with the note of what it came from, and the cursor moves on
in the one that ends its page: whatever kills the process, the next run sees again what was not
brought, and knows what was.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from diono.drives.errors import CursorExpired
from diono.drives.port import Change, DriveItem
from diono.features.drives.errors import DriveSyncNotFound
from diono.features.drives.jobs.held import Held
from diono.features.drives.jobs.moving import OF_ONE_FILE, fetched
from diono.features.drives.jobs.walking import walk
from diono.features.drives.service import DriveLinks, OpenLink
from diono.features.drives.store import syncs as rows
from diono.features.drives.tables import DriveSync, DriveSyncItem
from diono.features.files.errors import FileNotFound, NameRefused, NameTaken
from diono.features.files.schemas import ChangeFile, Origin
from diono.features.files.service import Files, Keeping
from diono.features.files.tables import StoredFile
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.ids import new_id

_AT_ONCE = 500


class Follower:
    def __init__(self, database: Database, links: DriveLinks, files: Files, clock: Clock) -> None:
        self._database = database
        self._links = links
        self._files = files
        self._clock = clock

    async def follow(self, held: Held) -> None:
        """Run a sync. Raises DriveBusy, LinkBroken, QuotaExceeded, JobLost, …"""
        sync_id = str(held.job.sync_id)
        async with self._database.read() as session:
            sync = await rows.one(session, held.job.project_id, sync_id)
            entries = await rows.entries(session, sync_id)
        if sync is None:
            raise DriveSyncNotFound("The folder is followed no more.")
        async with self._links.opened(held.job.started_by, sync.link_id) as link:
            step = _Step(self._database, self._files, self._clock, held, link, sync, entries)
            await step.run()


class _Step:
    """One run over one folder. ``entries`` is what the database knows, by the drive's ids."""

    def __init__(  # noqa: PLR0913 - the parts of one run
        self,
        database: Database,
        files: Files,
        clock: Clock,
        held: Held,
        link: OpenLink,
        sync: DriveSync,
        entries: dict[str, DriveSyncItem],
    ) -> None:
        self._database = database
        self._files = files
        self._clock = clock
        self._held = held
        self._link = link
        self._sync = sync
        self._entries = entries

    @property
    def _folder(self) -> str | None:
        return self._sync.folder_id or None

    async def run(self) -> None:
        if self._sync.cursor is not None:
            try:
                await self._catch_up(self._sync.cursor)
                return
            except CursorExpired:
                pass
        await self._compare()

    async def _compare(self) -> None:
        """Bring all that differs. The cursor is taken before, so that nothing falls between."""
        cursor = await self._link.ask(lambda drive: drive.start_cursor(self._folder))
        found = await walk(self._link, self._folder)
        await self._bring(found)
        here = {item.item_id for item in found}
        gone = [item_id for item_id in self._entries if item_id not in here]
        await self._end_page(found, gone, cursor)

    async def _catch_up(self, cursor: str) -> None:
        has_more = True
        while has_more:
            at = cursor
            page = await self._link.ask(lambda drive, at=at: drive.changes(self._folder, at))
            inside, gone = await self._sorted(page.changes)
            await self._bring(inside)
            await self._end_page(inside, gone, page.cursor)
            cursor, has_more = page.cursor, page.has_more

    async def _sorted(self, changes: Sequence[Change]) -> tuple[list[DriveItem], list[str]]:
        """Return what is in the folder now, and the ids of what is not any more. A folder that
        comes in brings what is in it."""
        last = {change.item_id: change for change in changes}
        inside: dict[str, DriveItem] = {}
        waiting = [change.item for change in last.values() if change.item is not None]
        # A child may be told before its parent.
        while arrived := [item for item in waiting if self._is_inside(item, inside)]:
            waiting = [item for item in waiting if not self._is_inside(item, inside)]
            for item in arrived:
                inside[item.item_id] = item
                if item.is_folder and item.item_id not in self._entries:
                    for each in await walk(self._link, item.item_id):
                        inside.setdefault(each.item_id, each)
        gone = [item_id for item_id in last if item_id not in inside and item_id in self._entries]
        return list(inside.values()), [*gone, *self._below(gone)]

    def _is_inside(self, item: DriveItem, inside: dict[str, DriveItem]) -> bool:
        parent = item.parent_id or ""
        if not self._sync.folder_id or parent == self._sync.folder_id or parent in inside:
            return True
        entry = self._entries.get(parent)
        return entry is not None and entry.file_id is None

    def _below(self, ids: Iterable[str]) -> list[str]:
        """Return what is known to be in folders that are gone, however deep."""
        children: dict[str, list[str]] = {}
        for entry in self._entries.values():
            children.setdefault(entry.parent_id or "", []).append(entry.item_id)
        found: list[str] = []
        waiting = list(ids)
        while waiting:
            inside = children.pop(waiting.pop(), [])
            found += inside
            waiting += inside
        return found

    async def _bring(self, items: Sequence[DriveItem]) -> None:
        changed = [item for item in items if not item.is_folder and self._is_new(item)]
        job = self._held.job
        await self._held.note(
            items_total=job.items_done + job.items_failed + len(changed),
            bytes_total=job.bytes_done + sum(item.size or 0 for item in changed),
        )
        for item in changed:
            try:
                await self._bring_one(item)
            except OF_ONE_FILE as error:
                await self._held.note(
                    items_failed=job.items_failed + 1,
                    error=error.code,
                    detail=f"{item.name}: {error.detail}",
                )
        for item in items:
            await self._rename(item)

    def _is_new(self, item: DriveItem) -> bool:
        entry = self._entries.get(item.item_id)
        return entry is None or not item.version or entry.version != item.version

    async def _bring_one(self, item: DriveItem) -> None:
        former = self._entries.get(item.item_id)
        replaces = former.file_id if former is not None else None
        kept: list[DriveSyncItem] = []

        async def note(session: AsyncSession, file: StoredFile) -> None:
            kept.append(await session.merge(self._entry(item, file.file_id)))
            await self._held.note_done(session, file.size)

        try:
            keeping = Keeping(Origin.DRIVE, replaces, note)
            await fetched(self._link, self._files, self._held, item, keeping)
        except FileNotFound:
            # It was removed from the library; what changed on the drive comes back.
            if replaces is None:
                raise
            keeping = Keeping(Origin.DRIVE, None, note)
            await fetched(self._link, self._files, self._held, item, keeping)
        self._entries[item.item_id] = kept[-1]

    def _entry(self, item: DriveItem, file_id: str | None) -> DriveSyncItem:
        former = self._entries.get(item.item_id)
        return DriveSyncItem(
            entry_id=former.entry_id if former is not None else new_id("dse"),
            sync_id=self._sync.sync_id,
            item_id=item.item_id,
            parent_id=item.parent_id,
            name=item.name[:500],
            version=item.version[:300],
            file_id=file_id,
        )

    async def _rename(self, item: DriveItem) -> None:
        """Let the library's file have the drive's new name, if that is free."""
        entry = self._entries.get(item.item_id)
        if entry is None or entry.file_id is None or entry.name == item.name[:500]:
            return
        try:
            await self._files.change(*self._held.project, entry.file_id, ChangeFile(name=item.name))
        except (FileNotFound, NameTaken, NameRefused):
            return

    async def _end_page(self, items: Sequence[DriveItem], gone: list[str], cursor: str) -> None:
        if not self._sync.keeps_deleted:
            for item_id in gone:
                await self._remove_file(self._entries[item_id])
        async with self._database.write() as session:
            for item in items:
                known = self._entries.get(item.item_id)
                if item.is_folder or known is not None:
                    file_id = known.file_id if known is not None else None
                    is_same = known is not None and not self._is_new(item)
                    entry = self._entry(item, file_id)
                    # What could not be brought keeps its old version, to be tried again.
                    if known is not None and not item.is_folder and not is_same:
                        entry.version = known.version
                    self._entries[item.item_id] = await session.merge(entry)
            for start in range(0, len(gone), _AT_ONCE):
                await rows.forget(session, self._sync.sync_id, gone[start : start + _AT_ONCE])
            sync = await session.get_one(DriveSync, self._sync.sync_id)
            sync.cursor, sync.synced_at = cursor, self._clock.now()
            await self._held.note(session)
        for item_id in gone:
            self._entries.pop(item_id, None)

    async def _remove_file(self, entry: DriveSyncItem) -> None:
        if entry.file_id is None:
            return
        try:
            await self._files.remove(*self._held.project, entry.file_id)
        except FileNotFound:
            return
