"""What a project has: stored files and the files of finished tasks, searched and paged."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row

from diono.features.files.schemas import Origin
from diono.features.files.service import media_type
from diono.features.files.store import tags_of
from diono.features.library import store
from diono.features.library.errors import CursorRefused
from diono.features.library.schemas import LibraryItem, LibraryPage, TagCount
from diono.infra.database import Database


class Library:
    """Callers have checked whose project it is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, project_id: str, wanted: store.Wanted, cursor: str | None) -> LibraryPage:
        """Raises CursorRefused."""
        before = None if cursor is None else _place(cursor)
        more = store.Wanted(
            wanted.query.strip(), wanted.tag.casefold(), wanted.origin, before, wanted.limit + 1
        )
        async with self._database.read() as session:
            rows = await store.items(session, project_id, more)
            ids = [row.file_id for row in rows if row.file_id]
            tags = await tags_of(session, ids)
            counts = () if cursor else await store.tags(session, project_id)
        shown = rows[: wanted.limit]
        return LibraryPage(
            items=[_item(row, tags.get(row.file_id, [])) for row in shown],
            tags=[TagCount(tag=tag, count=count) for tag, count in counts],
            next_cursor=_cursor(shown[-1]) if len(rows) > wanted.limit else None,
        )


def _item(row: Row[Any], tags: list[str]) -> LibraryItem:
    return LibraryItem(
        kind="file" if row.file_id else "artifact",
        file_id=row.file_id,
        task_id=row.task_id,
        path=row.path,
        name=row.name,
        size=row.size,
        sha256=row.sha256,
        media_type=row.media_type or media_type(b"", row.name),
        origin=Origin(row.origin),
        tags=tags,
        has_thumbnail=bool(row.has_thumbnail),
        created_at=row.at,
    )


def _cursor(row: Row[Any]) -> str:
    place = json.dumps([row.at.isoformat(), row.key])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _place(cursor: str) -> tuple[datetime, str]:
    """Raises CursorRefused."""
    try:
        place = cast("list[object]", json.loads(base64.urlsafe_b64decode(cursor.encode())))
        at, key = place
        moment = datetime.fromisoformat(str(at))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise CursorRefused("That is no `next_cursor` of a page. Begin without one.") from error
    if moment.tzinfo is None or "\x00" in str(key):
        raise CursorRefused("That is no `next_cursor` of a page. Begin without one.")
    return moment, str(key)
