"""What is stored, and within which limits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.files.schemas import Origin
from diono.features.files.tables import StoredFile
from diono.infra.blobs import StoredBlob


@dataclass(frozen=True)
class Limits:
    """Bytes: of all files of one user, and of one file."""

    quota: int
    most_file_bytes: int


@dataclass(frozen=True)
class NewContent:
    """What a stored file gets: checked, durable, not yet in the database."""

    blob: StoredBlob
    given_name: str
    media_type: str
    origin: Origin
    replaces: str | None = None
    revision: int | None = None


Along = Callable[[AsyncSession, StoredFile], Awaitable[None]]


@dataclass(frozen=True)
class Keeping:
    """How a stream is stored. ``along`` writes in the transaction of the file's own row, so that
    both are there or neither is."""

    origin: Origin
    replaces: str | None = None
    along: Along | None = None
