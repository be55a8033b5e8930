"""Makes the vectors of documents that are found by words already."""

import asyncio

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from diono.features.documents.jobs.claims import ClaimLost, Claims
from diono.features.documents.service.documents import WORK_TOPIC, Store
from diono.features.documents.store import pieces
from diono.features.documents.tables import Document, PieceVector
from diono.kernel.errors import DionoError
from diono.llm.embedding import BATCH_TEXTS, Embedder

LOOK_SECONDS = 10.0
AFTER_FAULT_SECONDS = 60.0


class VectorMaker:
    def __init__(self, store: Store, claims: Claims, embedder: Embedder) -> None:
        self._store = store
        self._claims = claims
        self._embedder = embedder

    async def keep(self) -> None:
        """Go on until cancelled."""
        async with self._store.database.write() as session:
            await pieces.forget_other_models(session, self._embedder.name)
        with self._store.bus.subscribe(WORK_TOPIC) as subscription:
            while True:
                try:
                    document = await self._claims.next_unembedded()
                    if document is None:
                        await subscription.wait(LOOK_SECONDS)
                        continue
                    async with self._claims.kept(document):
                        await self.embed(document)
                except ClaimLost:
                    continue
                except (DionoError, SQLAlchemyError) as error:
                    logger.warning("documents: no vectors for now: {}", error)
                    await asyncio.sleep(AFTER_FAULT_SECONDS)

    async def embed(self, document: Document) -> None:
        """Make the vectors that are missing, a batch at a time. Raises ClaimLost, ModelError."""
        model = self._embedder.name
        while True:
            async with self._store.database.read() as session:
                found = await pieces.without_vector(
                    session, document.document_id, model, BATCH_TEXTS
                )
            if not found:
                break
            texts = [f"{piece.title}\n{piece.text}".strip() for piece in found]
            vectors = await self._embedder.embed(texts)
            async with self._claims.writing(document) as (session, row):
                session.add_all(
                    PieceVector(piece_id=piece.piece_id, model=model, vector=vector)
                    for piece, vector in zip(found, vectors, strict=True)
                )
                row.vector_count += len(found)
        async with self._claims.writing(document) as (session, row):
            row.vector_count = await pieces.vectors_of(session, document.document_id)
            row.claimed_until = None
