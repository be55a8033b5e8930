"""Slow, many, large and endless: what a hostile client of the egress proxy cannot take."""

import asyncio
import time

import pytest
from contract.egress_rigs import MACHINE, PUBLIC, Rig, echoing, http_server, rig_of
from contract.waiting import until

from diono.sandbox.egress.records import EgressLimits

GET = "GET http://example.org/ HTTP/1.1\r\n\r\n"


def live(rig: Rig) -> int:
    return len(rig.proxy._machines[MACHINE].connections)


def outside(rig: Rig, port: int) -> None:
    rig.outside.names = {"example.org": [[PUBLIC]]}
    rig.outside.servers = {(PUBLIC, 80): port, (PUBLIC, 443): port, (PUBLIC, 7): port}
    rig.allow("example.org", "example.org:7")


@pytest.mark.parametrize(
    "begun",
    [b"", b"G", b"GET http://example.org/ HTTP/1.1\r\nA: ", b"\x05", b"\x05\x01\x00\x05"],
)
async def test_a_client_that_never_finishes_its_request_is_let_go(begun: bytes) -> None:
    async with rig_of(EgressLimits(head_seconds=0.2)) as rig:
        reader, writer = await rig.dial()
        writer.write(begun)
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
        await until(lambda: live(rig) == 0, "no connection is left")


async def test_a_client_that_trickles_is_let_go() -> None:
    async with rig_of(EgressLimits(head_seconds=0.3)) as rig:
        reader, writer = await rig.dial()
        started = time.monotonic()

        async def trickle() -> None:
            while True:
                writer.write(b"G")
                await asyncio.sleep(0.05)

        trickling = asyncio.create_task(trickle())
        async with asyncio.timeout(5):
            assert b" 408 " in await reader.read()
        trickling.cancel()
        writer.close()
        assert time.monotonic() - started < 3


async def test_a_tunnel_without_a_hello_is_let_go() -> None:
    async with echoing() as port, rig_of(EgressLimits(head_seconds=0.2)) as rig:
        outside(rig, port)
        _, (reader, writer) = await rig.connect("example.org:443")
        writer.write(b"\x16\x03\x01\x3f\xff\x01")
        async with asyncio.timeout(5):
            with pytest.raises((ConnectionError, EOFError)):
                await reader.readexactly(1)
        writer.close()


async def test_an_idle_tunnel_is_cut_and_a_busy_one_is_not() -> None:
    async with echoing() as port, rig_of(EgressLimits(idle_seconds=0.4)) as rig:
        outside(rig, port)
        _, (_, idle_writer) = await rig.connect("example.org:7")
        _, (reader, writer) = await rig.connect("example.org:7")
        for _ in range(8):
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            await asyncio.sleep(0.1)
        assert live(rig) == 1
        idle_writer.close()
        writer.close()
        assert rig.proxy.log(MACHINE)[0].reason == "nothing moved"


async def test_a_tunnel_has_a_greatest_age() -> None:
    async with echoing() as port, rig_of(EgressLimits(connection_seconds=0.5)) as rig:
        outside(rig, port)
        _, (reader, writer) = await rig.connect("example.org:7")

        async def talk() -> None:
            while True:
                writer.write(b"x")
                await reader.readexactly(1)
                await asyncio.sleep(0.05)

        with pytest.raises((ConnectionError, EOFError)):
            await asyncio.wait_for(talk(), 5)
        writer.close()
        assert "old" in rig.proxy.log(MACHINE)[0].reason


async def test_bytes_are_capped_for_a_connection_and_for_the_machine() -> None:
    limits = EgressLimits(bytes_per_connection=200_000, bytes_per_machine=500_000)
    async with http_server(b"x" * 1_000_000) as (port, _), rig_of(limits) as rig:
        outside(rig, port)
        for _ in range(2):
            assert 100_000 < len(await rig.ask(GET)) <= 200_000
        answers = [await rig.ask(GET) for _ in range(3)]
        assert sum(map(len, answers)) < 200_000
        assert b" 429 " in answers[-1]
        reasons = [record.reason for record in rig.proxy.log(MACHINE)]
        assert "connection" in reasons[0]
        assert "sandbox" in reasons[-1]


async def test_a_reader_that_stops_costs_little_and_is_cut() -> None:
    body = b"x" * 50_000_000
    async with http_server(body) as (port, _), rig_of(EgressLimits(idle_seconds=0.5)) as rig:
        outside(rig, port)
        _, writer = await rig.dial()
        writer.transport.pause_reading()
        writer.write(GET.encode())
        await until(lambda: live(rig) == 1, "the request is served")
        await until(lambda: live(rig) == 0, "the connection is cut")
        assert rig.proxy.log(MACHINE)[0].bytes_down < 2_000_000
        writer.close()


async def test_200_parallel_connections_are_bounded_and_the_proxy_serves_on() -> None:
    async with http_server() as (port, _), rig_of(EgressLimits(connections=64)) as rig:
        outside(rig, port)
        opened = [await rig.dial() for _ in range(200)]
        await until(lambda: live(rig) == 64, "as many as may are being served")
        refused = 0
        for reader, writer in opened[64:]:
            async with asyncio.timeout(5):
                refused += b" 503 " in await reader.read()
            writer.close()
        assert refused == 136
        for _, writer in opened:
            writer.close()
        await until(lambda: live(rig) == 0, "all are gone")
        answers = await asyncio.gather(*(rig.ask(GET) for _ in range(50)))
        assert all(b"hello" in answer for answer in answers)


async def test_the_total_over_all_machines_is_bounded() -> None:
    async with rig_of(EgressLimits(connections_total=2)) as rig:
        second = f"{rig.folder}/second.sock"
        await rig.proxy.open("second", second)
        kept = [await rig.dial() for _ in range(2)]
        await until(lambda: live(rig) == 2, "both are being served")
        reader, writer = await asyncio.open_unix_connection(second)
        assert b" 503 " in await reader.read()
        for _, each in [*kept, (reader, writer)]:
            each.close()


async def test_a_flood_of_requests_waits_its_turn() -> None:
    async with rig_of(EgressLimits(requests_per_second=50, request_burst=10)) as rig:
        started = time.monotonic()
        answers = await asyncio.gather(*(rig.ask(GET) for _ in range(40)))
        assert all(b" 403 " in answer for answer in answers)
        assert time.monotonic() - started > 0.5


async def test_the_log_is_bounded_and_newest_last() -> None:
    async with rig_of(EgressLimits(records=5)) as rig:
        for count in range(8):
            await rig.ask(f"CONNECT host{count}.example:443 HTTP/1.1\r\n\r\n")
        hosts = [record.host for record in rig.proxy.log(MACHINE)]
        assert hosts == [f"host{count}.example" for count in range(3, 8)]
        assert rig.proxy.log("unknown") == ()


async def test_closing_a_machine_cuts_what_it_has_and_it_can_be_opened_again() -> None:
    async with echoing() as port, rig_of() as rig:
        outside(rig, port)
        _, (reader, writer) = await rig.connect("example.org:7")
        await rig.proxy.close(MACHINE)
        with pytest.raises((ConnectionError, EOFError)):
            await reader.readexactly(1)
        writer.close()
        with pytest.raises(OSError, match="refused"):
            await rig.dial()
        await rig.proxy.open(MACHINE, rig.socket)
        assert b" 403 " in await rig.ask("CONNECT example.org:7 HTTP/1.1\r\n\r\n")


async def test_a_target_that_does_not_answer_is_reported_as_such() -> None:
    async with rig_of() as rig:
        rig.allow("example.org", "unknown.example")
        rig.outside.names = {"example.org": [[PUBLIC]]}
        for host in ("example.org", "unknown.example"):
            answer = await rig.ask(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n")
            assert b" 502 " in answer
            assert b"X-Diono-Egress: failed" in answer
