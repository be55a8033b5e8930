"""``POST /diono/run``: one Python snippet in a warm, single-use process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import time
from typing import Any

from .. import tree
from ..output import HeadAndTail
from ..reaper import exit_code_of
from ..wire import HttpError
from .forks import Forks, Pipes

_READ_SIZE = 1 << 16
_LINGER_SECONDS = 0.5
_CHANNEL_LIMIT_BYTES = 1 << 20


class Spec:
    """A checked request. Times in seconds."""

    def __init__(self, fields: dict[str, Any], env: dict[str, str], cwd: str) -> None:
        self.code = fields["code"]
        self.args: list[str] = fields["args"]
        self.env = env
        self.cwd = cwd
        self.stdin: bytes = fields["stdin"]
        self.timeout: float = fields["timeout"]
        self.limit: int = fields["output_limit"]

    def line(self) -> bytes:
        fields = {"code": self.code, "args": self.args, "env": self.env, "cwd": self.cwd}
        return json.dumps(fields).encode("ascii") + b"\n"


class Snippet:
    """One run. ``watch`` is a descriptor that becomes readable when the caller goes away."""

    def __init__(self, spec: Spec, pipes: Pipes) -> None:
        self._spec = spec
        self._pipes = pipes
        self._pid = 0
        self._status: int | None = None
        self._code: int | None = None
        self._error: dict[str, str] | None = None
        self._refusal = 0
        self._received = bytearray()
        self._collected = {
            pipes.stdout: _Collected(spec.limit),
            pipes.stderr: _Collected(spec.limit),
        }
        self._pending = bytearray(spec.line())
        self._stdin = memoryview(spec.stdin)
        self._poll = select.poll()
        self._is_channel_open = True

    def run(self, watch: int) -> dict[str, Any]:
        started = time.monotonic()
        is_late = is_gone = False
        self._register(watch)
        deadline = started + self._spec.timeout
        while self._code is None and self._status is None and self._is_channel_open:
            left = deadline - time.monotonic()
            if left <= 0:
                is_late = True
                break
            if self._step(left, watch):
                is_gone = True
                break
        self._kill()
        self._drain(time.monotonic() + (_LINGER_SECONDS if self._code is None else 0))
        if self._refusal:
            raise OSError(self._refusal, os.strerror(self._refusal))
        if is_gone:
            raise HttpError(499, "the caller went away")
        return self._outcome(is_late, time.monotonic() - started)

    def _register(self, watch: int) -> None:
        pipes = self._pipes
        pipes.channel.setblocking(False)
        self._poll.register(pipes.stdout, select.POLLIN)
        self._poll.register(pipes.stderr, select.POLLIN)
        self._poll.register(pipes.channel, select.POLLIN | select.POLLOUT)
        self._poll.register(watch, select.POLLRDHUP)
        if self._stdin:
            os.set_blocking(pipes.stdin, False)
            self._poll.register(pipes.stdin, select.POLLOUT)
        else:
            self._close_stdin()

    def _step(self, seconds: float, watch: int) -> bool:
        """Wait for something and deal with it; True if the caller is gone."""
        for descriptor, events in self._poll.poll(seconds * 1000 + 1):
            if descriptor in self._collected:
                self._read(descriptor)
            elif descriptor == watch:
                return True
            elif descriptor == self._pipes.stdin:
                self._feed()
            else:
                self._talk(events)
        return False

    def _read(self, descriptor: int) -> bool:
        """Take what is there; False at the end of the stream."""
        try:
            data = os.read(descriptor, _READ_SIZE)
        except BlockingIOError:
            return True
        if not data:
            self._poll.unregister(descriptor)
            return False
        self._collected[descriptor].add(data)
        return True

    def _feed(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                self._stdin = self._stdin[os.write(self._pipes.stdin, self._stdin) :]
            except BrokenPipeError:
                self._stdin = self._stdin[len(self._stdin) :]
        if not self._stdin:
            self._poll.unregister(self._pipes.stdin)
            self._close_stdin()

    def _close_stdin(self) -> None:
        os.close(self._pipes.stdin)
        self._pipes = self._pipes._replace(stdin=-1)

    def _talk(self, events: int) -> None:
        channel = self._pipes.channel
        if self._pending and events & select.POLLOUT:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                del self._pending[: channel.send(self._pending)]
            if not self._pending:
                self._poll.modify(channel, select.POLLIN)
        if events & (select.POLLIN | select.POLLHUP):
            try:
                data = channel.recv(_READ_SIZE)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            self._is_channel_open = bool(data) and len(self._received) < _CHANNEL_LIMIT_BYTES
            self._received += data
            while b"\n" in self._received:
                line, _, self._received = self._received.partition(b"\n")
                self._note(bytes(line))

    def _note(self, line: bytes) -> None:
        if not line:
            return
        try:
            event: dict[str, Any] = json.loads(line)
            kind = event["type"]
        except (ValueError, KeyError, TypeError):
            return
        if kind == "started":
            self._pid = int(event["pid"])
        elif kind == "exited":
            self._status = int(event["status"])
        elif kind == "finished":
            self._code = int(event["code"])
        elif kind == "refused":
            self._refusal = int(event["errno"]) or errno.EAGAIN
        elif kind == "error":
            self._error = {"name": str(event.get("name")), "value": str(event.get("value"))}

    def _kill(self) -> None:
        """End all that the child has started; the runner kills what is no longer below it."""
        if self._pid:
            if self._status is None and self._code is None:
                tree.kill_below(self._pid)
            with contextlib.suppress(OSError):
                os.killpg(self._pid, signal.SIGKILL)

    def _drain(self, deadline: float) -> None:
        """Read what is left; a process that left the session may hold a pipe a little longer."""
        open_streams = set(self._collected)
        while open_streams:
            poll = select.poll()
            for descriptor in open_streams:
                poll.register(descriptor, select.POLLIN)
            ready = poll.poll(max(0, (deadline - time.monotonic()) * 1000))
            if not ready:
                return
            for descriptor, _ in ready:
                try:
                    data = os.read(descriptor, _READ_SIZE)
                except BlockingIOError:
                    continue
                if data:
                    self._collected[descriptor].add(data)
                else:
                    open_streams.discard(descriptor)

    def _exit_code(self) -> int | None:
        if self._code is None and self._status is not None:
            return exit_code_of(self._status)
        return self._code

    def close(self) -> None:
        self._pipes.close()

    def _outcome(self, is_late: bool, seconds: float) -> dict[str, Any]:
        stdout = self._collected[self._pipes.stdout]
        stderr = self._collected[self._pipes.stderr]
        return {
            "stdout": stdout.text(),
            "stderr": stderr.text(),
            "exit_code": None if is_late else self._exit_code(),
            "error": self._error,
            "seconds": round(seconds, 6),
            "truncated": stdout.is_truncated or stderr.is_truncated,
            "deadline": is_late,
        }


class _Collected:
    """What a stream said, cut in the middle to the limit."""

    def __init__(self, limit: int) -> None:
        self._head = bytearray()
        self._rest = HeadAndTail(limit)

    def add(self, data: bytes) -> None:
        self._head += self._rest.feed(data)

    @property
    def is_truncated(self) -> bool:
        return self._rest.dropped > 0

    def text(self) -> str:
        return bytes(self._head + self._rest.tail()).decode("utf-8", "replace")


def run(forks: Forks, spec: Spec, watch: int) -> dict[str, Any]:
    """Run a snippet; OSError if there is no process for it."""
    pipes = forks.take_snippet()
    snippet = Snippet(spec, pipes)
    try:
        return snippet.run(watch)
    finally:
        snippet.close()
