"""Projects with their conversations and checkpoints, on both databases."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from contract.database_rigs import postgres_cluster

from diono.features.accounts.tables import User
from diono.features.conversations.service import Conversations
from diono.features.projects.service import Quotas, add_project
from diono.features.tasks.tables import Task
from diono.infra.clock import SystemClock
from diono.infra.database import Database, sqlite_url
from diono.infra.migrations import migrate
from diono.kernel.ids import new_id

CLOCK = SystemClock()


@dataclass
class Ground:
    """A database with one user and as many projects as asked for."""

    database: Database
    conversations: Conversations
    owner_id: str

    async def project(self, name: str = "Project") -> str:
        async with self.database.write() as session:
            return await add_project(session, self.owner_id, name, CLOCK.now(), Quotas())

    async def task(self, project_id: str) -> str:
        now, task_id = CLOCK.now(), new_id("tsk")
        async with self.database.write() as session:
            session.add(
                Task(
                    task_id=task_id, owner_id=self.owner_id, project_id=project_id, prompt="p",
                    budget_seconds=60, created_at=now, started_at=now, status="RUNNING",
                )
            )  # fmt: skip
        return task_id


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres_cluster() as url:
        yield url


@pytest_asyncio.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    is_sqlite = request.param == "sqlite"
    url = sqlite_url(tmp_path / "db") if is_sqlite else request.getfixturevalue("postgres_url")
    async with ground_on(Database(url)) as made:
        yield made


@asynccontextmanager
async def ground_on(database: Database) -> AsyncGenerator[Ground]:
    await migrate(database)
    owner_id = new_id("usr")
    async with database.write() as session:
        session.add(
            User(user_id=owner_id, username=owner_id, password_hash="", created_at=CLOCK.now())
        )
    yield Ground(database, Conversations(database, CLOCK), owner_id)
    await database.close()
