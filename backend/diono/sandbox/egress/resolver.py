"""Names to addresses, in threads of our own so that slow name servers hold up nobody else."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from diono.infra.addresses import Address

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Resolver = Callable[[str], Awaitable[Sequence[Address]]]
Connector = Callable[[Address, int], Awaitable[Streams]]

_THREADS = 32
_ADDRESS_LIMIT = 16
# Small, so that many slow connections cost little: a stream holds at most twice this.
BUFFER_BYTES = 32 * 1024


class SystemResolver:
    """The host's own resolver. Raises OSError for a name without addresses."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="egress-names")

    async def __call__(self, name: str) -> Sequence[Address]:
        loop = asyncio.get_running_loop()
        # The root dot: the host's search domains are none of the sandbox's business.
        absolute = f"{name}." if "." in name else name
        return await loop.run_in_executor(self._threads, _look_up, absolute)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(name: str) -> Sequence[Address]:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{name!r} is no name") from error
    found = dict.fromkeys(ipaddress.ip_address(str(answer[4][0])) for answer in answers)
    return tuple(found)[:_ADDRESS_LIMIT]


async def dial(address: Address, port: int) -> Streams:
    """Open a TCP stream to exactly ``address``; nothing is resolved again."""
    return await asyncio.open_connection(str(address), port, limit=BUFFER_BYTES)
