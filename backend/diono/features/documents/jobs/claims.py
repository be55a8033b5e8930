"""A document in hand: held by a lease that is renewed while its process lives."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.documents.service.documents import Store, topic_of
from diono.features.documents.store import documents as rows
from diono.features.documents.store import pieces
from diono.features.documents.tables import Document
from diono.kernel.errors import Conflict

LEASE_SECONDS = 30.0
_RENEWALS = 3


class ClaimLost(Conflict):
    """The document was removed, changed, or taken by another process."""

    code = "claim_lost"


class Claims:
    """``who`` names this process among those that read documents."""

    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who

    async def start(self) -> None:
        """Give back what a former life of this process had in hand."""
        async with self._store.database.write() as session:
            await rows.release_all(session, self._who)

    async def next_unread(self) -> Document | None:
        now = self._store.clock.now()
        async with self._store.database.write() as session:
            return await rows.claim(session, self._who, now, now + _lease())

    async def next_unembedded(self) -> Document | None:
        now = self._store.clock.now()
        async with self._store.database.write() as session:
            return await pieces.claim_unembedded(session, self._who, now, now + _lease())

    @asynccontextmanager
    async def writing(self, document: Document) -> AsyncGenerator[tuple[AsyncSession, Document]]:
        """Yield the row, locked, in a transaction. Raises ClaimLost."""
        async with self._store.database.write() as session:
            row = await rows.held(session, document.document_id, self._who)
            if row is None or row.sha256 != document.sha256:
                raise ClaimLost(f"{document.name} is no longer ours to read.")
            yield session, row
            rows.touch(row, self._store.clock.now())
        self._store.bus.publish(topic_of(document.project_id))

    @asynccontextmanager
    async def kept(self, document: Document) -> AsyncGenerator[None]:
        """Renew the lease meanwhile; cancelled, it gives the document back."""
        renewing = asyncio.create_task(self._renew(document))
        try:
            yield
        except asyncio.CancelledError:
            renewing.cancel()
            await asyncio.shield(self._give_back(document))
            raise
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, document: Document) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / _RENEWALS)
            async with self._store.database.write() as session:
                row = await rows.held(session, document.document_id, self._who)
                if row is None:
                    return
                row.claimed_until = self._store.clock.now() + _lease()

    async def _give_back(self, document: Document) -> None:
        async with self._store.database.write() as session:
            row = await rows.held(session, document.document_id, self._who)
            if row is not None:
                row.claimed_until = None
                # An orderly stop is no failed attempt.
                row.attempts = max(0, row.attempts - 1)


def _lease() -> timedelta:
    return timedelta(seconds=LEASE_SECONDS)
