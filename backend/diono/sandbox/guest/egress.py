"""The sandbox's way out: loopback port to the host's proxy socket, in one thread for all.

One thread, for threads count against the sandbox's limit of processes. Each direction holds at
most one buffer; at the limit of connections the listener rests until one ends.
"""

from __future__ import annotations

import selectors
import socket
import threading

PORT = 3128
SOCKET = "/run/diono-egress/proxy.sock"

_BUFFER_BYTES = 64 * 1024
_CONNECTION_LIMIT = 160
_BACKLOG = 128


class _Side:
    """One end of a connection: what it still has to be sent, and what is over."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.other: _Side = self
        self.waiting = b""
        self.is_read_out = False
        self.is_shut = False
        self.mask = 0

    def wanted(self) -> int:
        can_read = not self.is_read_out and not self.other.waiting
        mask = selectors.EVENT_READ if can_read else 0
        return mask | selectors.EVENT_WRITE if self.waiting else mask


class Relay:
    """Listens on loopback ``port`` and carries each connection to the unix socket at ``path``."""

    def __init__(
        self, port: int = PORT, path: str = SOCKET, limit: int = _CONNECTION_LIMIT
    ) -> None:
        self._path = path
        self._limit = limit
        self._count = 0
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(("127.0.0.1", port))
            self._listener.listen(_BACKLOG)
            self._listener.setblocking(False)
        except OSError:
            self._listener.close()
            raise
        self.port: int = self._listener.getsockname()[1]
        self._is_listening = False
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="egress", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End every connection and the listener; return when the port is free."""
        self._wake.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            while True:
                self._listen(self._count < self._limit)
                for key, events in self._selector.select():
                    if key.fileobj is self._woken:
                        return
                    if key.fileobj is self._listener:
                        self._accept()
                    else:
                        self._serve(key.data, events)
        finally:
            self._close_all()

    def _listen(self, is_wanted: bool) -> None:
        if is_wanted and not self._is_listening:
            self._selector.register(self._listener, selectors.EVENT_READ)
        elif not is_wanted and self._is_listening:
            self._selector.unregister(self._listener)
        self._is_listening = is_wanted

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        proxy = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # A full backlog of the proxy answers EAGAIN at once: the client is turned away.
            proxy.setblocking(False)
            proxy.connect(self._path)
        except OSError:
            proxy.close()
            client.close()
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near, far = _Side(client), _Side(proxy)
        near.other, far.other = far, near
        self._count += 1
        self._follow(near)
        self._follow(far)

    def _serve(self, side: _Side, events: int) -> None:
        if side.socket.fileno() < 0:
            return  # ended by the other side's event of the same round
        try:
            if events & selectors.EVENT_WRITE:
                sent = side.socket.send(side.waiting)
                side.waiting = side.waiting[sent:]
            if events & selectors.EVENT_READ and not side.other.waiting:
                chunk = side.socket.recv(_BUFFER_BYTES)
                if chunk:
                    self._pass(side.other, chunk)
                else:
                    side.is_read_out = True
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._end(side)
            return
        self._settle(side)

    @staticmethod
    def _pass(sink: _Side, chunk: bytes) -> None:
        try:
            sent = sink.socket.send(chunk)
        except (BlockingIOError, InterruptedError):
            sent = 0
        sink.waiting = chunk[sent:]

    def _settle(self, side: _Side) -> None:
        for each in (side, side.other):
            if each.other.is_read_out and not each.waiting and not each.is_shut:
                each.is_shut = True
                try:
                    each.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    self._end(each)
                    return
        if side.is_shut and side.other.is_shut:
            self._end(side)
            return
        self._follow(side)
        self._follow(side.other)

    def _follow(self, side: _Side) -> None:
        mask = side.wanted()
        if mask == side.mask:
            return
        if not side.mask:
            self._selector.register(side.socket, mask, side)
        elif not mask:
            self._selector.unregister(side.socket)
        else:
            self._selector.modify(side.socket, mask, side)
        side.mask = mask

    def _end(self, side: _Side) -> None:
        for each in (side, side.other):
            if each.mask:
                self._selector.unregister(each.socket)
                each.mask = 0
            each.socket.close()
        self._count -= 1

    def _close_all(self) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, _Side):
                key.data.other.socket.close()
                key.data.socket.close()
        self._selector.close()
        self._listener.close()
        self._woken.close()


_lock = threading.Lock()
_relay: Relay | None = None


def start_relay(port: int = PORT, path: str = SOCKET) -> int:
    """Start the relay if none runs; return its port. Raises OSError if the port is taken."""
    global _relay  # noqa: PLW0603  one relay a sandbox
    with _lock:
        if _relay is None:
            relay = Relay(port, path)
            relay.start()
            _relay = relay
        return _relay.port


def stop_relay() -> None:
    """End the relay and its connections, if one runs."""
    global _relay  # noqa: PLW0603  one relay a sandbox
    with _lock:
        if _relay is not None:
            _relay.stop()
            _relay = None
