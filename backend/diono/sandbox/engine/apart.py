"""Guests that share no unix socket with us: a runtime with a kernel of its own (gVisor) keeps its
sockets to itself. Their guest listens on their loopback, behind a token.

There is no bridge and no address: the container still has the network ``none``, and the host enters
that network for the moment in which it makes a socket. So no rule of a firewall is needed, and
nothing but this process can reach the port.
"""

import asyncio
import ctypes
import os
import secrets
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from diono.sandbox.engine.link import GuestLost, nothing, streams_of
from diono.sandbox.engine.places import TOKEN_NAME
from diono.sandbox.engine.process import HostProcess
from diono.sandbox.fleet import ENVD_PORT, Streams

# runc shares sockets. What is named here was proven with runc only: see docs/sandbox.md.
APART_RUNTIMES = frozenset({"runsc"})
_LOOPBACK = "127.0.0.1"
_NEW_NETWORK = 0x40000000
_CONNECT_SECONDS = 5.0
_LIBC = ctypes.CDLL(None, use_errno=True)


def guest_arguments(folder: str) -> tuple[str, ...]:
    """Return what the guest's command line ends with; ``folder`` is where its token lies."""
    address = f"{_LOOPBACK}:{ENVD_PORT}"
    return "--socket", address, "--token-file", f"{folder}/{TOKEN_NAME}"


def write_token(folder: Path) -> None:
    """Make the token of a machine in a folder that the sandbox reads and cannot write."""
    path = folder / TOKEN_NAME
    path.write_text(secrets.token_hex(32))
    path.chmod(0o644)


def _make_socket(namespace: int) -> socket.socket:
    if _LIBC.setns(namespace, _NEW_NETWORK) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)


async def _socket_inside(namespace: int) -> socket.socket:
    """Make a socket of that network, in a thread that ends at once: it cannot come back."""
    with ThreadPoolExecutor(1) as thread:
        return await asyncio.get_running_loop().run_in_executor(thread, _make_socket, namespace)


@dataclass(frozen=True)
class LoopbackDialer:
    """Reaches a port of the loopback of the container whose first process is ``process``."""

    process: HostProcess
    token: str

    async def dial(self, on_traffic: Callable[[], None] = nothing) -> Streams:
        namespace = self.process.open_network()
        if namespace is None:
            raise GuestLost("the sandbox's first program has ended")
        try:
            stream = await _socket_inside(namespace)
        finally:
            os.close(namespace)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.sock_connect(stream, (_LOOPBACK, ENVD_PORT))
        except BaseException:
            stream.close()
            raise
        reader, writer = await streams_of(stream, on_traffic)
        writer.write(f"diono-token {self.token}\r\n".encode())
        return reader, writer


def dialer_of(process: HostProcess | None, folder: Path) -> LoopbackDialer:
    """Raises GuestLost where the container is not on this machine or has no token."""
    if process is None:
        raise GuestLost("the container runs on another machine; its guest cannot be reached")
    try:
        return LoopbackDialer(process, (folder / TOKEN_NAME).read_text())
    except OSError as error:
        raise GuestLost(f"the guest's token is gone: {error.strerror}") from error
