"""Rows in SQLite: create, read, search, change, delete.

Statements are put together from names that were checked; values are always parameters.
"""

import datetime
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.fields import Entity

Row = dict[str, Any]


class Store:
    """The rows of one entity, in one file."""

    def __init__(self, path: Path, entity: Entity) -> None:
        self._path = path
        self._entity = entity
        self._table = _quoted(entity.plural)
        self._names = [field.name for field in entity.fields]
        self._booleans = {field.name for field in entity.fields if field.type == "boolean"}
        self._texts = [f for f in entity.fields if f.type in ("text", "long_text", "date")]
        columns = ", ".join(field.column for field in entity.fields)
        with self._open() as database:
            database.execute(
                f"CREATE TABLE IF NOT EXISTS {self._table} "
                f"(id INTEGER PRIMARY KEY AUTOINCREMENT, {columns}, created_at TEXT NOT NULL)"
            )
            self._follow_fields(database)

    def _follow_fields(self, database: sqlite3.Connection) -> None:
        """Bring an older table up to the fields of today; columns without a field are kept."""
        there = {row["name"] for row in database.execute(f"PRAGMA table_info({self._table})")}
        for field in self._entity.fields:
            if field.name in there:
                continue
            if field.former_name in there:
                former, name = _quoted(field.former_name), _quoted(field.name)
                database.execute(f"ALTER TABLE {self._table} RENAME COLUMN {former} TO {name}")
            else:
                database.execute(f"ALTER TABLE {self._table} ADD COLUMN {field.column}")

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
        """Return the rows, the newest first; with a query only those whose texts have it."""
        where, values = "", []
        if query:
            pattern = "%" + query.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
            tests = [f"{_quoted(field.name)} LIKE ? ESCAPE '!'" for field in self._texts]
            where, values = f"WHERE {' OR '.join(tests) or '0'}", [pattern] * len(tests)
        statement = _statement("SELECT * FROM", self._table, where, "ORDER BY id DESC")
        with self._open() as database:
            return [self._row(row) for row in database.execute(statement, values)]

    def get(self, row_id: int) -> Row | None:
        """Return one row; None if there is none."""
        statement = _statement("SELECT * FROM", self._table, "WHERE id = ?")
        with self._open() as database:
            row = database.execute(statement, (row_id,)).fetchone()
        return self._row(row) if row else None

    def create(self, values: Row) -> Row:
        """Add a row and return it with its number."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        columns = ", ".join(_quoted(name) for name in [*self._names, "created_at"])
        marks = ", ".join("?" for _ in range(len(self._names) + 1))
        statement = _statement("INSERT INTO", self._table, f"({columns}) VALUES ({marks})")
        given = [*(_plain(values.get(name)) for name in self._names), now]
        with self._open() as database:
            row_id = database.execute(statement, given).lastrowid or 0
        return self.get(row_id) or {}

    def change(self, row_id: int, values: Row) -> Row | None:
        """Change the given fields and return the row; None if there is none."""
        if values:
            sets = ", ".join(f"{_quoted(name)} = ?" for name in values)
            statement = _statement("UPDATE", self._table, "SET", sets, "WHERE id = ?")
            with self._open() as database:
                database.execute(statement, [*map(_plain, values.values()), row_id])
        return self.get(row_id)

    def delete(self, row_id: int) -> bool:
        """Take a row away; False if there is none."""
        statement = _statement("DELETE FROM", self._table, "WHERE id = ?")
        with self._open() as database:
            return database.execute(statement, (row_id,)).rowcount > 0


def _quoted(name: str) -> str:
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name of a table or a field")
    return f'"{name}"'


def _statement(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value
