"""One Start stream: pumps a program's output to its client from the first byte to the end."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from . import tree
from .events import KEEPALIVE, data_event, end_of, start_event
from .http import Response
from .output import READ_SIZE, HeadAndTail, drain
from .process import STREAM_LIMIT_BYTES, Process
from .reaper import exit_code_of
from .wire import Json, RpcError, encode, end_frame, frame

LINGER_SECONDS = 0.4
_KILL_SECONDS = 3.0
_SLOW_SECONDS = 30.0
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL | select.POLLRDHUP


class Options(NamedTuple):
    """``deadline`` and ``keepalive`` in seconds; ``output_limit`` in bytes per stream."""

    deadline: float | None = None
    keepalive: float = 90.0
    output_limit: int | None = None
    stdin: bytes = b""
    closes_stdin: bool = False
    is_extended: bool = False


class Run:
    """Polls everything from one thread, so no client can stand in the way of a deadline."""

    def __init__(
        self,
        process: Process,
        response: Response,
        options: Options,
        on_end: Callable[[Process], None],
    ) -> None:
        self._on_end = on_end
        self._process = process
        self._response = response
        self._options = options
        self._socket = response.stream
        self._feeding: int | None = None
        self._out = bytearray()
        self._is_connected = True
        self._is_paused = False
        self._is_deadline = False
        self._stop_at: float | None = None
        self._slow_since: float | None = None
        self._stdin = memoryview(options.stdin)
        self._cuts: dict[str, HeadAndTail] = {}
        if options.output_limit is not None:
            self._cuts = {n: HeadAndTail(options.output_limit) for n in ("stdout", "stderr", "pty")}
        self._kills_before = tree.out_of_memory_kills() if options.is_extended else 0
        self._next_keepalive = time.monotonic() + options.keepalive
        self._poll = select.poll()

    def serve(self) -> None:
        """Run to the end; afterwards the connection can carry another request."""
        process = self._process
        self._socket.setblocking(False)
        self._poll.register(self._socket, _GONE)
        self._poll.register(process.exit_read, select.POLLIN)
        for descriptor in process.outputs:
            self._poll.register(descriptor, select.POLLIN)
        if self._options.closes_stdin and not self._stdin:
            process.close_stdin()
        if self._stdin and process.stdin is not None:
            self._feeding = process.stdin
            self._poll.register(process.stdin, select.POLLOUT)
        self._out += self._response.start_bytes(200, "application/connect+json")
        self._put(start_event(process.pid))
        self._flush()
        if process.keeper is not None and process.keeper.has_line:
            self._on_exit()
        while not self._is_over():
            self._turn()
        survivors = self._settle()
        self._finish(survivors)

    def _put(self, event: bytes) -> None:
        if self._is_connected:
            self._out += self._response.chunk(frame(event))

    def _flush(self) -> None:
        """Send what the client takes now."""
        try:
            while self._out and self._is_connected:
                del self._out[: self._socket.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self._lose_client()

    def _lose_client(self) -> None:
        if not self._is_connected:
            return
        self._is_connected = False
        self._response.is_closing = True
        self._out.clear()
        self._poll.unregister(self._socket)
        if self._process.keeper is not None:
            self._kill()

    def _kill(self) -> None:
        """End the program and come to an end soon, whatever it does."""
        latest = time.monotonic() + _KILL_SECONDS
        self._stop_at = min(self._stop_at or latest, latest)
        self._process.kill_tree()

    def _is_over(self) -> bool:
        process = self._process
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            return True
        if process.status is None:
            return False
        return not process.outputs or process.is_tree_empty or process.is_keeper_lost

    def _turn(self) -> None:
        for descriptor, mask in self._poll.poll(self._wait_milliseconds()):
            if descriptor == self._process.exit_read:
                self._on_exit()
            elif descriptor == self._feeding:
                self._feed()
            elif descriptor in self._process.outputs:
                self._on_output(descriptor)
            elif mask & _GONE:
                self._lose_client()
        self._flush()
        self._on_time()
        self._balance()

    def _wait_milliseconds(self) -> int:
        moments = [self._next_keepalive]
        if self._stop_at is not None:
            moments.append(self._stop_at)
        elif self._options.deadline is not None:
            moments.append(self._options.deadline)
        wait = max(0.0, min(moments) - time.monotonic())
        return 20 if self._is_paused and not self._out else int(wait * 1000) + 1

    def _on_time(self) -> None:
        now = time.monotonic()
        deadline = self._options.deadline
        if deadline is not None and now >= deadline and self._stop_at is None:
            self._is_deadline = True
            self._kill()
        if now >= self._next_keepalive:
            self._next_keepalive = now + self._options.keepalive
            if not self._out:
                self._put(KEEPALIVE)
                self._flush()

    def _on_exit(self) -> None:
        process = self._process
        if process.read_exit():
            self._poll.unregister(process.exit_read)
        elif process.keeper is not None and process.keeper.has_line:
            self._on_exit()
        if process.status is not None:
            lingering = time.monotonic() + LINGER_SECONDS
            self._stop_at = min(self._stop_at or lingering, lingering)

    def _feed(self) -> None:
        try:
            written = self._process.write_some(self._stdin, is_terminal=False)
        except OSError:
            written = len(self._stdin)
        self._stdin = self._stdin[written:]
        if not self._stdin and self._feeding is not None:
            self._poll.unregister(self._feeding)
            self._feeding = None
            if self._options.closes_stdin:
                self._process.close_stdin()

    def _on_output(self, descriptor: int) -> None:
        try:
            chunk = os.read(descriptor, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        name = self._process.outputs[descriptor]
        if not chunk:
            self._poll.unregister(descriptor)
            del self._process.outputs[descriptor]
            if name == "pty":
                self._process.hang_up()
            os.close(descriptor)
            return
        cut = self._cuts.get(name)
        if cut is not None:
            chunk = cut.feed(chunk)
        if chunk:
            self._publish(data_event(name, chunk))

    def _publish(self, event: bytes) -> None:
        self._next_keepalive = time.monotonic() + self._options.keepalive
        self._put(event)
        for listener in self._process.listeners_now():
            listener.put(event)

    def _balance(self) -> None:
        """Stop reading while somebody is slow; give up a listener that stays slow."""
        listeners = self._process.listeners_now()
        slow = [listener for listener in listeners if listener.pending > STREAM_LIMIT_BYTES]
        now = time.monotonic()
        if not slow:
            self._slow_since = None
        elif self._slow_since is None:
            self._slow_since = now
        elif now - self._slow_since > _SLOW_SECONDS:
            for listener in slow:
                self._process.remove_listener(listener)
                listener.finish()
        is_paused = bool(slow) or len(self._out) > STREAM_LIMIT_BYTES
        if is_paused != self._is_paused:
            self._is_paused = is_paused
            for descriptor in self._process.outputs:
                self._poll.modify(descriptor, 0 if is_paused else select.POLLIN)
        if self._is_connected:
            wanted = _GONE | select.POLLOUT if self._out else _GONE
            self._poll.modify(self._socket, wanted)

    def _settle(self) -> int:
        """End the tree, take what is left in the pipes; return how many processes survive."""
        process = self._process
        survivors = 0
        if process.keeper is not None and not process.is_tree_empty:
            survivors = process.kill_tree()
            process.wait_for_empty_tree()
        for descriptor in list(process.outputs):
            os.set_blocking(descriptor, False)
            for _ in range(32):
                self._on_output(descriptor)
                if descriptor not in process.outputs:
                    break
        if process.keeper is None:
            for descriptor, name in list(process.outputs.items()):
                if name != "pty":
                    del process.outputs[descriptor]
                    drain.adopt(descriptor)
        return survivors

    def _finish(self, survivors: int) -> None:
        for name, cut in self._cuts.items():
            tail = cut.tail()
            if tail:
                self._publish(data_event(name, tail))
        process = self._process
        status = signal.SIGKILL if process.status is None else process.status
        end = end_of(status)
        process.finish(encode({"event": {"end": end}}))
        if self._options.is_extended:
            end["diono"] = self._extension(status, survivors)
        error = None
        if self._is_deadline:
            error = RpcError("deadline_exceeded", "context deadline exceeded")
        if error is None or self._options.is_extended:
            self._put(encode({"event": {"end": end}}))
        self._out += self._response.chunk(end_frame(error)) + self._response.last_chunk
        process.close()
        self._on_end(process)
        self._socket.settimeout(60.0)
        if self._is_connected:
            self._response.send_raw(bytes(self._out))

    def _extension(self, status: int, survivors: int) -> Json:
        kills = tree.out_of_memory_kills()
        code = exit_code_of(status)
        return {
            "exitCode": code,
            "memory": code != 0 and kills > self._kills_before,
            "memoryKills": kills,
            "truncated": any(cut.dropped for cut in self._cuts.values()),
            "survivors": survivors,
            "deadline": self._is_deadline,
        }
