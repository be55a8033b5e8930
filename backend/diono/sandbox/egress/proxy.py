"""The egress proxy: HTTP and SOCKS5 on one unix socket a machine, known by its socket."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.machine import Connection, Machine
from diono.sandbox.egress.records import EgressLimits, EgressRecord
from diono.sandbox.egress.resolver import (
    BUFFER_BYTES,
    Connector,
    Resolver,
    Streams,
    SystemResolver,
    dial,
)
from diono.sandbox.egress.session import Session, World, http_answer
from diono.sandbox.port import NetworkPolicy
from diono.sandbox.sockets import short_path

_BACKLOG = 128
_FULL = "too many connections at once; close some"


class EgressProxy:
    """Implements ``fleet.Egress``. ``resolve`` and ``connect`` stand for the world outside."""

    def __init__(
        self,
        config: SandboxConfig,
        limits: EgressLimits | None = None,
        resolve: Resolver | None = None,
        connect: Connector = dial,
    ) -> None:
        self._limits = limits or EgressLimits()
        self._own_resolver = None if resolve is not None else SystemResolver()
        self._world = World(
            resolve=resolve or self._own_resolver or SystemResolver(),
            connect=connect,
            registries=frozenset(name.lower() for name in config.registries),
        )
        self._machines: dict[str, Machine] = {}
        self._connection_count = 0

    async def open(self, machine_id: str, socket_path: str) -> None:
        """Listen on ``socket_path`` for the machine; nothing is let through until a policy."""
        await self.close(machine_id)
        machine = Machine(self._limits)
        listener = _listen(Path(socket_path))
        machine.server = await asyncio.start_unix_server(
            lambda reader, writer: self._accept(machine, (reader, writer)),
            sock=listener,
            limit=BUFFER_BYTES,
            backlog=_BACKLOG,
        )
        self._machines[machine_id] = machine

    def set_policy(self, machine_id: str, policy: NetworkPolicy) -> None:
        """Apply to new connections at once and cut those it no longer allows. InvalidInput."""
        self._machines[machine_id].apply(policy)

    def log(self, machine_id: str) -> Sequence[EgressRecord]:
        """Return the newest requests of a machine, oldest first; empty for an unknown one."""
        machine = self._machines.get(machine_id)
        return machine.log() if machine is not None else ()

    async def close(self, machine_id: str) -> None:
        """Stop listening and cut every connection. Nothing happens for an unknown machine."""
        machine = self._machines.pop(machine_id, None)
        if machine is None:
            return
        if machine.server is not None:
            machine.server.close()
        tasks = [connection.task for connection in machine.connections if connection.task]
        for connection in tuple(machine.connections):
            connection.cut("the sandbox ended")
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close_all(self) -> None:
        for machine_id in tuple(self._machines):
            await self.close(machine_id)
        if self._own_resolver is not None:
            self._own_resolver.close()

    def _accept(self, machine: Machine, client: Streams) -> None:
        is_full = len(machine.connections) >= self._limits.connections
        if is_full or self._connection_count >= self._limits.connections_total:
            client[1].write(http_answer(503, _FULL))
            client[1].close()
            return
        record = EgressRecord(datetime.now(UTC), "unknown")
        machine.remember(record)
        connection = Connection(machine, record)
        machine.connections.add(connection)
        self._connection_count += 1
        started = time.monotonic()

        def forget(_: asyncio.Task[None]) -> None:
            machine.connections.discard(connection)
            self._connection_count -= 1
            record.seconds = time.monotonic() - started
            client[1].transport.abort()

        connection.task = asyncio.create_task(Session(self._world, connection, client).run())
        connection.task.add_done_callback(forget)


def _listen(path: Path) -> socket.socket:
    """Bind a stream socket that the tenant may connect to; its folder keeps others out."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(path) as name:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            listener.bind(name)
        path.chmod(0o666)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
