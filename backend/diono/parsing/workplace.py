"""A sandbox in which documents are read: the program and the bytes go in, outputs come out.

What comes out is the word of a program that read a hostile file: sizes are limited, and nothing is
believed that is not checked (models.py).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from diono.kernel.ids import new_id
from diono.parsing.errors import DocumentEmpty, DocumentTooLarge, ParserBroken
from diono.parsing.models import Ending, ParseProgress
from diono.parsing.program import MODULE, program_archive
from diono.sandbox.errors import FileMissing, FileTooLarge, WorkspaceFull
from diono.sandbox.port import ExecRequest, ExecResult, ExitReason, OutputChunk, Sandbox

PART_BYTES = 16 * 1024 * 1024
_LINE_CHARACTERS = 20_000
_OUTPUT_BYTES = 8_000_000
_SPARE_SECONDS = 20.0
_COPY_SECONDS = 60.0
_CANNOT_EXPORT = 3

OnProgress = Callable[[ParseProgress], Awaitable[None]]


@dataclass(frozen=True)
class Job:
    """One uploaded document; ``folder`` is where its outputs come."""

    folder: str
    parts: tuple[str, ...]
    name: str
    seconds: float


class Workplace:
    """One sandbox, for one owner, with the program in it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._program = ""

    @property
    def sandbox_id(self) -> str:
        return self._sandbox.sandbox_id

    async def prepare(self, *, is_there: bool = False) -> None:
        """Put the program there, unless it is. Raises ParserBroken."""
        name, archive = await asyncio.to_thread(program_archive)
        self._program = name
        if is_there:
            return
        await self._sandbox.write_file(f"{name}.zip", archive)
        argv = ("python3", "-I", "-m", "zipfile", "-e", f"{name}.zip", name)
        await self._must(argv, "the parser's program cannot be put into its sandbox")

    async def _must(self, argv: Sequence[str], trouble: str) -> None:
        request = ExecRequest(argv=tuple(argv), timeout_seconds=_COPY_SECONDS)
        done = await self._sandbox.execute(request)
        if not done.is_success:
            raise ParserBroken(f"{trouble}: {done.stderr[-300:] or done.reason}")

    async def upload(
        self, source: AsyncIterable[bytes], size: int, name: str, on_progress: OnProgress | None
    ) -> Job:
        """Write a document, part by part. Raises DocumentEmpty, DocumentTooLarge, ParserBroken."""
        folder = new_id("doc")
        parts: list[str] = []
        done = 0
        try:
            async for block in _blocks(source):
                done += len(block)
                if done > size:
                    raise ParserBroken(f"more bytes came than the {size:,} that were announced")
                part = f"{folder}/part-{len(parts):03d}"
                await self._sandbox.write_file(part, block)
                parts.append(part)
                if on_progress is not None:
                    progress = ParseProgress(stage="uploading", done=done, total=size)
                    await on_progress(progress)
        except WorkspaceFull as error:
            raise DocumentTooLarge("the document does not fit into a parser's disk") from error
        if not done:
            raise DocumentEmpty("the file is empty")
        if done < size:
            raise ParserBroken(f"only {done:,} of the announced {size:,} bytes came")
        return Job(folder, tuple(parts), name, seconds_for(size))

    async def run(self, jobs: Sequence[Job], on_progress: OnProgress | None = None) -> list[Ending]:
        """Read the documents one after the other; one ending a job. Raises ParserBroken."""
        orders = [
            {"parts": job.parts, "name": job.name, "folder": f"{job.folder}/out", **_time(job)}
            for job in jobs
        ]
        orders_file = f"{jobs[0].folder}/jobs.json"
        await self._sandbox.write_file(orders_file, json.dumps(orders).encode())
        seconds = sum(job.seconds for job in jobs) + _SPARE_SECONDS
        request = self._call((MODULE, orders_file), seconds)
        lines = _Lines(on_progress)
        result: ExecResult | None = None
        async with contextlib.aclosing(self._sandbox.stream(request)) as events:
            async for event in events:
                if isinstance(event, OutputChunk):
                    await lines.take(event)
                else:
                    result = event
        return _endings(jobs, lines, result)

    def _call(self, arguments: tuple[str, ...], seconds: float) -> ExecRequest:
        """Run a module of the program."""
        return ExecRequest(
            argv=("python3", "-P", "-s", "-W", "ignore", "-m", *arguments),
            env={
                "PYTHONPATH": f"/work/{self._program}",
                "ARROW_DEFAULT_MEMORY_POOL": "system",
                "MALLOC_ARENA_MAX": "2",
                "OMP_NUM_THREADS": "1",
                "TMPDIR": "/work",
            },
            timeout_seconds=seconds,
            output_limit_bytes=_OUTPUT_BYTES,
        )

    async def export(self, job: Job, form: str) -> str:
        """Write an uploaded Parquet table as ``csv`` or ``xlsx``; return where it lies. Raises
        DocumentTooLarge for what a worksheet cannot hold, ParserBroken."""
        target = f"{job.folder}/exported.{form}"
        arguments = (f"{MODULE}.export", form, target, *job.parts)
        done = await self._sandbox.execute(self._call(arguments, job.seconds + _SPARE_SECONDS))
        if done.exit_code == _CANNOT_EXPORT:
            raise DocumentTooLarge(done.stderr[-300:])
        if not done.is_success:
            raise ParserBroken(f"the table cannot be exported ({done.reason})")
        return target

    async def read(self, path: str, limit_bytes: int) -> bytes:
        """Return an output as a whole. Raises ParserBroken."""
        try:
            return await self._sandbox.read_file(path, limit_bytes)
        except (FileMissing, FileTooLarge) as error:
            raise ParserBroken(f"the parser's output is not as it should be: {error}") from error

    async def stream(self, path: str, limit_bytes: int) -> AsyncIterator[bytes]:
        """Yield an output piece by piece. Raises ParserBroken."""
        piece = f"{path}.piece"
        start = 0
        while True:
            argv = ("dd", f"if={path}", f"of={piece}", "bs=1M", "count=16", "status=none")
            await self._must((*argv, f"skip={start // 1_048_576}"), "an output cannot be read")
            data = await self.read(piece, PART_BYTES)
            start += len(data)
            if start > limit_bytes:
                raise ParserBroken("the parser's output is larger than it may be")
            if data:
                yield data
            if len(data) < PART_BYTES:
                return

    async def clear(self, job: Job) -> None:
        """Take a document and its outputs away."""
        request = ExecRequest(argv=("rm", "-rf", "--", job.folder), timeout_seconds=_COPY_SECONDS)
        await self._sandbox.execute(request)


def seconds_for(size: int) -> float:
    """Return how long a document of so many bytes may be read."""
    return min(900.0, 45.0 + 30.0 * size / 1_000_000)


def _time(job: Job) -> dict[str, float]:
    return {"seconds": job.seconds}


async def _blocks(source: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    kept = bytearray()
    async for chunk in source:
        kept += chunk
        while len(kept) >= PART_BYTES:
            yield bytes(kept[:PART_BYTES])
            del kept[:PART_BYTES]
    if kept:
        yield bytes(kept)


class _Lines:
    """Reads the guest's lines; what is none of its messages is let go."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._rest = ""
        self._fraction = 0.0
        self.endings: dict[int, Ending] = {}
        self.errors = ""

    async def take(self, chunk: OutputChunk) -> None:
        if chunk.stream == "stderr":
            self.errors = (self.errors + chunk.text)[-2_000:]
            return
        *lines, rest = (self._rest + chunk.text).split("\n")
        self._rest = rest[:_LINE_CHARACTERS]
        for line in lines:
            await self._line(line)

    async def _line(self, line: str) -> None:
        with contextlib.suppress(ValueError, ValidationError, RecursionError):
            message: object = json.loads(line[:_LINE_CHARACTERS])
            if not isinstance(message, dict):
                return
            if "ended" in message:
                ending = Ending.model_validate(message["ended"])
                self.endings.setdefault(ending.job, ending)
            elif self._on_progress is not None and "progress" in message:
                progress = ParseProgress.model_validate(message["progress"])
                self._fraction = max(self._fraction, progress.fraction)
                fraction = self._fraction
                await self._on_progress(progress.model_copy(update={"fraction": fraction}))


def _endings(jobs: Sequence[Job], lines: _Lines, result: ExecResult | None) -> list[Ending]:
    reason = ExitReason.LOST if result is None else result.reason
    missing = {
        ExitReason.DEADLINE: Ending(
            code="document_too_slow", reason="reading it takes longer than a document may"
        ),
        ExitReason.MEMORY: Ending(
            code="document_too_large", reason="reading it needs more memory than a document may"
        ),
    }.get(reason)
    endings: list[Ending] = []
    for number, _ in enumerate(jobs):
        ending = lines.endings.get(number, missing)
        if ending is None:
            detail = lines.errors.strip()[-300:]
            raise ParserBroken(f"the parser ended without a word ({reason}) {detail}".strip())
        endings.append(ending.model_copy(update={"job": number}))
    return endings
