"""The sandbox service's process: one lock, one server, one end.

It prints ``ready`` when it listens. SIGTERM, SIGINT or (with --exit-with-parent) the end of its
standard input make it end every sandbox and stop.
"""

import asyncio
import fcntl
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
import uvloop

from diono.sandbox.config import SandboxConfig
from diono.sandbox.fleet import Fleet, Templates
from diono.sandbox.server.app import Application, create_service
from diono.sandbox.server.arguments import parse
from diono.sandbox.server.compose import open_engine
from diono.sandbox.server.http_protocol import BoundedProtocol, raise_descriptor_limit
from diono.sandbox.server.keys import KeyStore
from diono.sandbox.sockets import short_path

_LOCK_SECONDS = 20
_LOCK_POLL_SECONDS = 0.05
_STOP_SECONDS = 3
_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 512
_MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024
KEYS_NAME = "keys.json"

Opened = AbstractAsyncContextManager[tuple[Fleet, Templates]]
OpenFleet = Callable[[SandboxConfig], Opened]


def _open_lock(state_dir: Path) -> int:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@asynccontextmanager
async def _lock(state_dir: Path) -> AsyncGenerator[None]:
    """One service per state folder. A predecessor that is still cleaning up is waited for."""
    descriptor = await asyncio.to_thread(_open_lock, state_dir)
    try:
        async with asyncio.timeout(_LOCK_SECONDS):
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


async def _watch_parent(is_over: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    is_over.set()


def _unix_listener(path: Path) -> socket.socket:
    """Listen in a folder that only our own user may enter."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short_path(path) as name:
        listener.bind(name)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _tcp_listener(address: str) -> socket.socket:
    """Listen on HOST:PORT; OSError if it cannot be had, ValueError if it is no address."""
    host, _, port = address.rpartition(":")
    family, kind, number, _, where = socket.getaddrinfo(
        host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, number)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # A client that vanished is noticed in 90 seconds; accepted connections inherit this.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 45)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    listener.bind(where)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _public_listeners(address: str) -> list[socket.socket]:
    """A port that is taken must not cost the API its sandboxes: the unix socket serves these."""
    try:
        return [_tcp_listener(address)]
    except OSError as error:
        sys.stderr.write(
            f"the sandbox service cannot listen on {address} ({error.strerror}), so E2B SDKs do "
            "not reach it; choose another address with DIONO_SANDBOX_LISTEN\n"
        )
        return []


class _Server(uvicorn.Server):
    """Tells when it listens, and leaves signals to us."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


def _server(application: Application) -> _Server:
    # What it would tell are callers' doings, or errors that the application has logged by itself.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    return _Server(
        uvicorn.Config(
            application,
            http=BoundedProtocol,
            ws="websockets-sansio",
            ws_max_size=_MESSAGE_LIMIT_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )


@asynccontextmanager
async def listening(application: Application, config: SandboxConfig) -> AsyncGenerator[list[int]]:
    """Serve while the context lasts; yields the TCP ports, if any."""
    listeners = [await asyncio.to_thread(_unix_listener, config.socket)]
    if config.listen:
        listeners += await asyncio.to_thread(_public_listeners, config.listen)
    server = _server(application)
    task = asyncio.create_task(server.serve(listeners))
    try:
        waiter = asyncio.create_task(server.listens.wait())
        await asyncio.wait((task, waiter), return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if task.done():
            task.result()
        yield [listener.getsockname()[1] for listener in listeners[1:]]
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        for listener in listeners:
            listener.close()
        config.socket.unlink(missing_ok=True)


async def serve(config: SandboxConfig, is_tied_to_parent: bool, open_fleet: OpenFleet) -> None:
    """Serve until a signal or the parent's end. TimeoutError while another holds the folder."""
    is_over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, is_over.set)
    watcher = asyncio.create_task(_watch_parent(is_over)) if is_tied_to_parent else None
    try:
        async with _lock(config.state_dir), open_fleet(config) as (fleet, templates):
            folder = config.socket.parent
            keys = await KeyStore.open(folder / KEYS_NAME)
            await keys.make_admin_key(config.admin_key_file)
            application = create_service(fleet, keys, templates, config)
            try:
                async with listening(application, config):
                    sys.stdout.write("ready\n")
                    sys.stdout.flush()
                    await is_over.wait()
            finally:
                await application.close()
                await keys.close()
    finally:
        if watcher is not None:
            watcher.cancel()


def run(config: SandboxConfig, is_tied_to_parent: bool, open_fleet: OpenFleet) -> int:
    """Run the whole process; returns its exit code."""
    try:
        uvloop.run(serve(config, is_tied_to_parent, open_fleet))
    except TimeoutError:
        sys.stderr.write(f"another sandbox service holds {config.state_dir}; stop it first\n")
        return 1
    return 0


def main() -> int:
    config, is_tied_to_parent = parse(sys.argv[1:])
    raise_descriptor_limit()
    return run(config, is_tied_to_parent, open_engine)


if __name__ == "__main__":
    sys.exit(main())
