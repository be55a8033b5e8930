"""Models over HTTP."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diono.features.accounts.access import SignedIn
from diono.features.models.schemas import FitReport, MeasureModel, ModelList
from diono.features.models.service import ModelFits
from diono.kernel.errors import DionoError
from diono.llm.further import Asker

router = APIRouter(prefix="/api/models", tags=["models"])


def model_fits(request: Request) -> ModelFits:
    return request.app.state.fits


Fits = Annotated[ModelFits, Depends(model_fits)]
InProject = Annotated[
    str | None, Query(max_length=40, description="Also the models of this project's providers.")
]


@router.get("")
async def list_models(account: SignedIn, fits: Fits, project_id: InProject = None) -> ModelList:
    """List models, what was measured of them, and which one is used when a task names none."""
    return await fits.list_models(Asker(account.user_id, project_id))


@router.get("/fit")
async def show_fit(
    account: SignedIn,
    fits: Fits,
    name: Annotated[str | None, Query(max_length=200, description="Default: the default.")] = None,
    project_id: InProject = None,
) -> FitReport:
    """Show how a model is best used: as measured, or (`is_assumed`) as its provider says."""
    return await fits.fit(name, Asker(account.user_id, project_id))


@router.post("/fit", response_class=EventSourceResponse)
async def measure_fit(
    request: MeasureModel, account: SignedIn, fits: Fits
) -> AsyncIterator[ServerSentEvent]:
    """Measure a model, which takes one to two minutes: events `progress`, then `result` or
    `error`. A model that was measured is only measured `again`; leaving stops the measurement."""
    asker = Asker(account.user_id, request.project_id)
    try:
        async with aclosing(fits.measuring(request.name, asker, again=request.again)) as events:
            async for event in events:
                kind = "result" if isinstance(event, FitReport) else "progress"
                yield ServerSentEvent(data=event.model_dump(mode="json"), event=kind)
    except DionoError as error:
        yield ServerSentEvent(data={"error": error.code, "detail": error.detail}, event="error")
