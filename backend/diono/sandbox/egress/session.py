"""One client connection: what it asks for, whether it may, and the way there."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from diono.infra.addresses import (
    Address,
    is_nameable,
    is_own,
    is_public,
    parse_host,
)
from diono.sandbox.egress import relay
from diono.sandbox.egress.heads import (
    Body,
    Head,
    body_of,
    read_head,
    read_socks,
    rebuild,
    split_authority,
    split_url,
)
from diono.sandbox.egress.hello import Hello, read_hello
from diono.sandbox.egress.machine import Connection, Target
from diono.sandbox.egress.policy import FORWARD_PORTS, TUNNEL_PORTS
from diono.sandbox.egress.records import Broken, Kind, Overdrawn, Refused, Unreached
from diono.sandbox.egress.resolver import Connector, Resolver, Streams

_TLS_PORT = 443
_SOCKS = b"\x05"
_DIALS = 4
_SOCKS_CODES = {403: 2, 400: 1, 408: 1, 429: 1, 502: 4, 503: 1}
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    408: "Request Timeout",
    429: "Too Many Requests",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class World:
    """What lies beyond the proxy. ``registries`` are names that may lead to private addresses."""

    resolve: Resolver
    connect: Connector
    registries: frozenset[str]
    is_own: Callable[[Address], bool] = is_own


def http_answer(status: int, reason: str) -> bytes:
    """Return a whole refusal; the header tells it from an answer of the target."""
    body = json.dumps({"error": "egress_denied" if status == 403 else "egress_failed",
                       "message": reason}).encode() + b"\n"  # fmt: skip
    verdict = "denied" if status == 403 else "failed"
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nX-Diono-Egress: {verdict}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


def _socks_answer(status: int, _reason: str) -> bytes:
    return bytes((5, _SOCKS_CODES[status], 0, 1, 0, 0, 0, 0, 0, 0))


class Session:
    """Serves one connection to its end. Never raises but when it is cancelled."""

    def __init__(self, world: World, connection: Connection, client: Streams) -> None:
        self._world = world
        self._connection = connection
        self._record = connection.record
        self._machine = connection.machine
        self._limits = connection.machine.limits
        self._client = client
        self._upstream: Streams | None = None
        self._answer: Callable[[int, str], bytes] | None = http_answer

    async def run(self) -> None:
        try:
            await self._serve()
        except Refused as error:
            await self._fail(403, str(error))
        except Broken as error:
            await self._fail(400, str(error))
        except Unreached as error:
            await self._fail(502, str(error))
        except Overdrawn as error:
            await self._fail(429, str(error))
        except TimeoutError:
            await self._fail(408, "the request came too slowly")
        except (OSError, EOFError) as error:
            self._record.reason = self._record.reason or type(error).__name__
        finally:
            self._abandon()

    def _abandon(self) -> None:
        for streams in (self._client, self._upstream):
            if streams is not None:
                streams[1].transport.abort()

    async def _fail(self, status: int, reason: str) -> None:
        self._record.reason = self._record.reason or reason
        answer, self._answer = self._answer, None
        writer = self._client[1]
        if answer is None:
            writer.transport.abort()
            return
        writer.write(answer(status, reason))
        await relay.linger(self._client)

    async def _serve(self) -> None:
        if self._machine.bytes_used > self._limits.bytes_per_machine:
            raise Overdrawn("the sandbox moved as many bytes as one may")
        reader = self._client[0]
        async with asyncio.timeout(self._limits.head_seconds):
            first = await reader.readexactly(1)
            wait = self._machine.turn_seconds(asyncio.get_running_loop().time())
            if wait > 0:
                await asyncio.sleep(wait)
            is_socks = first == _SOCKS
            if is_socks:
                self._answer = _socks_answer
            asked = await (read_socks(*self._client) if is_socks else read_head(reader, first))
        await self._obey(asked)

    async def _obey(self, head: Head | tuple[str, int]) -> None:
        if isinstance(head, tuple):
            await self._tunnel("socks", *head)
        elif head.method == "CONNECT":
            await self._tunnel("connect", *split_authority(head.target, None))
        else:
            await self._forward(head)

    async def _forward(self, head: Head) -> None:
        host, port, path = split_url(head.target)
        body = body_of(head)
        target = await self._target("http", host, port, FORWARD_PORTS)
        name = target.host if isinstance(target.host, str) else ""
        extra = self._machine.rules.headers_for(name) if name else ()
        upstream = await self._reach(target)
        shown = f"[{target.host}]" if ":" in str(target.host) else str(target.host)
        authority = shown if port == 80 else f"{shown}:{port}"
        await self._carry(upstream, body, rebuild(head, authority, path, body, extra))

    async def _tunnel(self, kind: Kind, host: str, port: int) -> None:
        target = await self._target(kind, host, port, TUNNEL_PORTS)
        if isinstance(target.host, str) and self._machine.rules.headers_for(target.host):
            raise Refused(
                f"{target.host} has header rules, which work for http:// only; "
                "remove them to use TLS"
            )
        upstream = await self._reach(target)
        is_socks = kind == "socks"
        self._client[1].write(
            b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00" if is_socks else _ESTABLISHED
        )
        begun = b""
        if target.port == _TLS_PORT:
            self._answer = None
            async with asyncio.timeout(self._limits.head_seconds):
                hello = await read_hello(self._client[0])
            self._check_hello(target, hello)
            begun = hello.raw
        await self._carry(upstream, None, begun)

    async def _carry(self, upstream: Streams, body: Body | None, begun: bytes) -> None:
        self._answer = None
        meter = relay.Meter(self._connection, self._limits)
        await relay.carry(self._client, upstream, meter, body, begun)
        await relay.close(self._client[1])

    def _check_hello(self, target: Target, hello: Hello) -> None:
        """Refuse a tunnel to one name that asks the server behind it for another."""
        rules = self._machine.rules
        if isinstance(target.host, str):
            if hello.name != target.host:
                raise Refused(f"TLS asks for {hello.name[:80]!r} in a tunnel to {target.host}")
            if hello.is_encrypted and not rules.is_open:
                raise Refused("TLS hides the name it asks for; switch encrypted hello off")
            return
        if not hello.name or target.judge(rules).is_named:
            return
        verdict = rules.of_name(hello.name, target.port, target.ports)
        if not verdict.is_allowed:
            raise Refused(verdict.reason)

    async def _target(self, kind: Kind, host: str, port: int, ports: frozenset[int]) -> Target:
        """Return what was asked for with its addresses, all checked. Refused, Unreached."""
        self._record.kind, self._record.host, self._record.port = kind, host[:255], port
        parsed = parse_host(host)
        if parsed is None:
            raise Refused(f"{host[:80]!r} is neither a host name nor a plainly written address")
        target = Target(parsed, port, ports)
        verdict = target.judge(self._machine.rules)
        if not verdict.is_allowed:
            raise Refused(verdict.reason)
        is_vouched = isinstance(parsed, str) and parsed in self._world.registries
        is_vouched = is_vouched and port in FORWARD_PORTS | TUNNEL_PORTS
        if isinstance(parsed, str):
            if "." not in parsed and not verdict.is_named:
                raise Refused(f"{parsed} is no public name")
            target = replace(target, addresses=await self._resolve(parsed))
            verdict = target.judge(self._machine.rules)
            if not verdict.is_allowed:
                raise Refused(verdict.reason)
        for address in target.addresses or (parsed,):
            if not isinstance(address, str):
                self._check_address(address, is_vouched)
        return target

    async def _resolve(self, name: str) -> tuple[Address, ...]:
        try:
            async with asyncio.timeout(self._limits.dial_seconds):
                async with self._machine.names:
                    addresses = tuple(await self._world.resolve(name))
        except (OSError, TimeoutError):
            addresses = ()
        if not addresses:
            raise Unreached(f"{name} has no address")
        return addresses

    def _check_address(self, address: Address, is_vouched: bool) -> None:
        self._record.address = str(address)
        if is_vouched and is_nameable(address):
            return
        if is_vouched or not is_public(address) or self._world.is_own(address):
            raise Refused(f"{address} is not a public address")

    async def _reach(self, target: Target) -> Streams:
        """Connect to a checked address; judged again, for the rules may have changed since."""
        addresses = target.addresses if isinstance(target.host, str) else (target.host,)
        for address in addresses[:_DIALS]:
            try:
                async with asyncio.timeout(self._limits.dial_seconds):
                    self._upstream = await self._world.connect(address, target.port)
            except (OSError, TimeoutError):
                continue
            self._record.address = str(address)
            break
        if self._upstream is None:
            raise Unreached(f"{target.host} does not answer on port {target.port}")
        verdict = target.judge(self._machine.rules)
        if not verdict.is_allowed:
            raise Refused(verdict.reason)
        self._connection.target = target
        self._record.is_allowed = True
        return self._upstream
