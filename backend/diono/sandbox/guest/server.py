"""Accepts connections: one thread each, reused, bounded in number, and always one in reserve."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable

from .http import Connection, Disconnected, Request, Response, receive
from .wire import HttpError, RpcError, encode, http_error_of

Handler = Callable[[Request, Response], None]

THREADS_LIMIT = 64
SPARE_THREADS = 3
TOKEN_HEADER = "diono-guest-token"  # noqa: S105 - the header's name
TOKEN_WORD = b"diono-token"
_TOKEN_LINE_BYTES = 256
_IDLE_SECONDS = 600.0
_REQUEST_SECONDS = 60.0
_LINGER_SECONDS = 5.0


def _is_same(given: bytes, expected: bytes) -> bool:
    """Compare in constant time. Our own: hmac would load the whole of OpenSSL."""
    difference = len(given) ^ len(expected)
    for position, value in enumerate(expected):
        difference |= value ^ (given[position] if position < len(given) else 0)
    return difference == 0


class Router:
    """Finds the handler of (method, path): exact paths first, then patterns in order."""

    def __init__(self) -> None:
        self._exact: dict[tuple[str, str], Handler] = {}
        self._patterns: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, path: str, handler: Handler) -> None:
        self._exact[method, path] = handler

    def add_pattern(self, method: str, pattern: str, handler: Handler) -> None:
        self._patterns.append((method, re.compile(pattern), handler))

    def find(self, method: str, path: str) -> Handler | None:
        handler = self._exact.get((method, path))
        if handler is None:
            for its_method, pattern, candidate in self._patterns:
                if its_method == method and pattern.fullmatch(path):
                    return candidate
        return handler

    def methods(self, path: str) -> Iterable[str]:
        found = {method for method, exact in self._exact if exact == path}
        return found | {m for m, pattern, _ in self._patterns if pattern.fullmatch(path)}


class Server:
    """Serves a listener. Every waiting thread accepts by itself, so there is no hand-over."""

    def __init__(self, listener: socket.socket, router: Router, token: str = "") -> None:
        self._listener = listener
        self._router = router
        self._token = token
        self._lock = threading.Lock()
        self._threads = 0
        self._waiting = 0

    def start(self) -> None:
        for _ in range(SPARE_THREADS):
            self._add_thread()

    def _add_thread(self) -> bool:
        """Start one more thread; False when there may or can be none."""
        with self._lock:
            if self._threads >= THREADS_LIMIT:
                return False
            self._threads += 1
            self._waiting += 1
        try:
            threading.Thread(target=self._work, daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._threads -= 1
                self._waiting -= 1
            return False
        return True

    def _work(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                continue
            with self._lock:
                self._waiting -= 1
                is_last = self._waiting == 0
            is_scarce = is_last and not self._add_thread()
            try:
                with stream:
                    self._serve(stream, is_scarce)
            finally:
                is_kept = self._rest()
            if not is_kept:
                return

    def _rest(self) -> bool:
        """Note that a thread is free again; return whether it is still wanted."""
        with self._lock:
            if self._waiting >= SPARE_THREADS:
                self._threads -= 1
                return False
            self._waiting += 1
            return True

    def _serve(self, stream: socket.socket, is_scarce: bool) -> None:
        if stream.family != socket.AF_UNIX:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(stream)
        is_kept = True
        with contextlib.suppress(Disconnected, OSError):
            while is_kept:
                stream.settimeout(_REQUEST_SECONDS if is_scarce else _IDLE_SECONDS)
                if not connection.buffer:
                    connection.fill()
                stream.settimeout(_REQUEST_SECONDS)
                self._note_token(connection)
                is_kept = self._serve_one(connection, is_scarce)
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_WR)
                self._linger(stream)

    def _note_token(self, connection: Connection) -> None:
        """A connection that begins with the token needs no header in its requests."""
        if self._token and not connection.is_trusted and connection.buffer.startswith(b"diono-"):
            word, _, given = connection.take_line(_TOKEN_LINE_BYTES).partition(b" ")
            if word != TOKEN_WORD or not _is_same(given, self._token.encode()):
                raise Disconnected
            connection.is_trusted = True

    @staticmethod
    def _linger(stream: socket.socket) -> None:
        """Read away what is still on its way, or closing would destroy our last reply."""
        stream.settimeout(1.0)
        stop_at = time.monotonic() + _LINGER_SECONDS
        while stream.recv(1 << 18) and time.monotonic() < stop_at:
            pass

    def _serve_one(self, connection: Connection, is_scarce: bool) -> bool:
        """Answer one request; return whether the connection can carry another."""
        try:
            request = receive(connection)
        except HttpError as error:
            body = encode(error.body())
            head = f"HTTP/1.1 {error.status} Status\r\nContent-Type: application/json\r\n"
            ending = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.send(head.encode() + ending.encode() + body)
            return False
        request.is_scarce = is_scarce
        response = Response(request)
        try:
            self._handler_of(request)(request, response)
        except HttpError as error:
            self._refuse(response, error)
        except OSError as error:
            self._refuse(response, http_error_of(error))
        except (
            ArithmeticError,
            LookupError,
            RuntimeError,
            MemoryError,
            TypeError,
            ValueError,
        ) as error:
            self._refuse(response, RpcError("internal", f"{type(error).__name__}: {error}"))
        return request.is_kept_alive and not response.is_closing

    @staticmethod
    def _refuse(response: Response, error: HttpError) -> None:
        if response.is_started:
            raise Disconnected
        response.json(error.status, error.body())

    def _handler_of(self, request: Request) -> Handler:
        given = request.headers.get(TOKEN_HEADER, "")
        is_trusted = not self._token or request.connection.is_trusted
        if not is_trusted and not _is_same(given.encode(), self._token.encode()):
            raise HttpError(401, "the guest's token is missing or wrong")
        handler = self._router.find(request.method, request.path)
        if handler is not None:
            return handler
        if any(self._router.methods(request.path)):
            raise HttpError(405, f"{request.method} is not possible here")
        raise HttpError(404, f"nothing is served at {request.path[:200]!a}")


def listen(address: str) -> socket.socket:
    """Listen on HOST:PORT, or on a unix socket that appears when it is ready."""
    if not address.startswith("/"):
        host, _, port = address.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), int(port)))
        listener.listen(128)
        return listener
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    temporary = f"{address}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    previous = os.umask(0)
    listener.bind(temporary)
    os.umask(previous)
    listener.listen(128)
    os.rename(temporary, address)
    return listener
