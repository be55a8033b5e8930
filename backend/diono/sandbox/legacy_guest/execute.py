"""One command, from start to the last of its processes. Runs in a process of its own."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time

from . import process
from .spawn import HeadAndTail, drain, spawn
from .wire import Header

_LINGER_SECONDS = 0.5


class _Run:
    """The event loop around one command: feeds stdin, drains both outputs, hears the host."""

    def __init__(self, header: Header, stdin: bytes, connection: socket.socket) -> None:
        limit = int(header["output_limit"])
        self.outputs = (HeadAndTail(limit), HeadAndTail(limit))
        self.statuses: dict[int, int] = {}
        self.is_killed = False
        self._stdin = memoryview(stdin)
        self._connection = connection
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, process.wake)
        self.pid = self._start(header)
        self._linger_until: float | None = None

    def _start(self, header: Header) -> int:
        in_read, self._in_write = os.pipe2(os.O_CLOEXEC)
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        err_read, err_write = os.pipe2(os.O_CLOEXEC)
        pid = spawn(header, (in_read, out_write, err_write))
        for descriptor in (in_read, out_write, err_write):
            os.close(descriptor)
        for index, descriptor in enumerate((out_read, err_read)):
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ, self.outputs[index])
        os.set_blocking(self._in_write, False)
        self._selector.register(self._in_write, selectors.EVENT_WRITE)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._selector.register(self._connection, selectors.EVENT_READ)
        return pid

    def _forget(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)

    def _feed(self) -> None:
        try:
            written = os.write(self._in_write, self._stdin[: 1 << 16]) if self._stdin else 0
        except BrokenPipeError:
            self._stdin = self._stdin[:0]
        else:
            self._stdin = self._stdin[written:]
        if not self._stdin:
            self._forget(self._in_write)

    def _on_child(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        self.statuses.update(process.reap())
        if self.pid in self.statuses and self._linger_until is None:
            self._linger_until = time.monotonic() + _LINGER_SECONDS

    def _is_over(self) -> bool:
        if self.is_killed:
            return True
        if self._linger_until is None:
            return False
        return time.monotonic() >= self._linger_until or not process.descendants(os.getpid())

    def _turn(self) -> None:
        timeout = None
        if self._linger_until is not None:
            timeout = max(0.0, min(0.02, self._linger_until - time.monotonic()))
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._connection:
                self.is_killed = True
            elif key.fd == self._wake_read:
                self._on_child()
            elif isinstance(key.data, HeadAndTail):
                if not drain(key.fd, key.data):
                    self._forget(key.fd)
            else:
                self._feed()

    def finish(self) -> int:
        """Run to the end, kill what is left of the tree, drain; return surviving processes."""
        while not self._is_over():
            self._turn()
        survivors = process.kill_descendants(self.statuses)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, HeadAndTail):
                self._drain_rest(key.fd, key.data)
        return survivors

    def _drain_rest(self, descriptor: int, sink: HeadAndTail) -> None:
        """At most what a pipe can hold: a surviving writer must not keep us here."""
        for _ in range(32):
            try:
                chunk = os.read(descriptor, 1 << 16)
            except BlockingIOError:
                return
            if not chunk:
                return
            sink.feed(chunk)


def execute(header: Header, stdin: bytes, connection: socket.socket) -> tuple[Header, bytes]:
    """Run a command; any byte (or the end) from the host on ``connection`` kills its tree."""
    process.adopt_orphans()
    kills_before = process.out_of_memory_kills()
    run = _Run(header, stdin, connection)
    survivors = run.finish()
    kills = process.out_of_memory_kills()
    exit_code = process.exit_code_of(run.statuses.get(run.pid, 9))
    out, err = (output.value() for output in run.outputs)
    reply: Header = {
        "exit_code": exit_code,
        "is_killed": run.is_killed,
        "is_memory": exit_code != 0 and kills > kills_before,
        "memory_kills": kills,
        "is_truncated": any(output.dropped for output in run.outputs),
        "survivors": survivors,
        "stdout_bytes": len(out),
    }
    return reply, out + err
