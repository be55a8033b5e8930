"""Runs one program in a sandbox of its own: write, compile, run, collect, and take it all away."""

import asyncio
import contextlib
import fnmatch
from collections.abc import AsyncGenerator

from loguru import logger

from diono.kernel.errors import DionoError, InvalidInput
from diono.kernel.ids import new_id
from diono.sandbox.errors import FileMissing, FileTooLarge
from diono.sandbox.port import (
    ExecRequest,
    ExecResult,
    ExitReason,
    OutputChunk,
    Sandbox,
    Sandboxes,
    SandboxSpec,
    SnippetRequest,
)
from diono.sandbox.program_models import CompileResult, RunEvent, RunRequest, RunResult, RunStatus

FILES_LIMIT = 32
FILE_BYTES_LIMIT = 1_000_000
OUTPUT_BYTES_LIMIT = 256_000
_SPARE_SECONDS = 60
_CHECK_SECONDS = 10.0
_STATUS = {
    ExitReason.DEADLINE: RunStatus.DEADLINE,
    ExitReason.MEMORY: RunStatus.MEMORY,
    ExitReason.LOST: RunStatus.LOST,
}


class Removals:
    """Takes sandboxes away while their results are already on the way to whoever asked."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, sandboxes: Sandboxes, owner: str, project: str) -> None:
        task = asyncio.create_task(_remove(sandboxes, owner, project))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        await asyncio.gather(*self._tasks)


async def run_program(
    sandboxes: Sandboxes, request: RunRequest, removals: Removals | None = None
) -> RunResult:
    """Run it to its end. Raises what opening a sandbox raises (QuotaReached, TemplateBuilding).

    Without ``removals`` the sandbox is gone when this returns.
    """
    async with _sandbox_of(sandboxes, request, removals) as sandbox:
        program = _Program(sandbox, request)
        compiled = await program.prepare()
        if compiled is not None and not _is_success(compiled):
            return program.not_compiled(compiled)
        return await program.finish(await program.run(), compiled)


async def stream_program(sandboxes: Sandboxes, request: RunRequest) -> AsyncGenerator[RunEvent]:
    """Like ``run_program``, with the program's output as it comes; the result is the last event."""
    # The warm interpreter tells all at the end.
    request = request.model_copy(update={"may_be_warm": False})
    async with _sandbox_of(sandboxes, request, None) as sandbox:
        program = _Program(sandbox, request)
        compiled = await program.prepare()
        if compiled is not None and not _is_success(compiled):
            yield program.not_compiled(compiled)
            return
        async with contextlib.aclosing(sandbox.stream(program.request())) as events:
            async for event in events:
                if isinstance(event, OutputChunk):
                    yield event
                else:
                    yield await program.finish(event, compiled)


@contextlib.asynccontextmanager
async def _sandbox_of(
    sandboxes: Sandboxes, request: RunRequest, removals: Removals | None
) -> AsyncGenerator[Sandbox]:
    """Open a sandbox for this run only, and remove it and its files when the run is over."""
    language = request.language
    project = new_id("run")
    seconds = (request.run_seconds or language.run_seconds) + _SPARE_SECONDS
    seconds += request.compile_seconds or language.compile_seconds
    spec = SandboxSpec(
        owner=request.owner,
        project=project,
        template=language.template,
        limits=language.limits,
        max_age_seconds=int(seconds),
        is_disposable=True,
    )
    sandbox = await sandboxes.open(spec)
    try:
        yield sandbox
    finally:
        if removals is None:
            await asyncio.shield(_remove(sandboxes, request.owner, project))
        else:
            removals.add(sandboxes, request.owner, project)


async def _remove(sandboxes: Sandboxes, owner: str, project: str) -> None:
    """The run has its result; a sandbox that cannot be removed now ends at its age."""
    try:
        await sandboxes.kill(owner, project)
        await sandboxes.delete_workspace(owner, project)
    except DionoError as error:
        logger.warning("the sandbox of {} could not be removed: {}", project, error.detail)


class _Program:
    def __init__(self, sandbox: Sandbox, request: RunRequest) -> None:
        self._sandbox = sandbox
        self._request = request
        self._language = request.language
        self._source = request.language.source_name(request.code, request.file_name)
        if self._source in request.files:
            raise InvalidInput(f"{self._source!r} is the program itself; rename the other file")
        self._code = request.code.encode("utf-8", "replace")

    async def prepare(self) -> CompileResult | None:
        """Write what the run needs and compile it; None if nothing is compiled."""
        files = dict(self._request.files)
        if not self._is_snippet:
            files[self._source] = self._code
        if files:
            await self._sandbox.write_files(files)
        if not self._language.compile:
            return None
        done = await self._sandbox.execute(
            ExecRequest(
                argv=self._language.argv(self._language.compile, self._source),
                env=self._language.env,
                timeout_seconds=self._request.compile_seconds or self._language.compile_seconds,
                output_limit_bytes=OUTPUT_BYTES_LIMIT,
            )
        )
        return CompileResult(
            exit_code=done.exit_code,
            reason=done.reason,
            stdout=done.stdout,
            stderr=done.stderr,
            seconds=done.seconds,
        )

    @property
    def _is_snippet(self) -> bool:
        """Whether the warm interpreter may have it: what it prints is all that is wanted."""
        wants_files = self._request.files or self._request.collect
        return self._request.may_be_warm and self._language.is_warm and not wants_files

    def request(self) -> ExecRequest:
        return ExecRequest(
            argv=(*self._language.argv(self._language.run, self._source), *self._request.args),
            env={**self._language.env, **self._request.env},
            stdin=self._request.stdin,
            timeout_seconds=self._request.run_seconds or self._language.run_seconds,
            output_limit_bytes=OUTPUT_BYTES_LIMIT,
        )

    async def run(self) -> ExecResult:
        if not self._is_snippet:
            return await self._sandbox.execute(self.request())
        return await self._sandbox.run_python(
            SnippetRequest(
                code=self._request.code,
                stdin=self._request.stdin.decode("utf-8", "replace"),
                args=self._request.args,
                env=self._request.env,
                timeout_seconds=self._request.run_seconds or self._language.run_seconds,
            )
        )

    def not_compiled(self, compiled: CompileResult) -> RunResult:
        status = _STATUS.get(compiled.reason, RunStatus.COMPILE_ERROR)
        return RunResult(language=self._language.name, status=status, compiled=compiled)

    async def finish(self, done: ExecResult, compiled: CompileResult | None) -> RunResult:
        status = _STATUS.get(done.reason, RunStatus.FAILED)
        if done.is_success:
            status = RunStatus.SUCCEEDED
        elif status is RunStatus.FAILED and await self._is_ill_formed():
            status = RunStatus.COMPILE_ERROR
        files: dict[str, bytes] = {}
        left_out: tuple[str, ...] = ()
        if self._request.collect and done.reason is not ExitReason.LOST:
            files, left_out = await self._collect()
        return RunResult(
            language=self._language.name,
            status=status,
            exit_code=done.exit_code,
            stdout=done.stdout,
            stderr=done.stderr,
            is_truncated=done.is_truncated,
            seconds=done.seconds,
            compiled=compiled,
            files=files,
            left_out=left_out,
        )

    async def _is_ill_formed(self) -> bool:
        """Whether the program failed because it is not one, by the language's own check."""
        if not self._language.check:
            return False
        if self._is_snippet:
            await self._sandbox.write_files({self._source: self._code})
        argv = self._language.argv(self._language.check, self._source)
        done = await self._sandbox.execute(
            ExecRequest(argv=argv, env=self._language.env, timeout_seconds=_CHECK_SECONDS)
        )
        return done.reason is ExitReason.EXITED and done.exit_code != 0

    async def _collect(self) -> tuple[dict[str, bytes], tuple[str, ...]]:
        given = {self._source, *self._request.files}
        entries = await self._sandbox.list_files()
        found = [
            entry
            for entry in entries
            if not entry.is_dir
            and (entry.path not in given or entry.path in self._request.collect)
            and any(fnmatch.fnmatchcase(entry.path, pattern) for pattern in self._request.collect)
        ]
        files: dict[str, bytes] = {}
        left_out: list[str] = []
        for entry in found:
            if len(files) == FILES_LIMIT or entry.size > FILE_BYTES_LIMIT:
                left_out.append(entry.path)
                continue
            try:
                files[entry.path] = await self._sandbox.read_file(entry.path, FILE_BYTES_LIMIT)
            except (FileMissing, FileTooLarge):
                left_out.append(entry.path)
        return files, tuple(left_out)


def _is_success(compiled: CompileResult) -> bool:
    return compiled.reason is ExitReason.EXITED and compiled.exit_code == 0
