"""The ledger: rows in SQLite, one thread of its own."""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from diono.sandbox.engine.records import Row, SnapshotRow
from diono.sandbox.errors import EngineMissing, StorageFull
from diono.sandbox.private_files import write_private

_SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS sandboxes (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS snapshots (id TEXT PRIMARY KEY, body TEXT NOT NULL);
"""

Result = TypeVar("Result")


def instance_id(state_dir: Path) -> str:
    """Return the name of this installation; made once, kept for ever."""
    path = state_dir / "instance"
    if not path.exists():
        write_private(path, secrets.token_hex(6).encode())
    return path.read_text()


class Ledger:
    """A row that ``put`` returned for is there after a kill of this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._connection: sqlite3.Connection | None = None

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def run() -> Result:
            try:
                if self._connection is None:
                    self._connection = sqlite3.connect(self._path, isolation_level=None)
                    self._connection.executescript(_SCHEMA)
                return work(self._connection)
            except sqlite3.OperationalError as error:
                if "full" in str(error):
                    raise StorageFull("this machine's disk is full; free some space") from error
                raise EngineMissing(f"the sandbox ledger cannot be written: {error}") from error

        return await asyncio.get_running_loop().run_in_executor(self._executor, run)

    async def _put(self, table: str, key: str, body: str) -> None:
        statement = f"INSERT OR REPLACE INTO {table} VALUES (?, ?)"  # noqa: S608 - our own names
        await self._run(lambda connection: connection.execute(statement, (key, body)) and None)

    async def _drop(self, table: str, key: str) -> None:
        statement = f"DELETE FROM {table} WHERE id = ?"  # noqa: S608 - our own names
        await self._run(lambda connection: connection.execute(statement, (key,)) and None)

    async def _all(self, table: str) -> list[str]:
        statement = f"SELECT body FROM {table} ORDER BY rowid"  # noqa: S608 - our own names
        found = await self._run(lambda connection: connection.execute(statement).fetchall())
        return [str(row[0]) for row in found]

    async def put(self, row: Row) -> None:
        await self._put("sandboxes", row.sandbox_id, row.model_dump_json())

    async def drop(self, sandbox_id: str) -> None:
        await self._drop("sandboxes", sandbox_id)

    async def rows(self) -> list[Row]:
        """Return the rows this version can read; what others wrote is treated as unknown."""
        rows: list[Row] = []
        for body in await self._all("sandboxes"):
            try:
                rows.append(Row.model_validate_json(body))
            except ValidationError:
                continue
        return rows

    async def put_snapshot(self, row: SnapshotRow) -> None:
        await self._put("snapshots", row.snapshot_id, row.model_dump_json())

    async def drop_snapshot(self, snapshot_id: str) -> None:
        await self._drop("snapshots", snapshot_id)

    async def snapshots(self) -> list[SnapshotRow]:
        return [SnapshotRow.model_validate_json(body) for body in await self._all("snapshots")]

    async def close(self) -> None:
        def shut() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        await asyncio.get_running_loop().run_in_executor(self._executor, shut)
        self._executor.shutdown(wait=False)
