"""A place for tasks, on each database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from contract.database_rigs import postgres_cluster

from diono.infra.database import sqlite_url
from diono.kernel.ids import new_id

from .rig import Desk, Place, open_desk


@pytest.fixture(scope="package")
def postgres_url() -> Iterator[str]:
    with postgres_cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(sqlite_url(tmp_path / "db"), str(tmp_path / "workflows"), tmp_path)
    # The cluster is shared, the database is the test's own.
    cluster: str = request.getfixturevalue("postgres_url")
    name = new_id("db")
    with psycopg.connect(cluster.replace("+asyncpg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = cluster.replace("/postgres?", f"/{name}?")
    return Place(url, url.replace("+asyncpg", ""), tmp_path)


@pytest.fixture
async def desk(place: Place) -> AsyncIterator[Desk]:
    async for desk in open_desk(place):
        yield desk
