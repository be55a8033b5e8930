"""Reads documents in turn, a few at a time, and goes on after whatever killed it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.documents.jobs.claims import ClaimLost, Claims
from diono.features.documents.jobs.vectors import VectorMaker
from diono.features.documents.schemas import DocumentStatus
from diono.features.documents.service.documents import WORK_TOPIC, Store
from diono.features.documents.service.pieces import pieces_of, place_of
from diono.features.documents.store import documents as rows
from diono.features.documents.tables import Document, DocumentOutput, Piece
from diono.infra.outbox import OUTBOX_TOPIC, announce
from diono.kernel.errors import DionoError
from diono.kernel.events import Payload
from diono.parsing.errors import DocumentRefused, ParserBroken
from diono.parsing.models import ParseProgress
from diono.parsing.service import Parser, Parsing

# A lost lease or a sandbox that is free again wakes nobody: look now and then.
LOOK_SECONDS = 5.0
AGAIN_SECONDS = 10.0
PROGRESS_SECONDS = 0.5
MOST_PIECES = 20_000
_PIECES_AT_ONCE = 200


@dataclass(frozen=True)
class ReaderLimits:
    """``parallel`` documents at a time in this process; a document that ended that many processes
    or parsers is refused."""

    parallel: int = 1
    attempts: int = 3


class Thumbnails(Protocol):
    async def set_thumbnail(self, project_id: str, file_id: str, picture: bytes) -> None: ...


class DocumentReader:
    def __init__(
        self,
        store: Store,
        parser: Parser,
        claims: Claims,
        vectors: VectorMaker | None,
        limits: ReaderLimits,
    ) -> None:
        self._store = store
        self._parser = parser
        self._claims = claims
        self._vectors = vectors
        self._limits = limits

    async def keep(self) -> None:
        """Read what there is to read, and go on until cancelled."""
        await self._claims.start()
        loops = [self._loop() for _ in range(self._limits.parallel)]
        if self._vectors is not None:
            loops.append(self._vectors.keep())
        try:
            await asyncio.gather(*loops)
        finally:
            await self._parser.close()

    async def _loop(self) -> None:
        with self._store.bus.subscribe(WORK_TOPIC) as subscription:
            while True:
                try:
                    document = await self._claims.next_unread()
                    if document is not None:
                        await self.read(document)
                        continue
                except (SQLAlchemyError, OSError) as error:
                    logger.warning("documents: reading failed, it goes on later: {!r}", error)
                await subscription.wait(LOOK_SECONDS)

    async def read(self, document: Document) -> None:
        """Read one document that was claimed; what comes of it is in its row."""
        try:
            if document.attempts > self._limits.attempts:
                await self._refuse(document, "parser_died", self._died(document))
                return
            async with self._claims.kept(document):
                await self._parse(document)
        except ClaimLost as error:
            logger.info("documents: {}", error.detail)
        except DocumentRefused as error:
            await self._refuse(document, error.code, error.detail)
        except ParserBroken as error:
            await self._again(document, error, counts=True)
        except DionoError as error:
            # No sandbox now (quota, template being built, engine away): it waits, nothing is lost.
            await self._again(document, error, counts=False)

    async def _parse(self, document: Document) -> None:
        source = self._store.blobs.read(document.sha256)
        progress = _Progress(self._claims, document, self._store)
        async with self._parser.parse(
            document.owner_id,
            source,
            size=document.size,
            name=document.name,
            on_progress=progress.tell,
        ) as parsing:
            outputs = await self._outputs(document, parsing)
            await self._keep_text(document, parsing)
            async with self._claims.writing(document) as (session, row):
                parsed = parsing.document
                session.add_all(outputs)
                row.facts = parsed.model_dump(mode="json")
                row.kind, row.title = parsed.kind, parsed.title
                row.media_type = parsed.media_type[:200] or row.media_type
                row.status, row.progress = DocumentStatus.READY, 1.0
                row.progress_note = ""
                row.claimed_until = None
                self._announce(session, row, "document.ready")
        self._store.bus.publish(WORK_TOPIC)
        self._store.bus.publish(OUTBOX_TOPIC)

    async def _outputs(self, document: Document, parsing: Parsing) -> list[DocumentOutput]:
        parsed = parsing.document
        names = [one.file for one in parsed.tables]
        names += [parsed.thumbnail] if parsed.thumbnail else []
        outputs: list[DocumentOutput] = []
        for name in dict.fromkeys(names):
            blob = await self._store.blobs.put_stream(parsing.read(name))
            outputs.append(
                DocumentOutput(
                    document_id=document.document_id, name=name, sha256=blob.sha256, size=blob.size
                )
            )
        return outputs

    async def _keep_text(self, document: Document, parsing: Parsing) -> None:
        """Store the sections as pieces, in several short transactions: others write in between."""
        places = {one.name: one.place for one in parsing.document.tables}
        async with self._claims.writing(document) as (session, row):
            await rows.clear(session, document.document_id)
            row.piece_count = row.vector_count = 0
        batch: list[Piece] = []
        count = 0
        async for section in parsing.sections():
            place = place_of(section, places)
            new = pieces_of(document.document_id, section, count + 1, place)
            new = new[: MOST_PIECES - count]
            count += len(new)
            batch += new
            if len(batch) >= _PIECES_AT_ONCE:
                await self._add(document, batch, count)
                batch = []
            if count >= MOST_PIECES:
                break
        await self._add(document, batch, count)

    async def _add(self, document: Document, batch: list[Piece], count: int) -> None:
        async with self._claims.writing(document) as (session, row):
            session.add_all(batch)
            row.piece_count = count

    async def _refuse(self, document: Document, code: str, reason: str) -> None:
        await self._settle(document, DocumentStatus.REFUSED, code, reason)

    async def _again(self, document: Document, error: DionoError, *, counts: bool) -> None:
        if counts and document.attempts >= self._limits.attempts:
            await self._refuse(document, error.code, error.detail)
            return
        logger.info("documents: {} waits: {}", document.document_id, error.detail)
        await self._settle(document, DocumentStatus.WAITING, "", "", error.detail, counts=counts)

    async def _settle(
        self,
        document: Document,
        status: DocumentStatus,
        code: str,
        reason: str,
        note: str = "",
        *,
        counts: bool = True,
    ) -> None:
        try:
            async with self._claims.writing(document) as (session, row):
                row.status, row.error_code, row.error_reason = status, code, reason[:2000]
                row.progress, row.progress_note = 0.0, note[:200]
                row.claimed_until = None
                if status is DocumentStatus.WAITING:
                    row.claimed_until = self._store.clock.now() + timedelta(seconds=AGAIN_SECONDS)
                    row.attempts -= 0 if counts else 1
                else:
                    self._announce(session, row, "document.failed")
            self._store.bus.publish(OUTBOX_TOPIC)
        except ClaimLost as error:
            logger.info("documents: {}", error.detail)

    def _announce(self, session: AsyncSession, row: Document, kind: str) -> None:
        """Tell outside, in the transaction that makes it so."""
        data: Payload = {
            "document_id": row.document_id,
            "project_id": row.project_id,
            "title": row.name,
            "status": row.status,
            "reason": row.error_reason,
        }
        now = self._store.clock.now()
        announce(session, kind, data, now, project_id=row.project_id, user_id=row.owner_id)

    def _died(self, document: Document) -> str:
        return (
            f"Reading {document.name} ended the process that did it {self._limits.attempts} times. "
            "Send the document in another format, or read it again once the server has more memory."
        )


class _Progress:
    """Puts progress into the row, not more often than anybody can see."""

    def __init__(self, claims: Claims, document: Document, store: Store) -> None:
        self._claims = claims
        self._document = document
        self._clock = store.clock
        self._told_at = 0.0
        self._stage = ""

    async def tell(self, progress: ParseProgress) -> None:
        now = self._clock.monotonic()
        if progress.stage == self._stage and now - self._told_at < PROGRESS_SECONDS:
            return
        self._told_at, self._stage = now, progress.stage
        note = f"{progress.stage}, {progress.rows:,} rows" if progress.rows else progress.stage
        async with self._claims.writing(self._document) as (_, row):
            row.progress = max(row.progress, min(0.99, progress.fraction))
            row.progress_note = note
