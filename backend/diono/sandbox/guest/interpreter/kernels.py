"""A kernel seen from the guest: a process that runs cells and keeps their state.

On the channel we send ``{id, code, env, count}`` lines and read lines that the wire takes as they
are (``result``, ``error``), then ``{type: end, id}``. Output comes through the process's own
stdout and stderr, so that what C code and child processes print is there too.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import time
from collections.abc import Iterator

from .. import tree
from ..output import READ_SIZE
from ..reaper import exit_code_of
from ..wire import Json, encode
from . import zygote
from .forks import Forks
from .idle import idle
from .languages import Language
from .output import Lines
from .stream import Stream

_EVENT_LIMIT_BYTES = 64 * 1024 * 1024
_INTERRUPT_SECONDS = 3.0
_LOOK_MILLISECONDS = 1000
_HOLD_MILLISECONDS = 25
_SWEEPS = 10
_REST_SECONDS = 0.5
_START_SECONDS = 10.0
_MAKE_ROOM = "restart the context that has started too many processes"
_FRESH = "it starts afresh with the next cell, without its variables"
_PASSED_ON = frozenset({"result", "error"})


class Kernel:
    """One process, for one thread at a time except ``stop``. OSError if none can be had."""

    def __init__(self, forks: Forks, language: Language, env: dict[str, str], cwd: str) -> None:
        kind = zygote.PROGRAM if language.argv else zygote.KERNEL
        self._pipes = forks.child(kind)
        self.channel = self._pipes.channel
        self.streams = {self._pipes.stdout: Lines("stdout"), self._pipes.stderr: Lines("stderr")}
        self.status: int | None = None
        self.refusal = 0
        self.stopped: tuple[str, str] | None = None
        self._pid = 0
        self._is_open = True
        self._received = bytearray()
        self._searched = 0
        spec = {
            "argv": list(language.argv),
            "env": env,
            "cwd": cwd,
            "language": language.name,
            "is_script": language.is_script,
        }
        self.channel.settimeout(_START_SECONDS)
        self.channel.sendall(encode(spec) + b"\n")
        self.channel.setblocking(False)

    @property
    def is_running(self) -> bool:
        return self._is_open and self.status is None and self.stopped is None

    def is_alive(self) -> bool:
        """Look once without waiting."""
        self.receive()
        for line in self.lines():
            self.note(line)
        return self.is_running

    def send(self, pending: bytearray) -> bool:
        """Send what the process takes now; return whether that was the rest."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            del pending[: self.channel.send(pending)]
        return not pending

    def receive(self) -> None:
        try:
            data = self.channel.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._received += data
        self._is_open = bool(data) and len(self._received) < _EVENT_LIMIT_BYTES

    def lines(self) -> Iterator[bytes]:
        while True:
            end = self._received.find(b"\n", self._searched)
            if end < 0:
                self._searched = len(self._received)
                return
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            self._searched = 0
            if line:
                yield line

    def note(self, line: bytes) -> Json:
        """Parse a line and remember what it says of the process; nonsense gives {}."""
        try:
            event = json.loads(line)
            kind = event["type"]
            if kind == "started":
                self._pid = int(event["pid"])
            elif kind == "exited":
                self.status = int(event["status"])
            elif kind == "refused":
                self.refusal = int(event["errno"]) or errno.EAGAIN
                self._is_open = False
        except (ValueError, KeyError, TypeError, RecursionError):
            return {}
        return event

    def interrupt(self) -> None:
        """Press Control-C, so to speak."""
        if self._pid and self.status is None:
            with contextlib.suppress(OSError):
                os.killpg(self._pid, signal.SIGINT)

    def stop(self, name: str, value: str) -> None:
        """End the process at once; a running cell says why. May be called from any thread."""
        self.stopped = (name, value)
        self._kill()

    def close(self) -> None:
        self._kill()
        idle.leave(self.streams)
        self._pipes.close()

    def _kill(self) -> None:
        if self._pid and self.status is None:
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGSTOP)
                tree.kill_below(self._pid)
                for _ in range(_SWEEPS):
                    os.killpg(self._pid, signal.SIGKILL)
                    time.sleep(0.001)

    def execute(self, code: str, env: dict[str, str], count: int, stream: Stream) -> Json | None:
        """Run a cell. Return an error to report if the process did not survive it."""
        cell_id = f"{count}-{time.monotonic_ns()}"
        cell = {"id": cell_id, "code": code, "env": env, "count": count}
        idle.leave(self.streams)
        try:
            return _Cell(self, cell_id, stream).run(encode(cell) + b"\n")
        finally:
            idle.watch(self.streams)


class _Cell:
    """One execution: moves lines and output from the process to the client until the end."""

    def __init__(self, kernel: Kernel, cell_id: str, stream: Stream) -> None:
        self._kernel = kernel
        self._id = cell_id
        self._stream = stream
        self._is_over = False
        self._is_exhausted = False
        self._kill_at = 0.0
        self._kills = tree.out_of_memory_kills()

    def run(self, request: bytes) -> Json | None:
        kernel = self._kernel
        pending = bytearray(request)
        poll = select.poll()
        for descriptor in kernel.streams:
            poll.register(descriptor, select.POLLIN)
        poll.register(kernel.channel, select.POLLIN | select.POLLOUT)
        poll.register(self._stream.socket, select.POLLRDHUP)
        while not self._is_over and kernel.is_running:
            is_holding = any(lines.is_holding for lines in kernel.streams.values())
            ready = poll.poll(_HOLD_MILLISECONDS if is_holding else _LOOK_MILLISECONDS)
            if is_holding and not ready:
                self._flush()
            for descriptor, events in ready:
                if descriptor in kernel.streams:
                    if not self._copy(descriptor):
                        poll.unregister(descriptor)
                elif descriptor == kernel.channel.fileno():
                    if events & select.POLLOUT and kernel.send(pending):
                        poll.modify(kernel.channel, select.POLLIN)
                    if events & ~select.POLLOUT:
                        self._listen()
                else:
                    poll.unregister(self._stream.socket)
                    self._stream.is_gone = True
            self._watch_client()
        self._copy_rest()
        return self._problem()

    def _copy(self, descriptor: int) -> bool:
        """Pass on what the process has printed; False at the end of the stream."""
        try:
            data = os.read(descriptor, READ_SIZE)
        except BlockingIOError:
            return True
        for message in self._kernel.streams[descriptor].feed(data):
            self._stream.write(message)
        return bool(data)

    def _copy_rest(self) -> None:
        """Pass on what was printed before the end was said."""
        for descriptor, lines in self._kernel.streams.items():
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            stop_at = time.monotonic() + _REST_SECONDS
            while poll.poll(0) and time.monotonic() < stop_at and self._copy(descriptor):
                pass
            for message in lines.flush(is_final=True):
                self._stream.write(message)

    def _flush(self) -> None:
        for lines in self._kernel.streams.values():
            for message in lines.flush():
                self._stream.write(message)

    def _listen(self) -> None:
        self._kernel.receive()
        for line in self._kernel.lines():
            event = self._kernel.note(line)
            kind = event.get("type")
            if kind in _PASSED_ON:
                self._copy_rest()
                self._stream.write_raw(line)
            elif kind == "end" and event.get("id") == self._id:
                self._is_over = True
                self._is_exhausted = event.get("is_exhausted") is True

    def _watch_client(self) -> None:
        """Interrupt the cell when the client has left; kill the process if it goes on."""
        if not self._stream.is_gone or self._is_over:
            return
        if not self._kill_at:
            self._kill_at = time.monotonic() + _INTERRUPT_SECONDS
            self._kernel.interrupt()
        elif time.monotonic() > self._kill_at:
            self._kernel.stop("ExecutionInterrupted", "the cell did not stop when interrupted")

    def _problem(self) -> Json | None:
        kernel = self._kernel
        if kernel.stopped is not None:
            return _error(*kernel.stopped)
        if self._is_exhausted:
            return _error("ContextRestarting", f"no more processes could be started; {_FRESH}")
        if self._is_over:
            return None
        if kernel.refusal:
            reason = os.strerror(kernel.refusal)
            return _error(
                "ContextUnavailable", f"the context's process cannot start: {reason}; {_MAKE_ROOM}"
            )
        how = "was lost"
        if kernel.status is not None:
            code = exit_code_of(kernel.status)
            how = f"was killed by signal {code - 128}" if code > 128 else f"exited with {code}"
            if tree.out_of_memory_kills() > self._kills:
                how += " (out of memory)"
        return _error("ContextRestarting", f"the context's process {how}; {_FRESH}")


def _error(name: str, value: str) -> Json:
    return {"type": "error", "name": name, "value": value, "traceback": f"{name}: {value}"}
