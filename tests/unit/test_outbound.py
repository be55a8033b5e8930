"""Requests to users' addresses: real sockets behind a name server of ours."""

import asyncio
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
import trustme

from diono.infra.addresses import Address
from diono.infra.outbound import (
    AddressRefused,
    AddressUnknown,
    AnswerTooLarge,
    Outbound,
    OutboundPolicy,
    target_of,
)
from diono.kernel.errors import DionoError, InvalidInput

LOOPBACK = OutboundPolicy.of(["127.0.0.0/8", "::1"])


class Names:
    """A name server: each question for a name takes its next answer; the last one stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(rows) for name, rows in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[Address]:
        self.asked.append(name)
        rows = self._answers.get(name)
        if rows is None:
            raise OSError("no such name")
        row = rows.pop(0) if len(rows) > 1 else rows[0]
        return [ipaddress.ip_address(text) for text in row]


class Site:
    """A web server that answers what it is told, and counts who came."""

    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
        self.heads: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def _site(tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "0.0.0.0", "192.0.0.192", "198.18.0.1", "224.0.0.1",
        "255.255.255.255", "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]",
        "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]",
        "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]",
        "[2001:db8::1]", "168.63.129.16",
        # Other spellings, which libraries read as addresses.
        "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.1.",
        "[::1%25eth0]", "localhost%00.example.com", "\uff11\uff12\uff17.0.0.1",
        "\u2460\u2461\u2466.0.0.1",
    ],
)  # fmt: skip
async def test_what_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        await Outbound(resolve=Names()).check(f"http://{host}/v1")


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "ftp://example.com/", "file:///etc/passwd", "http://", "http:///x",
        "gopher://example.com", "http://user:pw@example.com/", "http://example.com@127.0.0.1/",
        "http://example.com\\@127.0.0.1/", "http://exa mple.com/", "http://example.com:99999/",
        "http://example.com:x/", "javascript:alert(1)", "http://example.com/\r\nHost: x",
        "http://" + "a" * 3_000 + ".com/",
    ],
)  # fmt: skip
async def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        await Outbound(resolve=Names()).check(url)


async def test_a_name_is_as_good_as_the_worst_of_its_addresses() -> None:
    names = Names(
        good_example=[["93.184.216.34", "2606:2800:220:1::1"]],
        mixed_example=[["93.184.216.34", "10.0.0.1"]],
        mapped_example=[["::ffff:169.254.169.254"]],
        nat64_example=[["64:ff9b::a9fe:a9fe"]],
    )
    outbound = Outbound(resolve=names)
    await outbound.check("https://good.example/v1")
    for name in ("mixed", "mapped", "nat64"):
        with pytest.raises(AddressRefused, match="DIONO_OUTBOUND_ALLOW"):
            await outbound.check(f"https://{name}.example/")
    with pytest.raises(AddressUnknown):
        await outbound.check("https://missing.example/")


async def test_the_systems_own_resolver_does_not_let_localhost_in() -> None:
    with pytest.raises(AddressRefused):
        await Outbound().check("http://localhost:8000/")


async def test_this_machines_public_addresses_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diono.infra.outbound.is_own", lambda address: str(address) == "9.9.9.9")
    with pytest.raises(AddressRefused):
        await Outbound(resolve=Names()).check("http://9.9.9.9/")


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
async def test_a_name_that_changes_its_mind_gains_nothing(library: str) -> None:
    # Public when it is checked, ours when it is connected to.
    async with _site() as site:
        names = Names(rebind_example=[["93.184.216.34"], ["127.0.0.1"]])
        outbound = Outbound(resolve=names)
        url = f"http://rebind.example:{site.port}/"
        await outbound.check(url)
        async with outbound.build(library, timeout=5) as client:
            with pytest.raises(AddressRefused):
                await client.get(url)
        assert site.heads == []


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
async def test_it_connects_to_the_address_that_was_checked(library: str) -> None:
    async with _site() as site:
        # A second look-up would lead elsewhere.
        names = Names(once_example=[["127.0.0.1"], ["10.255.255.1"]])
        outbound = Outbound(LOOPBACK, names)
        async with outbound.build(library, timeout=5) as client:
            reply = await client.get(f"http://once.example:{site.port}/x")
        assert (reply.status_code, reply.text) == (200, "ok")
        assert names.asked == ["once.example"]
        assert f"Host: once.example:{site.port}" in site.heads[0]


async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    async with _site() as site:
        names = Names(two_example=[["::1", "127.0.0.1"]])
        async with await Outbound(LOOPBACK, names).client() as client:
            assert (await client.get(f"http://two.example:{site.port}/")).text == "ok"


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/", "http://2130706433/", "file:///etc/x"])
async def test_a_redirect_is_checked_like_the_first_address(target: str) -> None:
    async with _site() as site:
        site.answer = (
            f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n"
        ).encode()
        names = Names(open_example=[["127.0.0.1"]])
        outbound = Outbound(OutboundPolicy.of(["open.example"]), names)
        async with await outbound.client(follow_redirects=True) as client:
            with pytest.raises((DionoError, httpx.UnsupportedProtocol)):
                await client.get(f"http://open.example:{site.port}/")
        assert len(site.heads) == 1


async def test_redirects_are_not_followed_unless_asked_for() -> None:
    async with _site() as site:
        site.answer = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"
        async with await Outbound(LOOPBACK).client() as client:
            reply = await client.get(f"http://127.0.0.1:{site.port}/")
        assert reply.status_code == 302
        assert len(site.heads) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
        + gzip.compress(b"x" * 100_000),
    ],
    ids=["announced", "unannounced", "compressed"],
)
async def test_an_answer_may_not_fill_the_memory(answer: bytes) -> None:
    async with _site() as site:
        site.answer = answer
        async with await Outbound(LOOPBACK).client(most_bytes=1000) as client:
            with pytest.raises(AnswerTooLarge):
                await client.get(f"http://127.0.0.1:{site.port}/")


async def test_a_certificate_counts_for_the_name_not_the_address() -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("good.example").configure_cert(server)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    names = Names(good_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    async with _site(server) as site, await Outbound(LOOPBACK, names, trust).client() as client:
        assert (await client.get(f"https://good.example:{site.port}/")).text == "ok"
        # The connection to the same address is not taken for another name.
        with pytest.raises(httpx.ConnectError):
            await client.get(f"https://other.example:{site.port}/")


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _site() as site, _site() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with await Outbound(LOOPBACK).client() as client:
            assert (await client.get(f"http://127.0.0.1:{site.port}/")).text == "ok"
        assert proxy.heads == []


async def test_an_admin_allows_names_and_networks() -> None:
    names = Names(
        cloud_lan=[["192.168.7.7"]],
        other_lan=[["192.168.8.8"]],
        meta_lan=[["169.254.169.254"]],
    )
    outbound = Outbound(OutboundPolicy.of(["cloud.lan", "meta.lan", "10.1.0.0/16"]), names)
    await outbound.check("http://cloud.lan/")
    await outbound.check("http://10.1.2.3/")
    for refused in ("other.lan", "meta.lan", "10.2.0.1", "192.168.7.7"):
        with pytest.raises(AddressRefused):
            await outbound.check(f"http://{refused}/")
    with pytest.raises(InvalidInput, match="DIONO_OUTBOUND_ALLOW"):
        OutboundPolicy.of(["http://cloud.lan"])


def test_a_target_is_read_plainly() -> None:
    target = target_of("https://API.Example.com./v1")
    assert (target.host, target.port, target.address) == ("api.example.com", 443, None)
