"""The preview gateway in front of a real HTTP server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest

from diono.features.previews.errors import NoPreviewPort
from diono.features.previews.service import AUDIENCE, TOKEN_PARAMETER, Connection
from diono.infra.tokens import TokenSigner
from diono.web.preview_gateway import CONNECTIONS, PreviewGateway

PORTS = range(18100, 18103)


class Program:
    """A previewed program: tells what it got, and tries to set our cookie."""

    def __init__(self) -> None:
        self.heads: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        writer.write(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: diono_preview_18100=tossed\r\n"
            b"Set-Cookie: own=1\r\nConnection: close\r\n\r\nhello"
        )
        await writer.drain()
        writer.close()


@pytest.fixture
def signer() -> TokenSigner:
    return TokenSigner("s" * 48)


@pytest.fixture
async def gateway(signer: TokenSigner) -> AsyncIterator[PreviewGateway]:
    gateway = PreviewGateway("127.0.0.1", PORTS, signer)
    yield gateway
    await gateway.close()


@pytest.fixture
async def program(gateway: PreviewGateway) -> AsyncIterator[Program]:
    program = Program()
    server = await asyncio.start_server(program.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def dial() -> Connection:
        return await asyncio.open_connection("127.0.0.1", port)

    assert await gateway.open("prj_1", dial) == PORTS.start
    yield program
    server.close()


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORTS.start}")


async def test_link_opens_the_program_and_its_cookie_goes_on(
    program: Program, signer: TokenSigner
) -> None:
    token = signer.sign("prj_1", AUDIENCE, 60)
    async with _client() as client:
        first = await client.get("/page?a=1", params={TOKEN_PARAMETER: token, "a": "1"})
        assert first.text == "hello"
        assert "tossed" not in str(first.headers.get_list("set-cookie"))
        assert (await client.get("/next")).text == "hello"
    assert [head.split(" ")[1] for head in program.heads] == ["/page?a=1", "/next"]
    assert all(token not in head for head in program.heads)
    assert "own=1" in program.heads[1]


async def test_browser_is_sent_on_without_the_token_in_its_address(
    program: Program, signer: TokenSigner
) -> None:
    token = signer.sign("prj_1", AUDIENCE, 60)
    async with _client() as client:
        reply = await client.get(
            "//evil.example/x",
            params={TOKEN_PARAMETER: token},
            headers={"Sec-Fetch-Mode": "navigate"},
        )
    assert reply.status_code == 303
    assert reply.headers["location"].startswith("/")
    assert not reply.headers["location"].startswith("//")
    assert program.heads == []


@pytest.mark.parametrize("case", ["none", "other project", "other audience", "expired", "forged"])
async def test_nobody_else_gets_in(program: Program, signer: TokenSigner, case: str) -> None:
    token = {
        "none": "",
        "other project": signer.sign("prj_2", AUDIENCE, 60),
        "other audience": signer.sign("prj_1", "api", 60),
        "expired": signer.sign("prj_1", AUDIENCE, -5),
        "forged": TokenSigner("x" * 48).sign("prj_1", AUDIENCE, 60),
    }[case]
    async with _client() as client:
        reply = await client.get("/", params={TOKEN_PARAMETER: token})
    assert reply.status_code == 403
    assert program.heads == []


async def test_program_that_is_away_is_a_clear_502(
    gateway: PreviewGateway, signer: TokenSigner
) -> None:
    async def dial() -> Connection:
        raise NoPreviewPort("The program has stopped. Open it again from the dashboard.")

    port = await gateway.open("prj_9", dial)
    token = signer.sign("prj_9", AUDIENCE, 60)
    async with httpx.AsyncClient() as client:
        reply = await client.get(f"http://127.0.0.1:{port}/", params={TOKEN_PARAMETER: token})
    assert (reply.status_code, "stopped" in reply.text) == (502, True)


async def test_no_free_port_names_the_setting(gateway: PreviewGateway) -> None:
    async def dial() -> Connection:
        raise AssertionError

    for number in range(len(PORTS)):
        await gateway.open(f"prj_{number}", dial)
    with pytest.raises(NoPreviewPort, match="DIONO_PREVIEW_PORTS"):
        await gateway.open("prj_more", dial)


class Greedy:
    """A hostile program: announces, promises to keep the connection, and notes all it is sent."""

    def __init__(self) -> None:
        self.seen = b""
        self.writers: list[asyncio.StreamWriter] = []
        self.has_more = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        self.seen += await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 103 Early Hints\r\nConnection: keep-alive\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection : keep-alive\r\n"
            b"Set-Cookie:diono_preview_18100=tossed\r\n"
            b"Set-Cookie: a=1; Domain=127.0.0.1; Path=/\r\n"
            b"Clear-Site-Data: *\r\nConnection: keep-alive\r\n\r\nok"
        )
        await writer.drain()
        while data := await reader.read(4096):
            self.seen += data
            self.has_more.set()
        writer.close()

    async def end(self) -> None:
        for writer in self.writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@pytest.fixture
async def greedy(gateway: PreviewGateway) -> AsyncIterator[Greedy]:
    program = Greedy()
    server = await asyncio.start_server(program.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def dial() -> Connection:
        return await asyncio.open_connection("127.0.0.1", port)

    assert await gateway.open("prj_1", dial) == PORTS.start
    yield program
    server.close()
    await program.end()


async def test_a_program_never_sees_a_second_request_of_a_browser(
    greedy: Greedy, signer: TokenSigner
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORTS.start)
    token = signer.sign("prj_1", AUDIENCE, 60)
    cookies = f"Cookie: diono_preview_{PORTS.start}={token}; diono_preview_9=of-another\r\n"
    request = f"GET /one HTTP/1.1\r\nHost: x\r\n{cookies}\r\n".encode()
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200")
    assert head.count(b"connection") == 1
    assert b"\r\nconnection: close" in head
    assert b"tossed" not in head
    assert b"domain" not in head
    assert b"a=1" in head
    assert b"clear-site-data" not in head
    writer.write(request.replace(b"/one", b"/two"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await greedy.has_more.wait()
    assert token.encode() not in greedy.seen
    assert b"of-another" not in greedy.seen
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("request_line", "extra", "status"),
    [
        ("POST /x", "Origin: http://127.0.0.1:18101\r\n", 403),
        ("POST /x", "Origin: null\r\n", 403),
        ("GET /ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n", 403),
        ("GET /ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://evil\r\n", 403),
        ("GET /x", "Origin: http://127.0.0.1:18101\r\n", 200),
        ("POST /x", "Origin: http://127.0.0.1:18100\r\n", 200),
        ("POST /x", "", 200),
        ("POST /x", "Content-Length: -1\r\n", 400),
        ("GET //[", "", 400),
    ],
)
async def test_a_neighbours_page_may_change_nothing_with_the_cookie(
    greedy: Greedy, signer: TokenSigner, request_line: str, extra: str, status: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORTS.start)
    token = signer.sign("prj_1", AUDIENCE, 60)
    tossed = f"diono_preview_{PORTS.start}=tossed"
    writer.write(
        f"{request_line} HTTP/1.1\r\nHost: 127.0.0.1:18100\r\n{extra}"
        f"Cookie: {tossed}; diono_preview_{PORTS.start}={token}\r\n\r\n".encode()
    )
    assert int((await reader.readline()).split()[1]) == status
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def test_one_preview_holds_a_limited_number_of_connections(
    greedy: Greedy, signer: TokenSigner
) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", PORTS.start) for _ in range(CONNECTIONS)]
    async with _client() as client:
        with pytest.raises(httpx.TransportError):
            await client.get("/")
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        async with asyncio.timeout(5):
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get("/")).status_code == 403:
                        break
