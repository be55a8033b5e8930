"""What Anthropic's Messages API takes and sends, in our words."""

from dataclasses import dataclass
from typing import Any

from anthropic import AsyncStream, transform_schema
from anthropic.types import (
    InputJSONDelta,
    RawContentBlockDeltaEvent,
    RawMessageStreamEvent,
    TextDelta,
    ThinkingDelta,
)
from anthropic.types import Usage as SdkUsage

from diono.llm.port import ChatChunk, ChatRequest, FinishReason, Message, Usage
from diono.llm.streaming import ChunkStream
from diono.llm.wire import CallPieces

JsonObject = dict[str, Any]

_FINISH = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOLS,
}


@dataclass
class _Answer:
    """What a stream has told so far."""

    calls: CallPieces
    prompt_tokens: int = 0
    finish: FinishReason | None = None


async def chunks_of(stream: AsyncStream[RawMessageStreamEvent]) -> ChunkStream:
    """Yield our pieces of an answer."""
    answer = _Answer(CallPieces())
    async for event in stream:
        yield _chunk_of(event, answer)


def _chunk_of(event: RawMessageStreamEvent, answer: _Answer) -> ChatChunk:
    match event.type:
        case "message_start":
            answer.prompt_tokens = _all_read(event.message.usage)
        case "content_block_start":
            if event.content_block.type == "tool_use":
                block = event.content_block
                answer.calls.add(event.index, block.id, block.name, "")
        case "content_block_delta":
            return _delta_chunk(event, answer)
        case "message_delta":
            answer.finish = _FINISH.get(str(event.delta.stop_reason), FinishReason.STOP)
            written = event.usage.output_tokens
            return ChatChunk(
                usage=Usage(prompt_tokens=answer.prompt_tokens, completion_tokens=written)
            )
        case "message_stop":
            return ChatChunk(tool_calls=answer.calls.take(), finish=answer.finish)
        case _:
            pass
    return ChatChunk()


def _delta_chunk(event: RawContentBlockDeltaEvent, answer: _Answer) -> ChatChunk:
    match event.delta:
        case TextDelta(text=text):
            return ChatChunk(text=text)
        case ThinkingDelta(thinking=thinking):
            return ChatChunk(thinking=thinking)
        case InputJSONDelta(partial_json=piece):
            answer.calls.add(event.index, "", "", piece)
        case _:
            pass
    return ChatChunk()


def _all_read(usage: SdkUsage) -> int:
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return usage.input_tokens + cached


def body_of(model: str, request: ChatRequest, *, can_think: bool) -> JsonObject:
    """Return the body of a request. The API takes no seed and newer models no temperature."""
    system = [message.content for message in request.messages if message.role == "system"]
    body: JsonObject = {
        "model": model,
        "max_tokens": request.max_tokens,
        "messages": _turns(request),
        "stream": True,
    }
    if system:
        body["system"] = "\n\n".join(system)
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    if request.json_schema is not None:
        schema = transform_schema(request.json_schema)
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
    # Calls that were thought about must come back with their signed thoughts, which we do not keep.
    if can_think and not any(message.tool_calls for message in request.messages):
        body["thinking"] = {"type": "adaptive"}
    return body


def _turns(request: ChatRequest) -> list[JsonObject]:
    """Return the turns; results of several calls are one turn of the user."""
    turns: list[JsonObject] = []
    for message in request.messages:
        if message.role == "system":
            continue
        role = "user" if message.role == "tool" else message.role
        content = _content_of(message)
        last = turns[-1] if turns else None
        if last is not None and message.role == "tool" and _has_results(last):
            last["content"] += content
            continue
        turns.append({"role": role, "content": content})
    return turns


def _has_results(turn: JsonObject) -> bool:
    content: object = turn["content"]
    return turn["role"] == "user" and isinstance(content, list)


def _content_of(message: Message) -> str | list[JsonObject]:
    if message.role == "tool":
        result = {"type": "tool_result", "tool_use_id": message.tool_call_id}
        return [{**result, "content": message.content}]
    if not message.tool_calls:
        return message.content
    blocks: list[JsonObject] = []
    if message.content:
        blocks.append({"type": "text", "text": message.content})
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}
        for call in message.tool_calls
    ]
    return blocks
