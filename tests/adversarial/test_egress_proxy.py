"""S19, S21 and the address forms of R05 against the egress proxy, through its socket."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator

import pytest
from contract.egress_rigs import (
    MACHINE,
    OTHER_PUBLIC,
    PUBLIC,
    PUBLIC_V6,
    Rig,
    certificate,
    echoing,
    http_server,
    rig_of,
)

from diono.sandbox.port import NetworkPolicy

DENIED = b"X-Diono-Egress: denied"


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with rig_of() as made:
        yield made


async def test_a_machine_without_a_policy_reaches_nothing_and_asks_no_name_server(rig: Rig) -> None:
    for request in (
        "CONNECT example.org:443 HTTP/1.1\r\n\r\n",
        "GET http://secret-data.example.org/ HTTP/1.1\r\n\r\n",
        "CONNECT 93.184.216.34:443 HTTP/1.1\r\n\r\n",
    ):
        answer = await rig.ask(request)
        assert b" 403 " in answer
        assert DENIED in answer
        assert b"not on this sandbox's list" in answer
    assert rig.outside.asked == []
    assert rig.outside.dialled == []
    log = rig.proxy.log(MACHINE)
    assert [(each.kind, each.host, each.port, each.is_allowed) for each in log] == [
        ("connect", "example.org", 443, False),
        ("http", "secret-data.example.org", 80, False),
        ("connect", "93.184.216.34", 443, False),
    ]
    assert all("list" in each.reason for each in log)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "172.17.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "168.63.129.16", "203.0.113.80"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]"),
        *("[2002:7f00:1::]", "[fd00::2]", "[fe80::1]", "[fd00:ec2::254]", "[2001::1]", "[ff02::1]"),
        *("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "127.0.0.1.", "[::1%25lo]"),
        *("localhost", "db", "redis", "host.docker.internal"),
    ],
)
async def test_no_address_inside_is_reachable_however_it_is_spelled(rig: Rig, host: str) -> None:
    rig.allow(is_open=True)
    rig.outside.names = {"host.docker.internal": [["172.17.0.1"]]}
    for request in (f"CONNECT {host}:443", f"GET http://{host}/", f"GET http://{host}:443/"):
        answer = await rig.ask(f"{request} HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.split(b" ")[1] in {b"403", b"400"}, answer
    assert rig.outside.dialled == []


@pytest.mark.parametrize(
    "answer", [["10.0.0.1"], [PUBLIC, "127.0.0.1"], ["::ffff:10.0.0.1"], ["64:ff9b::a00:1"]]
)
async def test_an_allowed_name_that_leads_inside_is_refused(rig: Rig, answer: list[str]) -> None:
    rig.allow("example.org")
    rig.outside.names = {"example.org": [answer]}
    assert DENIED in await rig.ask("CONNECT example.org:443 HTTP/1.1\r\n\r\n")
    assert rig.outside.dialled == []


async def test_rebinding_gains_nothing_for_a_name_is_resolved_once(rig: Rig) -> None:
    rig.allow("example.org")
    async with http_server() as (port, _):
        rig.outside.names = {"example.org": [[PUBLIC], ["127.0.0.1"]]}
        rig.outside.servers = {(PUBLIC, 80): port, ("127.0.0.1", 80): port}
        assert b"hello" in await rig.ask("GET http://example.org/ HTTP/1.1\r\n\r\n")
        assert rig.outside.asked == ["example.org"]
        assert rig.outside.dialled == [(PUBLIC, 80)]
        assert DENIED in await rig.ask("GET http://example.org/ HTTP/1.1\r\n\r\n")
        assert rig.outside.dialled == [(PUBLIC, 80)]


async def test_a_hosts_own_public_address_is_refused() -> None:
    async with rig_of() as rig:
        rig.allow(is_open=True)
        own = ipaddress.ip_address(PUBLIC)
        object.__setattr__(rig.proxy._world, "is_own", lambda address: address == own)
        assert DENIED in await rig.ask(f"CONNECT {PUBLIC}:443 HTTP/1.1\r\n\r\n")


async def test_a_redirect_to_a_private_address_is_a_new_request_and_refused(rig: Rig) -> None:
    rig.allow("example.org", is_open=True)
    target = "http://169.254.169.254/latest/meta-data/"
    async with http_server(headers={"Location": target}) as (port, _):
        rig.outside.names = {"example.org": [[PUBLIC]]}
        rig.outside.servers = {(PUBLIC, 80): port}
        answer = await rig.ask("GET http://example.org/ HTTP/1.1\r\n\r\n")
        assert target.encode() in answer
        assert DENIED in await rig.ask(f"GET {target} HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize("port", [22, 25, 80, 3306, 5432, 6379, 8443])
async def test_other_ports_are_refused(rig: Rig, port: int) -> None:
    rig.allow("example.org", "git.example:9418")
    rig.outside.names = {"example.org": [[PUBLIC]]}
    assert DENIED in await rig.ask(f"CONNECT example.org:{port} HTTP/1.1\r\n\r\n")


async def test_a_registry_may_be_private_on_its_ports_only_and_only_if_allowed(rig: Rig) -> None:
    async with http_server() as (port, _):
        rig.outside.names = {"registry.example": [["203.0.113.80"]]}
        rig.outside.servers = {("203.0.113.80", 80): port}
        ask = "GET http://registry.example/simple/ HTTP/1.1\r\n\r\n"
        assert DENIED in await rig.ask(ask)
        rig.allow("registry.example", "registry.example:8080")
        assert b"hello" in await rig.ask(ask)
        assert DENIED in await rig.ask("GET http://registry.example:8080/ HTTP/1.1\r\n\r\n")
        rig.outside.names = {"registry.example": [["169.254.169.254"]]}
        assert DENIED in await rig.ask(ask)


@pytest.mark.parametrize("target", [PUBLIC, f"[{PUBLIC_V6}]"])
async def test_tls_to_an_allowed_address(rig: Rig, target: str) -> None:
    async with http_server(tls=certificate(rig.folder, "example.org")) as (port, _):
        rig.outside.servers = {(PUBLIC, 443): port, (PUBLIC_V6, 443): port}
        rig.allow(PUBLIC, f"{PUBLIC_V6}/128")
        assert b"hello" in await rig.get_over_tls(f"{target}:443", "example.org")
        assert b"hello" in await rig.get_over_tls(f"{target}:443", None)
        rig.allow(is_open=True, deny=("example.org",))
        assert await rig.get_over_tls(f"{target}:443", "example.org") == b""


async def test_the_name_inside_tls_must_be_the_one_allowed(rig: Rig) -> None:
    context = certificate(rig.folder, "example.org", "hidden.example.org")
    async with http_server(tls=context) as (port, seen):
        rig.outside.names = {"example.org": [[PUBLIC]]}
        rig.outside.servers = {(PUBLIC, 443): port}
        rig.allow("example.org")
        assert b"hello" in await rig.get_over_tls("example.org:443", "example.org")
        assert b"hello" in await rig.get_over_tls("EXAMPLE.org:443", "Example.ORG")
        count = len(seen)
        assert await rig.get_over_tls("example.org:443", "hidden.example.org") == b""
        assert await rig.get_over_tls("example.org:443", None) == b""
        assert len(seen) == count
        assert "hidden.example.org" in rig.proxy.log(MACHINE)[-2].reason


async def test_no_tls_in_a_tunnel_means_no_tunnel(rig: Rig) -> None:
    async with http_server() as (port, seen):
        rig.outside.names = {"example.org": [[PUBLIC]]}
        rig.outside.servers = {(PUBLIC, 443): port}
        rig.allow("example.org")
        for first in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x00\x05\x02aaaa",
            b"\x16\x03" * 600,
        ):
            answer, (reader, writer) = await rig.connect("example.org:443")
            assert b" 200 " in answer
            writer.write(first)
            with pytest.raises((ConnectionError, EOFError)):
                await reader.readexactly(1)
            writer.close()
        assert seen == []


async def test_one_request_only_goes_through_a_forwarded_connection(rig: Rig) -> None:
    """A second head behind the first could name another host of the same server."""
    async with http_server(until=b"body") as (port, seen):
        rig.outside.names = {"example.org": [[PUBLIC]]}
        rig.outside.servers = {(PUBLIC, 80): port}
        rig.allow("example.org")
        await rig.ask(
            "POST http://example.org/a HTTP/1.1\r\nHost: hidden.example\r\nContent-Length: 4\r\n"
            "Connection: keep-alive, x-gone\r\nX-Gone: 1\r\nUpgrade: h2c\r\n"
            "Proxy-Authorization: secret\r\nX-Kept: 2\r\n\r\n"
            "bodyGET / HTTP/1.1\r\nHost: hidden.example\r\n\r\n"
        )
        sent = b"".join(seen)
        assert sent.startswith(b"POST /a HTTP/1.1\r\nHost: example.org\r\n")
        assert b"X-Kept: 2" in sent
        assert sent.endswith(b"Connection: close\r\n\r\nbody")
        for gone in (b"hidden", b"X-Gone", b"secret", b"Upgrade", b"keep-alive"):
            assert gone not in sent


async def test_a_chunked_body_is_framed_anew(rig: Rig) -> None:
    async with http_server(until=b"0\r\n\r\n") as (port, seen):
        rig.outside.names = {"example.org": [[PUBLIC]]}
        rig.outside.servers = {(PUBLIC, 80): port}
        rig.allow("example.org")
        head = "POST http://example.org/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        await rig.ask(head + "3;x=y\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        assert b"".join(seen).endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "request_text",
    [
        "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET https://example.org/ HTTP/1.1\r\n\r\n",
        "GET http://user@example.org/ HTTP/1.1\r\n\r\n",
        "GET http://example.org\\@x/ HTTP/1.1\r\n\r\n",
        "CONNECT example.org HTTP/1.1\r\n\r\n",
        "CONNECT example.org:443:80 HTTP/1.1\r\n\r\n",
        "CONNECT example.org:70000 HTTP/1.1\r\n\r\n",
        "GET http://example.org/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET http://x.org/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST http://example.org/ HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "POST http://example.org/ HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        "GET http://example.org/ HTTP/1.1\r\nA: b\nHost: x\r\n\r\n",
        "GET http://example.org/ HTTP/1.1\r\n folded: 1\r\n\r\n",
        "GET http://example.org/ HTTP/1.1\r\nA : 1\r\n\r\n",
        "GET http://example.org/ HTTP/2.0\r\n\r\n",
        "GET  http://example.org/ HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\n",
        "GET http://example.org/" + "a" * 9000 + " HTTP/1.1\r\n\r\n",
        "GET http://example.org/ HTTP/1.1\r\nA: " + "b" * 200_000 + "\r\n\r\n",
        "GET http://example.org/ HTTP/1.1\r\n" + "A: b\r\n" * 200 + "\r\n",
    ],
)
async def test_what_two_readers_could_read_differently_is_refused(
    rig: Rig, request_text: str
) -> None:
    rig.allow("example.org")
    rig.outside.names = {"example.org": [[PUBLIC]]}
    answer = await rig.ask(request_text)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert rig.outside.dialled == []


async def test_header_rules_reach_http_and_are_refused_for_tls(rig: Rig) -> None:
    async with http_server() as (port, seen):
        rig.outside.names = {"example.org": [[PUBLIC]]}
        rig.outside.servers = {(PUBLIC, 80): port, (PUBLIC, 443): port}
        policy = NetworkPolicy(allow_out=("example.org",), headers={"example.org": {"X-Key": "k"}})
        rig.proxy.set_policy(MACHINE, policy)
        await rig.ask("GET http://example.org/ HTTP/1.1\r\nx-key: mine\r\n\r\n")
        assert b"X-Key: k\r\n" in seen[0]
        assert b"mine" not in seen[0]
        answer = await rig.ask("CONNECT example.org:443 HTTP/1.1\r\n\r\n")
        assert DENIED in answer
        assert b"http:// only" in answer


async def test_socks_follows_the_same_rules(rig: Rig) -> None:
    async with http_server(tls=certificate(rig.folder, "example.org")) as (port, _):
        rig.outside.names = {"example.org": [[PUBLIC]], "inside.example": [["10.0.0.1"]]}
        rig.outside.servers = {(PUBLIC, 443): port}
        rig.allow("example.org", "inside.example")
        expected = [
            (b"\x03\x0bexample.org\x01\xbb", 0),
            (b"\x03\x0bexample.org\x00\x50", 2),
            (b"\x03\x0einside.example\x01\xbb", 2),
            (b"\x03\x0aother.name\x01\xbb", 2),
            (b"\x01\x7f\x00\x00\x01\x01\xbb", 2),
            (b"\x04" + ipaddress.ip_address("::1").packed + b"\x01\xbb", 2),
        ]
        for address, code in expected:
            reader, writer = await rig.dial()
            writer.write(b"\x05\x01\x00" + b"\x05\x01\x00" + address)
            answer = await reader.readexactly(12)
            assert answer[:2] == b"\x05\x00"
            assert answer[3] == code, address
            writer.close()
        for opening in (b"\x05\x01\x02", b"\x05\x01\x00\x05\x02\x00\x01\x08\x08\x08\x08\x00\x35"):
            assert b"HTTP" not in await rig.ask(opening)
        assert rig.outside.dialled == [(PUBLIC, 443)]


async def test_a_change_of_policy_cuts_live_tunnels_and_keeps_the_others(rig: Rig) -> None:
    async with echoing() as port:
        rig.outside.names = {"a.example": [[PUBLIC]], "b.example": [[OTHER_PUBLIC]]}
        rig.outside.servers = {(PUBLIC, 7): port, (OTHER_PUBLIC, 7): port}
        rig.allow("a.example:7", "b.example:7")
        _, (a_reader, a_writer) = await rig.connect("a.example:7")
        _, (b_reader, b_writer) = await rig.connect("b.example:7")
        for reader, writer in ((a_reader, a_writer), (b_reader, b_writer)):
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
        rig.allow("b.example:7")
        with pytest.raises((ConnectionError, EOFError)):
            async with asyncio.timeout(2):
                await a_reader.readexactly(1)
        b_writer.write(b"y")
        assert await b_reader.readexactly(1) == b"y"
        assert DENIED in await rig.ask("CONNECT a.example:7 HTTP/1.1\r\n\r\n")
        a_writer.close()
        b_writer.close()
