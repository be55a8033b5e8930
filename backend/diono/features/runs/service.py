"""One-shot runs of programs, each in a sandbox of its own."""

import base64
import binascii
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

from diono.features.runs.errors import FileUnreadable
from diono.features.runs.schemas import (
    Compiled,
    ExecutedProgram,
    ExecuteProgram,
    FileContent,
    LanguageInfo,
    LanguageList,
    LanguageState,
)
from diono.kernel.errors import DionoError
from diono.sandbox.languages import Language, Languages
from diono.sandbox.port import EngineHealth, OutputChunk, Sandboxes
from diono.sandbox.program_models import RunRequest, RunResult
from diono.sandbox.programs import Removals, run_program, stream_program
from diono.sandbox.template_states import TemplateState

Progress = Callable[[], Awaitable[Sequence[TemplateState]]]


class Programs:
    """``progress`` tells how far templates are; without it only ready ones and the rest are told
    apart."""

    def __init__(
        self,
        sandboxes: Sandboxes,
        languages: Languages,
        progress: Progress | None = None,
        may_be_warm: bool = False,
    ) -> None:
        self._sandboxes = sandboxes
        self._languages = languages
        self._progress = progress
        self._may_be_warm = may_be_warm
        self._removals = Removals()

    def plan(self, owner: str, wanted: ExecuteProgram) -> RunRequest:
        """Check a run before anything starts. Raises LanguageUnknown, FileUnreadable."""
        language = self._languages.pick(wanted.language, wanted.file_name, wanted.code)
        files = {path: _bytes_of(path, content) for path, content in wanted.files.items()}
        return RunRequest(
            owner=owner,
            language=language,
            code=wanted.code,
            file_name=wanted.file_name,
            stdin=wanted.stdin.encode("utf-8", "replace"),
            args=tuple(wanted.args),
            env=wanted.env,
            files=files,
            collect=tuple(wanted.collect),
            run_seconds=wanted.timeout_seconds,
            compile_seconds=wanted.compile_timeout_seconds,
            may_be_warm=self._may_be_warm,
        )

    async def execute(self, request: RunRequest) -> ExecutedProgram:
        """Run it to its end. Raises TemplateBuilding, QuotaReached, EngineMissing, PathRefused."""
        return _told(await run_program(self._sandboxes, request, self._removals))

    async def stream(self, request: RunRequest) -> AsyncGenerator[OutputChunk | ExecutedProgram]:
        """Yield output as it comes and the result last."""
        async for event in stream_program(self._sandboxes, request):
            yield _told(event) if isinstance(event, RunResult) else event

    async def languages(self) -> LanguageList:
        health = await self._sandboxes.health()
        states: Mapping[str, TemplateState] = {}
        problem = health.problem
        if self._progress is not None:
            try:
                told = await self._progress()
                states = {name: state for state in told for name in state.names}
            except DionoError as error:
                problem = error.detail
        listed = [_described(language, health, states) for language in self._languages]
        return LanguageList(languages=listed, problem=problem)


def _described(
    language: Language,
    health: EngineHealth,
    states: Mapping[str, TemplateState],
) -> LanguageInfo:
    known = states.get(language.template)
    state, detail = LanguageState.ON_DEMAND, ""
    if known is not None:
        state, detail = LanguageState(known.readiness.value), known.detail
    elif language.template in health.templates:
        state = LanguageState.READY
    return LanguageInfo(
        name=language.name,
        title=language.title,
        aliases=list(language.aliases),
        extensions=list(language.extensions),
        template=language.template,
        is_compiled=bool(language.compile),
        timeout_seconds=language.run_seconds,
        compile_timeout_seconds=language.compile_seconds,
        kernel=language.kernel,
        state=state,
        detail=detail,
    )


def _bytes_of(path: str, given: FileContent) -> bytes:
    if given.encoding == "utf-8":
        return given.content.encode("utf-8", "replace")
    try:
        return base64.b64decode(given.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FileUnreadable(f"the content of {path!r} is not base64: {error}") from error


def _content_of(content: bytes) -> FileContent:
    try:
        return FileContent(content=content.decode("utf-8"))
    except UnicodeDecodeError:
        return FileContent(content=base64.b64encode(content).decode("ascii"), encoding="base64")


def _told(result: RunResult) -> ExecutedProgram:
    compiled = result.compiled
    return ExecutedProgram(
        language=result.language,
        status=result.status,
        exit_code=result.exit_code,
        stdout=result.stdout,
        stderr=result.stderr,
        is_truncated=result.is_truncated,
        seconds=result.seconds,
        compiled=Compiled.model_validate(compiled.model_dump()) if compiled else None,
        files={path: _content_of(content) for path, content in result.files.items()},
        left_out=list(result.left_out),
    )
