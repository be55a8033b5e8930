"""OpenAI's chat completions in front of the agents and the models."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from diono.features.accounts.access import Identified
from diono.features.gateway.access import GatewayService
from diono.features.gateway.errors import openai_error
from diono.features.gateway.schemas import ChatCompletionRequest, OpenAIModel, OpenAIModelList
from diono.features.gateway.service import AnswerFailed, Form, Piece
from diono.features.tasks.access import RunsPort
from diono.kernel.errors import DionoError

router = APIRouter(prefix="/v1", tags=["openai"])

ProjectHeader = Annotated[str, Header(max_length=40)]

_ALIVE = ": alive\n\n"
_DONE = "data: [DONE]\n\n"
# A client that asks again after a fault would start the same work once more.
_NO_RETRY = {"x-should-retry": "false"}


@router.get("/models")
async def list_openai_models(
    caller: Identified, gateway: GatewayService, x_diono_project: ProjectHeader = ""
) -> OpenAIModelList:
    """List the agents and the models, in OpenAI's form."""
    caller.need("read")
    return await gateway.models(caller, x_diono_project)


@router.get("/models/{model:path}")
async def get_openai_model(
    model: str, caller: Identified, gateway: GatewayService, x_diono_project: ProjectHeader = ""
) -> OpenAIModel:
    """Return one agent or model, in OpenAI's form."""
    caller.need("read")
    return await gateway.model(model, caller, x_diono_project)


@router.post("/chat/completions", response_class=Response, responses={200: {"model": None}})
async def create_chat_completion(
    body: ChatCompletionRequest,
    request: Request,
    caller: Identified,
    gateway: GatewayService,
    runs: RunsPort,
    x_diono_project: ProjectHeader = "",
) -> Response:
    """Answer as OpenAI's endpoint does, in one piece or as a stream. A client that goes away
    cancels its task."""
    form, pieces = await gateway.begin(caller, body, x_diono_project, runs)
    if body.stream:
        return StreamingResponse(
            _stream(form, pieces),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
    return await _whole(request, form, pieces)


async def _stream(form: Form, pieces: AsyncGenerator[Piece]) -> AsyncGenerator[str]:
    yield _data(form.opening())
    async with aclosing(pieces):
        try:
            async for piece in pieces:
                if piece.is_empty:
                    yield _ALIVE
                for chunk in form.chunks(piece):
                    yield _data(chunk)
        except DionoError as error:
            yield _data(_fault(error))
            return
    yield _DONE


async def _whole(request: Request, form: Form, pieces: AsyncGenerator[Piece]) -> Response:
    answering = asyncio.ensure_future(_collect(pieces))
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return JSONResponse(form.whole(answering.result()))
    except AnswerFailed as error:
        return JSONResponse(_fault(error), status_code=HTTPStatus.BAD_GATEWAY, headers=_NO_RETRY)
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _collect(pieces: AsyncGenerator[Piece]) -> list[Piece]:
    async with aclosing(pieces):
        return [piece async for piece in pieces]


async def _gone(request: Request) -> None:
    """Return once the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _fault(error: DionoError) -> dict[str, object]:
    code = error.cause if isinstance(error, AnswerFailed) else error.code
    return openai_error(HTTPStatus.BAD_GATEWAY, code, error.detail)


def _data(value: object) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
