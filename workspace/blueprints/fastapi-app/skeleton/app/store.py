"""Rows in SQLite: create, read, search, change, delete."""

import datetime
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.fields import Entity

Row = dict[str, Any]


class Store:
    def __init__(self, path: Path, entity: Entity) -> None:
        self._path = path
        self._entity = entity
        self._names = [field.name for field in entity.fields]
        self._booleans = {field.name for field in entity.fields if field.type == "boolean"}
        self._texts = [f for f in entity.fields if f.type in ("text", "long_text", "date")]
        columns = ", ".join(field.column for field in entity.fields)
        with self._open() as database:
            database.execute(
                f'CREATE TABLE IF NOT EXISTS "{entity.plural}" '
                f"(id INTEGER PRIMARY KEY AUTOINCREMENT, {columns}, created_at TEXT NOT NULL)"
            )
            self._follow_fields(database)

    def _follow_fields(self, database: sqlite3.Connection) -> None:
        """Bring an older table up to the fields of today; columns without a field are kept."""
        table = self._entity.plural
        there = {row["name"] for row in database.execute(f'PRAGMA table_info("{table}")')}
        for field in self._entity.fields:
            if field.name in there:
                continue
            if field.former_name in there:
                database.execute(
                    f'ALTER TABLE "{table}" RENAME COLUMN "{field.former_name}" TO "{field.name}"'
                )
            else:
                database.execute(f'ALTER TABLE "{table}" ADD COLUMN {field.column}')

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=10)
        database.row_factory = sqlite3.Row
        try:
            with database:
                yield database
        finally:
            database.close()

    def _row(self, row: sqlite3.Row) -> Row:
        values = {name: row[name] for name in ("id", *self._names, "created_at")}
        return values | {name: bool(values[name]) for name in self._booleans}

    def list(self, query: str = "") -> list[Row]:
        where, values = "", []
        if query:
            pattern = "%" + query.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
            tests = [f"\"{field.name}\" LIKE ? ESCAPE '!'" for field in self._texts]
            where, values = f"WHERE {' OR '.join(tests) or '0'}", [pattern] * len(tests)
        with self._open() as database:
            rows = database.execute(
                f'SELECT * FROM "{self._entity.plural}" {where} ORDER BY id DESC', values
            )
            return [self._row(row) for row in rows]

    def get(self, row_id: int) -> Row | None:
        with self._open() as database:
            row = database.execute(
                f'SELECT * FROM "{self._entity.plural}" WHERE id = ?', (row_id,)
            ).fetchone()
        return self._row(row) if row else None

    def create(self, values: Row) -> Row:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        columns = ", ".join(f'"{name}"' for name in [*self._names, "created_at"])
        marks = ", ".join("?" for _ in range(len(self._names) + 1))
        with self._open() as database:
            cursor = database.execute(
                f'INSERT INTO "{self._entity.plural}" ({columns}) VALUES ({marks})',
                [*(_plain(values.get(name)) for name in self._names), now],
            )
            row_id = cursor.lastrowid or 0
        return self.get(row_id) or {}

    def change(self, row_id: int, values: Row) -> Row | None:
        if values:
            sets = ", ".join(f'"{name}" = ?' for name in values)
            with self._open() as database:
                database.execute(
                    f'UPDATE "{self._entity.plural}" SET {sets} WHERE id = ?',
                    [*(_plain(value) for value in values.values()), row_id],
                )
        return self.get(row_id)

    def delete(self, row_id: int) -> bool:
        with self._open() as database:
            cursor = database.execute(
                f'DELETE FROM "{self._entity.plural}" WHERE id = ?', (row_id,)
            )
            return cursor.rowcount > 0


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value
