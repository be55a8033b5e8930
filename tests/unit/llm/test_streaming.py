"""Idle time-outs, retries and honest endings, whatever the provider."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest

from diono.llm import threads
from diono.llm.errors import BadProviderReply, ModelError, ProviderFailed, ProviderTimeout
from diono.llm.port import ChatChunk, ChatRequest, FinishReason, Message, Usage
from diono.llm.streaming import ChunkStream, StreamLimits, deliver
from diono.llm.threads import Reporter, reports_of

REQUEST = ChatRequest(messages=(Message(role="user", content="x" * 350),))
LIMITS = StreamLimits(idle_seconds=0.2, attempts=3, first_wait_seconds=0.001)
STOP = ChatChunk(finish=FinishReason.STOP)


def _saying(*chunks: ChatChunk | ModelError) -> Callable[[], ChunkStream]:
    async def stream() -> ChunkStream:
        for chunk in chunks:
            if isinstance(chunk, ModelError):
                raise chunk
            yield chunk

    return stream


async def _all(open_stream: Callable[[], ChunkStream]) -> list[ChatChunk]:
    return [chunk async for chunk in deliver(open_stream, REQUEST, LIMITS)]


async def test_usage_is_estimated_and_says_so_when_the_server_is_silent() -> None:
    *_, last = await _all(_saying(ChatChunk(text="y" * 35), STOP))
    assert last.usage == Usage(prompt_tokens=101, completion_tokens=11, is_estimate=True)


async def test_finish_and_usage_come_together_at_the_end_in_whatever_order_they_came() -> None:
    usage = Usage(prompt_tokens=1, completion_tokens=2)
    chunks = await _all(_saying(ChatChunk(usage=usage), ChatChunk(text="a"), STOP, ChatChunk()))
    assert chunks == [ChatChunk(text="a"), ChatChunk(finish=FinishReason.STOP, usage=usage)]


async def test_a_stream_without_an_end_is_a_bad_reply() -> None:
    with pytest.raises(BadProviderReply, match="cut off after 1 "):
        await _all(_saying(ChatChunk(text="a")))


async def test_nothing_is_retried_after_the_first_text() -> None:
    attempts: list[int] = []

    def open_stream() -> ChunkStream:
        attempts.append(1)
        return _saying(ChatChunk(text="a"), ProviderFailed("It failed."))()

    with pytest.raises(ProviderFailed):
        await _all(open_stream)
    assert len(attempts) == 1


async def test_silence_is_measured_from_the_last_sign_of_life() -> None:
    async def slow() -> ChunkStream:
        for _ in range(5):
            await asyncio.sleep(0.08)
            yield ChatChunk()
        yield STOP

    async def stuck() -> ChunkStream:
        yield ChatChunk(text="a")
        await asyncio.Event().wait()

    assert (await _all(slow))[-1].finish is FinishReason.STOP
    with pytest.raises(ProviderTimeout, match="DIONO_MODEL_IDLE_SECONDS"):
        await _all(stuck)


async def test_waits_grow_and_are_bounded() -> None:
    limits = StreamLimits(first_wait_seconds=0.5, longest_wait_seconds=3.0)
    assert [limits.wait_seconds(attempt) for attempt in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 3.0]


async def test_reports_of_a_thread_arrive_in_order_and_its_error_last() -> None:
    def work(report: Reporter[int]) -> None:
        report(1)
        report(2)
        raise ProviderFailed("It failed.")

    seen: list[int | None] = []
    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(ProviderFailed):
            seen.extend([item async for item in reports_of(executor, work)])
        async with aclosing(reports_of(executor, work)) as reports:
            assert [await anext(reports), await anext(reports)] == [1, 2]


async def test_leaving_stops_the_thread_at_its_next_report() -> None:
    stopped = threading.Event()

    def work(report: Reporter[int]) -> None:
        while not report(1):
            pass
        stopped.set()

    with ThreadPoolExecutor(1) as executor:
        async with aclosing(reports_of(executor, work)) as reports:
            await anext(reports)
        assert await asyncio.to_thread(stopped.wait, 5)


async def test_waiting_for_a_turn_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_HEARTBEAT_SECONDS", 0.01)
    free = threading.Event()

    def occupy(report: Reporter[int]) -> None:
        free.wait(5)

    def work(report: Reporter[int]) -> None:
        report(7)

    with ThreadPoolExecutor(1) as executor:
        executor.submit(occupy, Reporter(asyncio.get_running_loop()))
        async with aclosing(reports_of(executor, work)) as reports:
            assert await anext(reports) is None
            free.set()
            assert 7 in [item async for item in reports]
