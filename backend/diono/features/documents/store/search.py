"""Finding pieces of a project by words and by vectors; the database does it, never this loop.

One interface over SQLite (FTS5, sqlite-vec) and PostgreSQL (full text, pgvector where the
extension is there); one suite runs over both, ``tests/contract/test_document_search.py``. Words
come as plain words: no syntax of a query language gets here from a user. Every search has a
deadline, after which it is broken off.
"""

import asyncio
import importlib
import operator
import sqlite3
import time
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from diono.features.documents.errors import SearchTooSlow
from diono.features.documents.tables import packed
from diono.infra.database import Database

SEARCH_SECONDS = 3.0
# As many of a project's newest pieces are compared one by one; more need an index of vectors.
MOST_VECTORS = 50_000
EXACT_VECTORS = 5_000
CAN_EXTEND = hasattr(sqlite3.Connection, "enable_load_extension")
_AT_ONCE = 2
_CHECK_EVERY = 5_000

_FIND_WORDS = """
SELECT document_words.rowid FROM document_words
JOIN document_pieces ON document_pieces.piece_id = document_words.rowid
JOIN documents ON documents.document_id = document_pieces.document_id
WHERE document_words MATCH ? AND documents.project_id = ?
ORDER BY bm25(document_words, 2.0, 1.0) LIMIT ?
"""
_FIND_VECTORS = """
SELECT piece_id FROM (
  SELECT document_vectors.piece_id, document_vectors.vector FROM document_vectors
  JOIN document_pieces ON document_pieces.piece_id = document_vectors.piece_id
  JOIN documents ON documents.document_id = document_pieces.document_id
  WHERE documents.project_id = ? AND document_vectors.model = ?
    AND length(document_vectors.vector) = ?
  ORDER BY document_vectors.piece_id DESC LIMIT ?
) ORDER BY vec_distance_cosine(vector, ?), piece_id LIMIT ?
"""
_POSTGRES_WORDS = """
SELECT p.piece_id FROM document_pieces p JOIN documents d ON d.document_id = p.document_id
WHERE d.project_id = :project
  AND to_tsvector('simple', p.title || ' ' || p.text) @@ to_tsquery('simple', :words)
ORDER BY ts_rank(to_tsvector('simple', p.title || ' ' || p.text),
                 to_tsquery('simple', :words)) DESC, p.piece_id LIMIT :limit
"""
_POSTGRES_VECTORS = """
SELECT near.piece_id FROM (
  SELECT v.piece_id, v.vector FROM document_vectors v
  JOIN document_pieces p ON p.piece_id = v.piece_id
  JOIN documents d ON d.document_id = p.document_id
  WHERE d.project_id = :project AND v.model = :model AND cardinality(v.vector) = :dimensions
  ORDER BY v.piece_id DESC LIMIT :most
) near ORDER BY {order}, near.piece_id LIMIT :limit
"""
_EXACT = (
    "(SELECT sum(a * b) FROM unnest(near.vector, CAST(:vector AS real[])) AS both_of(a, b)) DESC"
)
_PGVECTOR = "near.vector::vector <=> CAST(:vector AS real[])::vector"


class SearchIndex(Protocol):
    """Both return ids of pieces, the best first. Raise SearchTooSlow."""

    @property
    def vectors_limit(self) -> int:
        """How many of a project's newest pieces are compared by their vectors."""
        ...

    async def by_words(self, project_id: str, words: Sequence[str], limit: int) -> list[int]: ...

    async def by_vector(
        self, project_id: str, model: str, vector: Sequence[float], limit: int
    ) -> list[int]: ...

    async def close(self) -> None: ...


class SqliteIndex:
    """Reads on connections of its own, in threads of its own: other readers never wait.

    Some builds of Python have a SQLite that takes no extensions (``can_extend``); the distance is
    then a function of ours in the same query, slower, so that fewer vectors are compared. Another
    SQLite library in this process is no way out: two of them on one file undo each other's locks.
    """

    def __init__(self, path: Path, *, can_extend: bool = CAN_EXTEND) -> None:
        self._path = path
        self._can_extend = can_extend
        self.vectors_limit = MOST_VECTORS if can_extend else EXACT_VECTORS
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="search")

    async def by_words(self, project_id: str, words: Sequence[str], limit: int) -> list[int]:
        # Quoted, a word is a word: FTS5 sees no operator in it.
        asked = " OR ".join(f'"{word}"' for word in words) + "*"
        return await self._run(_FIND_WORDS, (asked, project_id, limit))

    async def by_vector(
        self, project_id: str, model: str, vector: Sequence[float], limit: int
    ) -> list[int]:
        near = packed(vector)
        values = (project_id, model, len(near), self.vectors_limit, near, limit)
        return await self._run(_FIND_VECTORS, values)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, query: str, values: tuple[object, ...]) -> list[int]:
        deadline = time.monotonic() + SEARCH_SECONDS
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._find, query, values, deadline)

    def _teach_distance(self, connection: sqlite3.Connection) -> None:
        if not self._can_extend:
            connection.create_function("vec_distance_cosine", 2, _distance, deterministic=True)
            return
        connection.enable_load_extension(True)
        # Imported here: it loads numpy where there is one, which a cold start must not wait for.
        importlib.import_module("sqlite_vec").load(connection)
        connection.enable_load_extension(False)

    def _find(self, query: str, values: tuple[object, ...], deadline: float) -> list[int]:
        if time.monotonic() > deadline:
            raise too_slow()
        connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True)
        try:
            self._teach_distance(connection)
            connection.set_progress_handler(_is_over(deadline), _CHECK_EVERY)
            return [int(row[0]) for row in connection.execute(query, values)]
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise too_slow() from error
            raise
        finally:
            connection.close()


class PostgresIndex:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._has_pgvector: bool | None = None

    @property
    def vectors_limit(self) -> int:
        return MOST_VECTORS if self._has_pgvector else EXACT_VECTORS

    async def by_words(self, project_id: str, words: Sequence[str], limit: int) -> list[int]:
        asked = " | ".join(f"'{word}'" for word in words) + ":*"
        return await self._run(
            _POSTGRES_WORDS, {"project": project_id, "words": asked, "limit": limit}
        )

    async def by_vector(
        self, project_id: str, model: str, vector: Sequence[float], limit: int
    ) -> list[int]:
        has_pgvector = await self._pgvector()
        values = {
            "project": project_id,
            "model": model,
            "dimensions": len(vector),
            "most": self.vectors_limit,
            "vector": list(vector),
            "limit": limit,
        }
        order = _PGVECTOR if has_pgvector else _EXACT
        return await self._run(_POSTGRES_VECTORS.format(order=order), values)

    async def close(self) -> None:
        """Nothing of its own is open."""

    async def _pgvector(self) -> bool:
        if self._has_pgvector is None:
            async with self._database.read() as session:
                query = text("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
                self._has_pgvector = await session.scalar(query) is not None
        return self._has_pgvector

    async def _run(self, query: str, values: dict[str, Any]) -> list[int]:
        try:
            async with (
                asyncio.timeout(SEARCH_SECONDS),
                self._places,
                self._database.read() as session,
            ):
                limit = f"SET LOCAL statement_timeout = {int(SEARCH_SECONDS * 1000)}"
                await session.execute(text(limit))
                return list((await session.execute(text(query), values)).scalars().all())
        except TimeoutError as error:
            raise too_slow() from error
        except DBAPIError as error:
            if "statement timeout" in str(error):
                raise too_slow() from error
            raise


def _distance(left: bytes, right: bytes) -> float:
    """Cosine distance of two vectors of length one."""
    return 1.0 - sum(map(operator.mul, array("f", left), array("f", right)))


def _is_over(deadline: float) -> Callable[[], int]:
    return lambda: int(time.monotonic() > deadline)


def too_slow() -> SearchTooSlow:
    return SearchTooSlow(
        f"The search took longer than {SEARCH_SECONDS:g} s and was broken off, so that it does not "
        "slow others. Ask for rarer words, or try again."
    )


def index_of(database: Database) -> SearchIndex:
    """Return the search of this database."""
    if database.is_sqlite:
        return SqliteIndex(Path(database.url.split(":///", 1)[1]).absolute())
    return PostgresIndex(database)
