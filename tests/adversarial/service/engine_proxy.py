"""A door in front of the engine's socket that can be shut, held, cut or slowed: an engine that is
killed, hangs, restarts or is busy, without touching the real one."""

import asyncio
import contextlib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

ENGINE = "/var/run/docker.sock"
_CHUNK_BYTES = 65536


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    HELD = "held"
    CUT = "cut"
    FULL = "full"


FULL_BODY = b'{"message":"write /var/lib: no space left on device"}'
FULL_ANSWER = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(FULL_BODY)
) + FULL_BODY


class EngineDoor:
    """``state`` may be changed from any thread; what is open already is held or cut with it.

    SHUT refuses, HELD takes requests and never answers, CUT drops what is open and what comes,
    FULL answers as an engine does whose disk is full. ``delay_seconds`` slows each answer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.delay_seconds = 0.0
        self._state = Door.OPEN
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def address(self) -> str:
        return f"unix://{self.path}"

    def set(self, state: Door) -> None:
        async def change() -> None:
            self._state = state
            self._changed.set()
            self._changed = asyncio.Event()
            if state in (Door.SHUT, Door.CUT, Door.FULL):
                for writer in tuple(self._writers):
                    writer.transport.abort()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(10)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_unix_server(self._serve, str(self.path))
        )
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            if self._state in (Door.SHUT, Door.CUT):
                return
            far_reader, far = await asyncio.open_unix_connection(ENGINE)
            self._writers.add(far)
            answers = asyncio.create_task(self._pump(far_reader, writer, True))
            await self._pump(reader, far)
            if self._state is Door.FULL:
                answers.cancel()
                writer.write(FULL_ANSWER)
                writer.write_eof()
                while await reader.read(_CHUNK_BYTES):
                    pass
            await asyncio.wait([answers])
        except OSError:
            pass
        finally:
            for each in (writer, far):
                if each is not None:
                    self._writers.discard(each)
                    each.close()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, is_answer: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK_BYTES):
                if self._state is Door.FULL and data.startswith(b"POST"):
                    return
                while self._state is Door.HELD:
                    await self._changed.wait()
                if is_answer and self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                sink.write(data)
                await sink.drain()
            sink.write_eof()


@contextmanager
def engine_door(path: Path) -> Generator[EngineDoor]:
    door = EngineDoor(path)
    door.start()
    try:
        yield door
    finally:
        door.set(Door.OPEN)
        door.stop()
