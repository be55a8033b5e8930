"""The bus over Redis: readers of every process are woken at once."""

import asyncio
from typing import Any

from loguru import logger
from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from diono.infra.bus import MemoryBus
from diono.kernel.events import Event
from diono.kernel.ids import new_id

CHANNEL = "diono:bus"
AGAIN_SECONDS = 1.0
CLOSE_SECONDS = 0.5
OUTBOX_LENGTH = 1000


class _Notice(BaseModel):
    model_config = ConfigDict(frozen=True)

    origin: str
    topic: str
    event: Event | None = None


class RedisBus(MemoryBus):
    """Own readers are told directly, those of other processes by one channel.

    While Redis is away nothing is lost but transient events: all readers look once it is back, and
    every second until then.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url, socket_connect_timeout=3, health_check_interval=15
        )
        self._origin = new_id("bus")
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_LENGTH)
        self._tasks: list[asyncio.Task[None]] = []
        self._is_listening = asyncio.Event()

    async def start(self) -> None:
        """Begin to listen; returns when the channel is open, or after a moment without Redis."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._send())]
        try:
            async with asyncio.timeout(AGAIN_SECONDS * 3):
                await self._is_listening.wait()
        except TimeoutError:
            logger.warning("Redis does not answer: events of other processes come late")

    async def close(self) -> None:
        left = set(self._tasks)
        while left:
            # More than once: the client of Redis can take a cancel for a lost connection.
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=CLOSE_SECONDS)
        await self._redis.aclose()

    def publish(self, topic: str, transient: Event | None = None) -> None:
        super().publish(topic, transient)
        notice = _Notice(origin=self._origin, topic=topic, event=transient)
        try:
            self._outbox.put_nowait(notice.model_dump_json())
        except asyncio.QueueFull:
            if transient is None:
                logger.warning("Redis is slow: a wake-up for {} was dropped", topic)

    async def _send(self) -> None:
        while True:
            text = await self._outbox.get()
            try:
                await self._redis.publish(CHANNEL, text)  # pyright: ignore[reportUnknownMemberType]
            except (RedisError, OSError) as error:
                logger.warning("Redis took no event: {}", error)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self) -> None:
        while True:
            try:
                await self._receive()
            except (RedisError, OSError) as error:
                logger.warning("Redis sends no events: {}", error)
            self._is_listening.clear()
            self.wake_all()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _receive(self) -> None:
        async with self._redis.pubsub() as channel:  # pyright: ignore[reportUnknownMemberType]
            await channel.subscribe(CHANNEL)  # pyright: ignore[reportUnknownMemberType]
            async for message in channel.listen():  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
                self._take(message)  # pyright: ignore[reportUnknownArgumentType]

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._is_listening.set()
            self.wake_all()
        if message["type"] != "message":
            return
        try:
            notice = _Notice.model_validate_json(message["data"])
        except ValidationError:
            logger.warning("a notice on the bus cannot be read: are the versions the same?")
            return
        if notice.origin != self._origin:
            super().publish(notice.topic, notice.event)
