"""Answers of hostile guests, byte by byte, over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from diono.sandbox.guest_http import GuestBroken, GuestConnection

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n"
FLOOD = b"x" * 65_536
Connect = Callable[..., Awaitable[GuestConnection]]


@pytest.fixture
async def guest() -> AsyncIterator[Connect]:
    """Connect to a guest that sends these parts, each in a write of its own, and then floods."""
    servers: list[asyncio.Server] = []
    connections: list[GuestConnection] = []
    peers: list[asyncio.StreamWriter] = []

    async def connect(*parts: bytes, is_endless: bool = False) -> GuestConnection:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peers.append(writer)
            try:
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.01)  # the next part is to come by itself
                while is_endless:
                    writer.write(FLOOD)
                    await writer.drain()
            except (OSError, asyncio.CancelledError):  # the test is over
                return

        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0))
        port = servers[-1].sockets[0].getsockname()[1]
        connections.append(GuestConnection(await asyncio.open_connection("127.0.0.1", port)))
        await connections[-1].send(b"", is_last=True)
        return connections[-1]

    yield connect
    for connection in connections:
        connection.abort()
    for peer in peers:
        peer.transport.abort()
    for server in servers:
        server.close()
        await server.wait_closed()


async def whole(connection: GuestConnection) -> tuple[int, bytes]:
    async with asyncio.timeout(5):
        head = await connection.receive_head(b"GET")
        body = b""
        while part := await connection.receive_body():
            body += part
        return head.status, body


@pytest.mark.parametrize(
    "parts",
    [
        (OK + b"body",),
        (OK, b"bo", b"dy"),
        (b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + OK + b"bo", b"dy"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", OK, b"body"),
        (CHUNKED + b"0\r\n\r\n",),
        (CHUNKED, b"0\r\nA: trailer\r\n\r\n"),
    ],
)
async def test_an_honest_answer_is_whole_and_the_connection_is_kept(
    guest: Connect, parts: tuple[bytes, ...]
) -> None:
    connection = await guest(*parts)
    assert await whole(connection) == (200, b"body")
    assert connection.is_reusable


@pytest.mark.parametrize("surplus", [OK + b"evil", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"evil"])
async def test_an_answer_that_nobody_asked_for_is_dropped_with_its_connection(
    guest: Connect, surplus: bytes
) -> None:
    connection = await guest(OK + b"body" + surplus)
    assert await whole(connection) == (200, b"body")
    assert not connection.is_reusable


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 17,
        CHUNKED + b"0\r\nX: ",
        CHUNKED + b"4;",
    ],
    ids=["header", "reason", "interim", "trailer", "extension"],
)
async def test_what_never_ends_and_says_nothing_is_cut(guest: Connect, begun: bytes) -> None:
    connection = await guest(begun, is_endless=True)
    with pytest.raises(GuestBroken):
        await whole(connection)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
async def test_what_is_no_honest_http_is_refused(guest: Connect, answer: bytes) -> None:
    connection = await guest(answer)
    with pytest.raises(GuestBroken):
        await whole(connection)
