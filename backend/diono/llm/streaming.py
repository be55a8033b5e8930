"""What every adapter's stream goes through: idle time-out, bounded retries, an honest end."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from diono.llm.errors import (
    BadProviderReply,
    ProviderFailed,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
)
from diono.llm.port import ChatChunk, ChatRequest, FinishReason, Usage
from diono.llm.thinking import ThinkingSplitter

ChunkStream = AsyncGenerator[ChatChunk]

CHARACTERS_PER_TOKEN = 3.5
_RETRIED = (RateLimited, ProviderFailed, ProviderUnreachable)


@dataclass(frozen=True)
class StreamLimits:
    """``idle_seconds`` is the time since the last sign of life; there is no limit in total."""

    idle_seconds: float = 120.0
    attempts: int = 3
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 8.0

    def wait_seconds(self, attempt: int) -> float:
        """Return the pause after failed attempt number ``attempt`` (from 1)."""
        return min(self.first_wait_seconds * 2 ** (attempt - 1), self.longest_wait_seconds)


async def deliver(
    open_stream: Callable[[], ChunkStream], request: ChatRequest, limits: StreamLimits
) -> ChunkStream:
    """Yield the pieces of one answer, the last of which has ``finish`` and ``usage``.

    ``open_stream`` yields text, finish and usage in any order; an empty chunk is a sign of life.
    An attempt that failed before its first piece of text is repeated for overload, server faults
    and connection faults. Closing this generator closes the provider's stream.
    """
    for attempt in range(1, limits.attempts + 1):
        has_begun = False
        try:
            async with aclosing(_complete(open_stream(), request, limits)) as stream:
                async for chunk in stream:
                    has_begun = True
                    yield chunk
            return
        except _RETRIED:
            if has_begun or attempt == limits.attempts:
                raise
        await asyncio.sleep(limits.wait_seconds(attempt))


async def _complete(source: ChunkStream, request: ChatRequest, limits: StreamLimits) -> ChunkStream:
    finish: FinishReason | None = None
    usage: Usage | None = None
    characters = 0
    splitter = ThinkingSplitter()
    async with aclosing(_with_idle_timeout(source, limits.idle_seconds)) as stream:
        async for chunk in stream:
            finish = chunk.finish or finish
            usage = chunk.usage or usage
            characters += len(chunk.text) + len(chunk.thinking)
            if piece := _apart(chunk, splitter.feed(chunk.text)):
                yield piece
    if piece := _apart(ChatChunk(), splitter.end()):
        yield piece
    if finish is None:
        raise BadProviderReply(
            f"The model's answer was cut off after {characters} characters: the provider closed "
            "the stream without ending it. Try again; if it repeats, look at the provider's log."
        )
    yield ChatChunk(finish=finish, usage=usage or estimated_usage(request, characters))


def _apart(chunk: ChatChunk, split: tuple[str, str]) -> ChatChunk | None:
    """Return what a chunk says, its thinking apart from its text; None if it says nothing."""
    thinking, text = split
    said = ChatChunk(text=text, thinking=chunk.thinking + thinking, tool_calls=chunk.tool_calls)
    return said if said.text or said.thinking or said.tool_calls else None


async def _with_idle_timeout(source: ChunkStream, seconds: float) -> ChunkStream:
    async with aclosing(source):
        while True:
            try:
                async with asyncio.timeout(seconds):
                    chunk = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise ProviderTimeout(
                    f"The model gave no sign of life for {seconds:g} s. Check that its server is "
                    "not stuck or swapping, or raise DIONO_MODEL_IDLE_SECONDS."
                ) from error
            yield chunk


def estimate_tokens(characters: int) -> int:
    """Return a rough number of tokens of English or code."""
    return round(characters / CHARACTERS_PER_TOKEN) + 1


def prompt_characters(request: ChatRequest) -> int:
    """Return the characters of all messages."""
    return sum(len(message.content) for message in request.messages)


def estimated_usage(request: ChatRequest, completion_characters: int) -> Usage:
    """Return a usage that says of itself that it is an estimate."""
    return Usage(
        prompt_tokens=estimate_tokens(prompt_characters(request)),
        completion_tokens=estimate_tokens(completion_characters),
        is_estimate=True,
    )
