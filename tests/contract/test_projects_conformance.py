"""One suite over both databases: quotas and membership, when much happens at once."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from contract.account_rigs import copied, migrated
from contract.database_rigs import postgres_cluster

from diono.features.accounts.schemas import Account, Role
from diono.features.accounts.tables import User
from diono.features.audit.service import Audit
from diono.features.projects.schemas import MemberRole
from diono.features.projects.service import Actor, Members, Quotas, add_project, fork_project
from diono.features.tasks.schemas import CreateTask
from diono.features.tasks.service import Tasks
from diono.infra.blobs import FolderBlobs
from diono.infra.bus import MemoryBus
from diono.infra.clock import SystemClock
from diono.infra.database import Database, sqlite_url
from diono.kernel.errors import DionoError
from diono.kernel.ids import new_id
from diono.llm.further import Asker

AT_ONCE = 30
QUOTAS = Quotas(projects=4, tasks=6)


class SmallRules:
    quotas = QUOTAS

    async def check(self, request: CreateTask, asker: Asker) -> None:
        """Everything goes."""


async def _any_model(_name: str, _asker: Asker) -> None:
    """Every model is there."""


@pytest.fixture(scope="module")
def sqlite_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("projects") / "base"
    asyncio.run(migrated(sqlite_url(path)))
    return path


@pytest.fixture(scope="module")
def postgres_base() -> Iterator[str]:
    with postgres_cluster() as url:
        asyncio.run(copied(url, "base"))
        asyncio.run(migrated(url.replace("/postgres?", "/base?")))
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(
            Path(shutil.copy(request.getfixturevalue("sqlite_base"), tmp_path / "db"))
        )
    whole: str = request.getfixturevalue("postgres_base")
    name = new_id("db")
    asyncio.run(copied(whole, name, "base"))
    return whole.replace("/postgres?", f"/{name}?")


@dataclass
class Place:
    database: Database
    members: Members
    tasks: Tasks
    changed: list[str]

    async def user(self) -> str:
        """Add a user without a password."""
        user_id = new_id("usr")
        now = datetime.now(UTC)
        async with self.database.write() as session:
            session.add(
                User(user_id=user_id, username=user_id, password_hash="", role="developer",
                     created_at=now)
            )  # fmt: skip
        return user_id

    async def project(self, owner_id: str) -> str:
        async with self.database.write() as session:
            return await add_project(session, owner_id, "P", datetime.now(UTC), QUOTAS)

    async def fork(self, origin: tuple[str, str], owner_id: str) -> str:
        async with self.database.write() as session:
            now = datetime.now(UTC)
            return await fork_project(session, origin, owner_id, "F", now, QUOTAS)


@pytest.fixture
async def place(url: str, tmp_path: Path) -> AsyncIterator[Place]:
    database, clock = Database(url), SystemClock()
    changed: list[str] = []
    members = Members(database, Audit(database, clock), clock, changed.append)
    blobs = FolderBlobs(tmp_path / "blobs")
    tasks = Tasks(database, MemoryBus(), blobs, clock, _any_model, SmallRules())
    yield Place(database, members, tasks, changed)
    await database.close()


async def _codes(asked: Sequence[Awaitable[object]]) -> Counter[str]:
    """Return how many went well ("") or were refused, by the code; anything else is raised."""
    found: Counter[str] = Counter()
    for one in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(one, BaseException) and not isinstance(one, DionoError):
            raise one
        found[one.code if isinstance(one, DionoError) else ""] += 1
    return found


def _account(user_id: str) -> Account:
    return Account(
        user_id=user_id, username=user_id, email=None, is_email_verified=False,
        role=Role.DEVELOPER,
    )  # fmt: skip


async def test_many_projects_at_once_never_pass_the_quota(place: Place) -> None:
    owner, other = await place.user(), await place.user()
    origin = (other, await place.project(other))
    makes = [place.project(owner) for _ in range(AT_ONCE)]
    forks = [place.fork(origin, owner) for _ in range(AT_ONCE)]
    codes = await _codes([*makes, *forks])
    assert codes == {"": QUOTAS.projects, "project_quota_reached": 2 * AT_ONCE - QUOTAS.projects}
    assert await place.project(other)


async def test_many_tasks_at_once_never_pass_the_quota(place: Place) -> None:
    owner, other = await place.user(), await place.user()
    project = await place.project(owner)
    request = CreateTask(prompt="A thing", kind="chat", project_id=project)
    codes = await _codes([place.tasks.create(owner, request) for _ in range(AT_ONCE)])
    assert codes == {"": QUOTAS.tasks, "task_quota_reached": AT_ONCE - QUOTAS.tasks}
    page = await place.tasks.page(owner, None, 100)
    await place.tasks.cancel(owner, page.items[0].task_id)
    assert (await place.tasks.create(owner, request)).project_id == project
    assert (await place.tasks.create(other, CreateTask(prompt="A thing"))).task_id


async def test_a_member_is_added_once_however_often_it_is_asked(place: Place) -> None:
    owner, member = await place.user(), await place.user()
    project, actor = await place.project(owner), Actor(owner, "203.0.113.7")
    adds = [place.members.add(project, actor, member, MemberRole.EDITOR) for _ in range(AT_ONCE)]
    assert await _codes(adds) == {"": 1, "already_member": AT_ONCE - 1}
    listed = (await place.members.list(project)).items
    assert [(one.user_id, one.role) for one in listed] == [
        (owner, MemberRole.OWNER), (member, MemberRole.EDITOR)
    ]  # fmt: skip
    standing = await place.members.standing(_account(member), project)
    assert (standing.owner_id, standing.role) == (owner, MemberRole.EDITOR)


async def test_who_is_removed_at_once_is_removed_once_and_told(place: Place) -> None:
    owner, member = await place.user(), await place.user()
    project, actor = await place.project(owner), Actor(owner, "")
    await place.members.add(project, actor, member, MemberRole.VIEWER)
    removes = [place.members.remove(project, actor, member) for _ in range(5)]
    changes = [place.members.change(project, actor, member, MemberRole.EDITOR) for _ in range(5)]
    codes = await _codes([*removes, *changes])
    assert set(codes) <= {"", "member_not_found"}
    assert codes["member_not_found"] >= 4
    assert set(place.changed) == {member}
    codes = await _codes([place.members.standing(_account(member), project)])
    assert codes == {"project_not_found": 1}
    audited = await place.members.may_look(_account(owner), project)
    assert audited
