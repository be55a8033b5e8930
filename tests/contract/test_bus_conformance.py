"""The bus, in one process and between two: every reader is woken, in order, and nothing hangs."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
import pytest_asyncio

from diono.infra.bus import Bus, MemoryBus, PollingBus, Subscription
from diono.infra.redis_bus import RedisBus
from diono.kernel.events import Event, EventType

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 20.0


class Pair:
    """A bus that is written to, and the one of the reader, perhaps of another process."""

    def __init__(self, writer: Bus, reader: Bus, *, carries_transient: bool) -> None:
        self.writer = writer
        self.reader = reader
        self.carries_transient = carries_transient


def _thinking(number: int) -> Event:
    return Event(
        event_id=None,
        task_id="t",
        timestamp=datetime.now(UTC),
        event_type=EventType.THINKING,
        payload={"text": f"é{number}"},
    )


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server (apt-get install redis-server)")
    folder = tmp_path_factory.mktemp("redis")
    command = [program, "--port", "0", "--unixsocket", str(folder / "s"), "--save", ""]
    with Popen([*command, "--dir", str(folder)], stdout=PIPE) as process:
        assert process.stdout is not None
        while b"ready to accept" not in process.stdout.readline().lower():
            pass
        yield f"unix://{folder / 's'}"
        process.terminate()


@pytest_asyncio.fixture(
    loop_scope="module", params=["memory", "polling", "polling apart", "redis", "redis apart"]
)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    kind, _, is_apart = request.param.partition(" ")
    make: Callable[[], Bus] = {
        "memory": MemoryBus,
        "polling": lambda: PollingBus(0.05),
        "redis": lambda: RedisBus(request.getfixturevalue("redis_url")),
    }[kind]
    writer = make()
    reader = make() if is_apart else writer
    async with AsyncExitStack() as stack:
        for bus in {writer, reader}:
            await bus.start()
            stack.push_async_callback(bus.close)
        yield Pair(writer, reader, carries_transient=kind == "redis" or not is_apart)


async def _transient(subscription: Subscription, count: int) -> list[str]:
    """Return the texts of so many transient events."""
    texts: list[str] = []
    async with asyncio.timeout(SECONDS):
        while len(texts) < count:
            await subscription.wait(1.0)
            texts += [event.payload["text"] for event in subscription.take_transient()]
    return texts


async def test_a_reader_is_woken_by_what_is_written(pair: Pair) -> None:
    with pair.reader.subscribe("t") as subscription:
        pair.writer.publish("t")
        assert await subscription.wait(SECONDS)


async def test_every_reader_gets_transient_events_in_order(pair: Pair) -> None:
    if not pair.carries_transient:
        pytest.skip("without Redis they stay in their process")
    with pair.reader.subscribe("t") as one, pair.reader.subscribe("t") as two:
        for number in range(50):
            pair.writer.publish("t", _thinking(number))
        expected = [f"é{number}" for number in range(50)]
        assert await asyncio.gather(_transient(one, 50), _transient(two, 50)) == [expected] * 2


async def test_nothing_comes_of_other_topics(pair: Pair) -> None:
    with pair.reader.subscribe("t") as subscription, pair.reader.subscribe("u") as other:
        pair.writer.publish("u", _thinking(1))
        if pair.carries_transient:
            assert await _transient(other, 1) == ["é1"]
        assert subscription.take_transient() == []


async def test_without_redis_readers_look_by_themselves(tmp_path: Path) -> None:
    """A Redis that is away makes what others write come late, but come."""
    bus = RedisBus(f"unix://{tmp_path / 'nothing'}")
    await bus.start()
    try:
        with bus.subscribe("t") as subscription:
            assert await subscription.wait(SECONDS)
            bus.publish("t")
            assert await subscription.wait(SECONDS)
    finally:
        await bus.close()
