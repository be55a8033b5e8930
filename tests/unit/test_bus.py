"""Wake-ups are merged, never lost."""

from datetime import UTC, datetime

from diono.infra.bus import TRANSIENT_QUEUE_LENGTH, MemoryBus
from diono.kernel.events import Event, EventType


def _thinking(text: str) -> Event:
    return Event(
        event_id=None,
        task_id="t",
        timestamp=datetime.now(UTC),
        event_type=EventType.THINKING,
        payload={"text": text},
    )


async def test_wake_up_before_the_wait_is_seen() -> None:
    bus = MemoryBus()
    with bus.subscribe("t") as subscription:
        bus.publish("t")
        assert await subscription.wait(0.01)
        assert not await subscription.wait(0.01)


async def test_slow_reader_costs_a_bounded_queue() -> None:
    bus = MemoryBus()
    with bus.subscribe("t") as subscription:
        for number in range(TRANSIENT_QUEUE_LENGTH * 2):
            bus.publish("t", _thinking(str(number)))
        assert len(subscription.take_transient()) == TRANSIENT_QUEUE_LENGTH
        assert subscription.take_transient() == []


async def test_topics_are_apart() -> None:
    bus = MemoryBus()
    with bus.subscribe("other") as subscription:
        bus.publish("t")
        assert not await subscription.wait(0.01)
