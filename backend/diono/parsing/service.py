"""Parses documents of users, each user's in a sandbox of their own, never in this process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from loguru import logger
from pydantic import ValidationError

from diono.kernel.errors import DionoError
from diono.parsing.errors import DocumentEmpty, DocumentTooLarge, ParserBroken, refusal
from diono.parsing.models import ParsedDocument, ParseProgress, Section
from diono.parsing.workplace import Job, OnProgress, Workplace
from diono.sandbox.errors import SandboxGone, TemplateBuilding
from diono.sandbox.port import Limits, Sandboxes, SandboxSpec

TEMPLATE = "documents"
DOCUMENT_BYTES = 1024**3
MEMORY_MB = 512
_PROJECT = "document-parser"
_LARGE_PROJECT = "document-parser-large"
_LARGE_BYTES = 100 * 1024**2
_DISK_MB = 1_024
_RESULT_BYTES = 24 * 1024**2
_SECTIONS_BYTES = 240 * 1024**2
_OUTPUT_BYTES = 1024**3
_LINE_BYTES = 1024**2
_IDLE_SECONDS = 90
_AGE_SECONDS = 3_600
# Of owners whose sandbox may still be there.
_PLACES = 500
_BUILD_SECONDS = 600.0
_BUILD_PAUSE_SECONDS = 1.0


class Parsing:
    """A parsed document, whose outputs can be read until the context ends."""

    def __init__(self, document: ParsedDocument, workplace: Workplace, job: Job) -> None:
        self.document = document
        self._workplace = workplace
        self._job = job

    async def sections(self) -> AsyncIterator[Section]:
        """Yield the text in order, piece by piece. Raises ParserBroken."""
        path = f"{self._job.folder}/out/sections.jsonl"
        rest = b""
        async for data in self._workplace.stream(path, _SECTIONS_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > _LINE_BYTES:
                raise ParserBroken("the parser's text is not as it should be")
            for line in lines:
                yield _section(line)

    async def read(self, file: str) -> AsyncIterator[bytes]:
        """Yield an output: a table's ``file`` or the ``thumbnail``. Raises ParserBroken."""
        known = {table.file for table in self.document.tables} | {self.document.thumbnail}
        if file not in known:
            raise ParserBroken(f"the document has no output {file!r}")
        async for data in self._workplace.stream(f"{self._job.folder}/out/{file}", _OUTPUT_BYTES):
            yield data


def _section(line: bytes) -> Section:
    try:
        return Section.model_validate_json(line)
    except ValidationError as error:
        raise ParserBroken("the parser's text is not as it should be") from error


@dataclass
class _Place:
    """Where the documents of one owner are read, one at a time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    prepared_id: str = ""


class Parser:
    """``sandboxes`` must have the template ``documents``. ``parallel`` owners are served at a
    time; a document waits for those of its owner before it."""

    def __init__(self, sandboxes: Sandboxes, parallel: int = 2) -> None:
        self._sandboxes = sandboxes
        self._turns = asyncio.Semaphore(parallel)
        self._places: dict[tuple[str, str], _Place] = {}

    @asynccontextmanager
    async def parse(
        self,
        owner: str,
        source: AsyncIterable[bytes],
        *,
        size: int,
        name: str,
        on_progress: OnProgress | None = None,
    ) -> AsyncGenerator[Parsing]:
        """Parse ``size`` bytes of ``source``; ``name`` is a hint for text without a type of its
        own (``.csv``, ``.md``, ``.py``). Do not parse another one inside the context.

        Raises DocumentRefused, ParserBroken, and what opening a sandbox raises (QuotaReached,
        EngineMissing); a template that is being built is waited for.
        """
        if size <= 0:
            raise DocumentEmpty("the file is empty")
        if size > DOCUMENT_BYTES:
            raise DocumentTooLarge(
                f"it has {size:,} bytes; documents are read up to {DOCUMENT_BYTES:,}"
            )
        async with self._workplace(owner, size, on_progress) as workplace:
            job = await workplace.upload(source, size, name, on_progress)
            try:
                document = await self._read(workplace, job, on_progress)
                if on_progress is not None:
                    done = ParseProgress(stage="collecting", done=size, total=size, fraction=1.0)
                    await on_progress(done)
                yield Parsing(document, workplace, job)
            finally:
                # What cannot be cleared ends with the sandbox.
                with contextlib.suppress(DionoError):
                    await asyncio.shield(workplace.clear(job))

    @asynccontextmanager
    async def export(
        self, owner: str, table: AsyncIterable[bytes], *, size: int, form: Literal["csv", "xlsx"]
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Give a table's Parquet file as CSV or a workbook in which nothing is a formula.

        Raises DocumentTooLarge for what a worksheet cannot hold, and what ``parse`` raises.
        """
        async with self._workplace(owner, size, None) as workplace:
            job = await workplace.upload(table, size, "table.parquet", None)
            try:
                target = await workplace.export(job, form)
                yield workplace.stream(target, _OUTPUT_BYTES)
            finally:
                with contextlib.suppress(DionoError):
                    await asyncio.shield(workplace.clear(job))

    async def _read(
        self, workplace: Workplace, job: Job, on_progress: OnProgress | None
    ) -> ParsedDocument:
        (ending,) = await workplace.run([job], on_progress)
        if ending.code:
            logger.info("a document was refused: {} {}", ending.code, ending.error)
            raise refusal(ending.code, ending.reason)
        raw = await workplace.read(f"{job.folder}/out/result.json", _RESULT_BYTES)
        try:
            return ParsedDocument.model_validate_json(raw)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise ParserBroken(
                f"the parser's result is not as it should be: {first['loc']}: {first['msg']}"
            ) from error

    @asynccontextmanager
    async def _workplace(
        self, owner: str, size: int, on_progress: OnProgress | None
    ) -> AsyncGenerator[Workplace]:
        project = _LARGE_PROJECT if size > _LARGE_BYTES else _PROJECT
        key = (owner, project)
        place = self._places.setdefault(key, _Place())
        place.users += 1
        if on_progress is not None:
            await on_progress(ParseProgress(stage="waiting", total=size))
        try:
            async with place.lock, self._turns:
                spec = _spec(owner, project, size)
                workplace = await self._open(spec, place, on_progress)
                try:
                    yield workplace
                except SandboxGone as error:
                    place.prepared_id = ""
                    raise ParserBroken("the parser's sandbox ended; try again") from error
                finally:
                    if project == _LARGE_PROJECT:
                        place.prepared_id = ""
                        await asyncio.shield(self._remove(owner, project))
        finally:
            place.users -= 1
            is_many = len(self._places) > _PLACES
            if not place.users and (is_many or not place.prepared_id):
                self._places.pop(key, None)

    async def _open(
        self, spec: SandboxSpec, place: _Place, on_progress: OnProgress | None
    ) -> Workplace:
        ends_at = asyncio.get_running_loop().time() + _BUILD_SECONDS
        while True:
            try:
                sandbox = await self._sandboxes.open(spec)
                break
            except TemplateBuilding as error:
                if asyncio.get_running_loop().time() > ends_at:
                    raise
                if on_progress is not None:
                    await on_progress(ParseProgress(stage="waiting", note=error.detail[:900]))
                await asyncio.sleep(_BUILD_PAUSE_SECONDS)
        workplace = Workplace(sandbox)
        await workplace.prepare(is_there=place.prepared_id == sandbox.sandbox_id)
        place.prepared_id = sandbox.sandbox_id
        return workplace

    async def _remove(self, owner: str, project: str) -> None:
        """It is disposable: what cannot be removed now ends at its age."""
        with contextlib.suppress(DionoError):
            await self._sandboxes.kill(owner, project)

    async def close(self) -> None:
        """End the sandboxes that wait for a next document."""
        for owner, project in list(self._places):
            await self._remove(owner, project)
        self._places.clear()


def _spec(owner: str, project: str, size: int) -> SandboxSpec:
    # The document, its rows before they are typed, and its tables.
    disk_mb = _DISK_MB if project == _PROJECT else min(8_192, 512 + 4 * size // 1024**2)
    return SandboxSpec(
        owner=owner,
        project=project,
        template=TEMPLATE,
        limits=Limits(cpus=1.0, memory_mb=MEMORY_MB, pids=64, disk_mb=disk_mb),
        idle_seconds=_IDLE_SECONDS,
        max_age_seconds=_AGE_SECONDS,
        is_disposable=True,
    )
