"""A model without an agent: the request goes to its provider as it is."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, cast

from diono.features.gateway.errors import NotSupported
from diono.features.gateway.schemas import Call, ChatCompletionRequest, ChatMessage
from diono.features.gateway.service.pieces import Piece
from diono.llm.catalog import BoundModel
from diono.llm.port import ChatRequest, Message, Reply, ToolCall, ToolSpec

LEAST_TOKENS = 256
MOST_TOKENS = 8192


def text_of(message: ChatMessage) -> str:
    """Return a message's text. Raises NotSupported for pictures and sound."""
    if not isinstance(message.content, list):
        return message.content or ""
    if any(part.type != "text" for part in message.content):
        raise NotSupported("Only text is read here: leave pictures, sound and files out.")
    return "".join(part.text for part in message.content)


def chat_request(wanted: ChatCompletionRequest, context_tokens: int) -> ChatRequest:
    """Return the request for a model of this window. Raises NotSupported."""
    window_share = min(max(context_tokens // 4, LEAST_TOKENS), MOST_TOKENS)
    stop = [wanted.stop] if isinstance(wanted.stop, str) else wanted.stop or []
    return ChatRequest(
        messages=tuple(_message(one) for one in wanted.messages),
        max_tokens=wanted.max_completion_tokens or wanted.max_tokens or window_share,
        temperature=wanted.temperature or 0.0,
        seed=wanted.seed,
        stop=tuple(stop),
        json_schema=_schema(wanted),
        tools=tuple(
            ToolSpec(
                name=tool.function.name,
                description=tool.function.description,
                parameters=tool.function.parameters or {"type": "object", "properties": {}},
            )
            for tool in wanted.tools or ()
        ),
    )


async def raw_answer(model: BoundModel, request: ChatRequest) -> AsyncGenerator[Piece]:
    """Yield what the model says as it says it; leaving stops the generation."""
    queue: asyncio.Queue[Piece | None] = asyncio.Queue()

    async def on_text(text: str) -> None:
        queue.put_nowait(Piece(content=text))

    async def on_thinking(text: str) -> None:
        queue.put_nowait(Piece(reasoning=text))

    asking = asyncio.ensure_future(model.ask(request, on_text, on_thinking))
    asking.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (piece := await queue.get()) is not None:
            yield piece
        yield _last(await asking)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def _last(reply: Reply) -> Piece:
    finish = "tool_calls" if reply.tool_calls else "length" if reply.is_cut else "stop"
    return Piece(tool_calls=reply.tool_calls, finish=finish, usage=reply.usage)


def _message(message: ChatMessage) -> Message:
    return Message(
        role="system" if message.role == "developer" else message.role,
        content=text_of(message),
        tool_calls=tuple(_call(call) for call in message.tool_calls or ()),
        tool_call_id=message.tool_call_id or "",
    )


def _call(call: Call) -> ToolCall:
    written = call.function.arguments
    try:
        arguments: Any = json.loads(written or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        return ToolCall(id=call.id, name=call.function.name, unreadable=written)
    values = cast("dict[str, Any]", arguments)
    return ToolCall(id=call.id, name=call.function.name, arguments=values)


def _schema(wanted: ChatCompletionRequest) -> dict[str, Any] | None:
    format_ = wanted.response_format
    if format_ is None or format_.type == "text":
        return None
    if format_.type == "json_schema" and format_.json_schema is not None:
        return format_.json_schema.schema_
    return {"type": "object"}
