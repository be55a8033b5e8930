"""Blobs that nobody refers to are removed, never one that somebody is about to refer to."""

from collections.abc import Sequence
from dataclasses import dataclass

from loguru import logger
from sqlalchemy import Column, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from diono.infra.blobs import Blobs, StoredBlob
from diono.infra.database import Base, Database

# A writer puts a content and then commits the row that names it; nobody takes a day for that.
GRACE_SECONDS = 24 * 3600.0
_LOCK = 0x73776565
_BATCH = 200


@dataclass(frozen=True)
class SweepCount:
    """What one sweep saw: old blobs, those that rows name, those removed."""

    old: int
    named: int
    removed: int
    removed_bytes: int


class Sweep:
    """Every column ``sha256`` or ``…_sha256``, of any table, names a blob.

    Race: a writer's ``put`` makes a blob young; the adapter removes only what is old at that very
    moment. What is old and unnamed can become named only after another ``put``.
    """

    def __init__(
        self, database: Database, blobs: Blobs, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._grace_seconds = grace_seconds

    async def run(self) -> SweepCount:
        """Sweep once; on PostgreSQL one process at a time."""
        async with self._database.exclusive(_LOCK):
            count = await self._run()
        logger.info(
            "swept blobs: {} old, {} named, {} removed ({} bytes)",
            count.old,
            count.named,
            count.removed,
            count.removed_bytes,
        )
        return count

    async def _run(self) -> SweepCount:
        old = named = removed = removed_bytes = 0
        batch: list[StoredBlob] = []

        async def finish() -> None:
            nonlocal named, removed, removed_bytes
            async with self._database.read() as session:
                kept = await named_blobs(session, [blob.sha256 for blob in batch])
            named += len(kept)
            for blob in batch:
                if blob.sha256 in kept:
                    continue
                if await self._blobs.delete_older(blob.sha256, self._grace_seconds):
                    removed += 1
                    removed_bytes += blob.size
            batch.clear()

        async for blob in self._blobs.older(self._grace_seconds):
            old += 1
            batch.append(blob)
            if len(batch) >= _BATCH:
                await finish()
        await finish()
        return SweepCount(old, named, removed, removed_bytes)


async def named_blobs(session: AsyncSession, digests: Sequence[str]) -> set[str]:
    """Return those that a row names. One statement, so one snapshot: a row may move a digest from
    one table to another."""
    if not digests:
        return set()
    queries = [select(column).where(column.in_(digests)) for column in _naming_columns()]
    return {str(row[0]) for row in await session.execute(union(*queries))}


def _naming_columns() -> list[Column[str]]:
    return [
        column
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name == "sha256" or column.name.endswith("_sha256")
    ]
