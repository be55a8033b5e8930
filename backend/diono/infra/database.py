"""The relational store: SQLite in WAL by default, PostgreSQL by URL."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator, event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from diono.kernel.errors import DionoError, ErrorKind


class DatabaseFailed(DionoError):
    code = "database_failed"
    kind = ErrorKind.UNAVAILABLE


class Base(DeclarativeBase):
    """Base of every table; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on every database (SQLite stores no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if not isinstance(value, datetime):
            return None
        return value if value.tzinfo else value.replace(tzinfo=UTC)


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def _configure_sqlite(engine: AsyncEngine) -> None:
    # The driver's own implicit BEGIN is deferred: two writers that both read first then deadlock
    # with "database is locked". Writers take the lock at once instead and wait for each other.
    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "busy_timeout=15000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def began(connection: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        is_read = connection.get_execution_options().get("is_read", False)
        connection.exec_driver_sql("BEGIN" if is_read else "BEGIN IMMEDIATE")


class Database:
    """One engine; a transaction is one `async with`."""

    def __init__(self, url: str) -> None:
        self.url = url
        if self.is_sqlite:
            Path(url.split(":///", 1)[1]).parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_async_engine(url, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            _configure_sqlite(self.engine)

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession]:
        """Yield a session; commit at the end, roll back on any error."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """Yield a session for reading; it never takes SQLite's write lock."""
        async with self.engine.connect() as connection:
            await connection.execution_options(is_read=True)
            async with AsyncSession(connection, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def exclusive(self, lock: int) -> AsyncGenerator[None]:
        """Keep out every other process that asks for the same lock; on SQLite there is none."""
        if self.is_sqlite:
            yield
            return
        async with self.read() as session:
            await session.execute(select(func.pg_advisory_xact_lock(lock)))
            yield

    async def close(self) -> None:
        await self.engine.dispose()


def prepare_sqlite_file(path: Path) -> None:
    """Create a SQLite file in WAL mode before a library that would leave it in delete mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
