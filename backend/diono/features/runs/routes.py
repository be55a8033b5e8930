"""One-shot runs over HTTP."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diono.features.accounts.access import SignedIn
from diono.features.runs.access import PlannedRun, ProgramsService
from diono.features.runs.schemas import ExecutedProgram, LanguageList
from diono.kernel.errors import DionoError
from diono.sandbox.port import OutputChunk

router = APIRouter(prefix="/api", tags=["runs"])


@router.post("/execute")
async def execute_program(request: PlannedRun, programs: ProgramsService) -> ExecutedProgram:
    """Run a program in a fresh sandbox and return how it ended.

    A language whose image is not built yet starts that build and answers 409
    `template_building` with how far it is; ask again.
    """
    return await programs.execute(request)


@router.post("/execute/stream", response_class=EventSourceResponse)
async def stream_program(
    request: PlannedRun, programs: ProgramsService
) -> AsyncIterator[ServerSentEvent]:
    """Run a program and stream its output: events `output`, then `result` or `error`."""
    try:
        async with aclosing(programs.stream(request)) as events:
            async for event in events:
                kind = "output" if isinstance(event, OutputChunk) else "result"
                yield ServerSentEvent(data=event.model_dump(mode="json"), event=kind)
    except DionoError as error:
        yield ServerSentEvent(data={"error": error.code, "detail": error.detail}, event="error")


@router.get("/languages")
async def list_languages(_account: SignedIn, programs: ProgramsService) -> LanguageList:
    """List the languages of one-shot runs and whether they are ready."""
    return await programs.languages()
