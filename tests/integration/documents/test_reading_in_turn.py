"""Who reads what and when: users in turn, leases, and what a killed process leaves behind."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.accounts.tables import User
from diono.features.documents.jobs.claims import LEASE_SECONDS, Claims
from diono.features.documents.schemas import DocumentStatus
from diono.features.documents.service import Documents, Store
from diono.features.files.schemas import FileInfo, Origin
from diono.features.files.service import Files, Limits
from diono.features.projects.tables import Project
from diono.infra.blobs import FolderBlobs
from diono.infra.bus import MemoryBus
from diono.infra.database import Database, sqlite_url
from diono.infra.migrations import migrate
from diono.kernel.ids import new_id


class HeldClock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


class Shop:
    def __init__(self, store: Store, clock: HeldClock) -> None:
        self.store, self.clock = store, clock
        limits = Limits(10**9, 10**9)
        self.files = Files(store.database, store.blobs, clock, limits)
        self.documents = Documents(store, self.files)
        self.files.on_saved(self.documents.file_saved)
        self.files.on_removed(self.documents.file_removed)

    async def project(self) -> tuple[str, str]:
        async with self.store.database.write() as session:
            owner = await _owner(session)
            now = self.clock.now()
            project = Project(
                project_id=new_id("prj"), owner_id=owner, name="P", created_at=now,
                status="active", updated_at=now,
            )  # fmt: skip
            session.add(project)
            return owner, project.project_id

    async def save(
        self, project: tuple[str, str], name: str, replaces: str | None = None
    ) -> FileInfo:
        self.clock.passed += 1

        async def chunks() -> AsyncIterator[bytes]:
            yield f"{name} {self.clock.passed}".encode()

        return await self.files.save(
            *project, name, chunks(), origin=Origin.UPLOAD, replaces=replaces
        )

    def claims(self, who: str) -> Claims:
        return Claims(self.store, who)


async def _owner(session: AsyncSession) -> str:
    name = new_id("usr")
    now = datetime.now(UTC)
    session.add(User(user_id=name, username=name, password_hash="", created_at=now))
    await session.flush()
    return name


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    database, clock = Database(sqlite_url(tmp_path / "db")), HeldClock()
    await migrate(database)
    yield Shop(Store(database, MemoryBus(), FolderBlobs(tmp_path / "blobs"), clock), clock)
    await database.close()


async def test_users_are_served_in_turn(shop: Shop) -> None:
    many, one = await shop.project(), await shop.project()
    for number in range(4):
        await shop.save(many, f"many{number}.csv")
    await shop.save(one, "one.csv")
    claims = shop.claims("a")
    names: list[str] = []
    for _ in range(5):
        document = await claims.next_unread()
        assert document is not None
        names.append(document.name)
        shop.clock.passed += 1
    assert names == ["many0.csv", "one.csv", "many1.csv", "many2.csv", "many3.csv"]
    assert await claims.next_unread() is None


async def test_what_a_killed_process_had_in_hand_is_taken_again(shop: Shop) -> None:
    await shop.save(await shop.project(), "book.csv")
    lost = await shop.claims("a").next_unread()
    assert lost is not None
    # Another process waits for the end of the lease; the same one, started again, does not.
    assert await shop.claims("b").next_unread() is None
    again = shop.claims("a")
    await again.start()
    found = await again.next_unread()
    assert found is not None
    assert (found.document_id, found.attempts) == (lost.document_id, 2)
    shop.clock.passed += LEASE_SECONDS + 1
    taken = await shop.claims("b").next_unread()
    assert taken is not None
    assert taken.attempts == 3


async def test_a_new_content_is_read_again_and_its_reader_loses_the_claim(shop: Shop) -> None:
    project = await shop.project()
    file = await shop.save(project, "book.csv")
    claims = shop.claims("a")
    old = await claims.next_unread()
    assert old is not None
    await shop.save(project, "book.csv", replaces=file.file_id)
    (info,) = (await shop.documents.page(project[1], None, 10, None)).items
    assert info.status is DocumentStatus.WAITING
    fresh = await claims.next_unread()
    assert fresh is not None
    assert fresh.sha256 != old.sha256


async def test_a_removed_file_takes_its_document_along(shop: Shop) -> None:
    project = await shop.project()
    file = await shop.save(project, "book.csv")
    await shop.files.remove(*project, file.file_id)
    assert (await shop.documents.page(project[1], None, 10, None)).items == []
    assert await shop.claims("a").next_unread() is None


async def test_changes_are_told_as_they_happen(shop: Shop) -> None:
    project = await shop.project()
    await shop.save(project, "book.csv")
    changes = shop.documents.watch(project[1], 0)
    first = await anext(changes)
    assert isinstance(first, tuple)
    assert first[1].status is DocumentStatus.WAITING
    document = await shop.claims("a").next_unread()
    assert document is not None
    async with shop.claims("a").writing(document) as (_, row):
        row.progress, row.progress_note = 0.5, "reading, 1,000 rows"
    second = await anext(changes)
    assert isinstance(second, tuple)
    assert (second[1].status, second[1].progress) == (DocumentStatus.PARSING, 0.5)
    assert second[0] > first[0]
