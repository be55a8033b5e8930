"""The transport under Outbound's clients; one code for httpx and httpx2, which are siblings."""

import importlib
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Any

from diono.infra.addresses import Address
from diono.infra.outbound import AnswerTooLarge, Outbound, target_of

_MOST_HOSTS = 16
_PLAIN = "identity"


@cache
def default_trust() -> ssl.SSLContext:
    """Return the usual certificates, read once: every pool would read them again. Blocks."""
    trust: ssl.SSLContext = importlib.import_module("httpx").create_ssl_context()
    return trust


class CountedBody:
    """A body that may not be longer than was allowed."""

    def __init__(self, stream: Any, most_bytes: int) -> None:
        self._stream = stream
        self._most_bytes = most_bytes

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        left = self._most_bytes
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise _too_large(self._most_bytes)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class GuardedTransport:
    """Resolves and checks, then speaks to the checked address in the name of the host."""

    def __init__(self, module: ModuleType, outbound: Outbound, most_bytes: int) -> None:
        self._library: Any = module
        # The library wants its own kind of body.
        self._body: Any = type("_Body", (CountedBody, self._library.AsyncByteStream), {})
        self._outbound = outbound
        self._most_bytes = most_bytes
        self._trust = outbound.trust or default_trust()
        self._pools: dict[str, Any] = {}

    async def handle_async_request(self, request: Any) -> Any:
        target = target_of(str(request.url))
        found = await self._outbound.addresses(target)
        response = await self._send(request, target.host, found)
        try:
            self._check(response.headers)
        except AnswerTooLarge:
            await response.aclose()
            raise
        response.stream = self._body(response.stream, self._most_bytes)
        return response

    async def __aenter__(self) -> "GuardedTransport":
        return self

    async def __aexit__(self, *_failure: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    async def _send(self, request: Any, host: str, found: Sequence[Address]) -> Any:
        pool, headers = self._pool(host), request.headers.copy()
        # A compressed answer could be small on the way and huge once it is read.
        headers["accept-encoding"] = _PLAIN
        requests = [
            self._library.Request(
                request.method,
                request.url.copy_with(host=str(address)),
                headers=headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            for address in found
        ]
        for attempt in requests[:-1]:
            # A host may have an address of a kind that this machine cannot reach.
            with suppress(self._library.ConnectError, self._library.ConnectTimeout):
                return await pool.handle_async_request(attempt)
        return await pool.handle_async_request(requests[-1])

    def _check(self, headers: Any) -> None:
        if headers.get("content-encoding", _PLAIN) != _PLAIN:
            raise AnswerTooLarge("The server compresses its answers though it was asked not to.")
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._most_bytes:
            raise _too_large(self._most_bytes)

    def _pool(self, host: str) -> Any:
        if host not in self._pools:
            if len(self._pools) >= _MOST_HOSTS:
                raise AnswerTooLarge(f"The answer leads on to more than {_MOST_HOSTS} hosts.")
            self._pools[host] = self._library.AsyncHTTPTransport(verify=self._trust)
        return self._pools[host]


def _too_large(most_bytes: int) -> AnswerTooLarge:
    return AnswerTooLarge(f"The answer is longer than the {most_bytes} bytes that are allowed.")
