"""One running program: its descriptors, how it is signalled, and who listens to it."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import threading
import time
from collections import deque
from typing import NamedTuple

from . import reaper, spawn, tree
from .output import READ_SIZE
from .spawn import Program
from .wire import Json

STREAM_LIMIT_BYTES = 1 << 20


class Listener:
    """A connection that follows a program: events wait here until it takes them."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._events: deque[bytes] = deque()
        self.pending = 0
        self.is_over = False

    def fileno(self) -> int:
        return self._read

    def put(self, event: bytes) -> None:
        self._events.append(event)
        self.pending += len(event)
        self._wake()

    def finish(self) -> None:
        self.is_over = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._write, b"1")

    def take(self) -> list[bytes]:
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)
        events: list[bytes] = []
        while self._events:
            event = self._events.popleft()
            self.pending -= len(event)
            events.append(event)
        return events

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class Wanted(NamedTuple):
    """What a Start request asks for. ``size`` (rows, columns) asks for a terminal."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    config: Json
    tag: str | None = None
    size: tuple[int, int] | None = None
    has_stdin: bool = True
    is_tree: bool = False


class Process:
    """A started program. ``outputs`` maps descriptors to ``stdout``, ``stderr`` or ``pty``;
    ``exit_read`` becomes readable when the program has ended."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.status: int | None = None
        self.keeper: int | None = None
        self.is_keeper_lost = False
        self.stdin: int | None = None
        self.terminal: int | None = None
        self.outputs: dict[int, str] = {}
        self._listeners: list[Listener] = []
        self._end: bytes | None = None
        self.lock = threading.Lock()
        self._rest = b""
        self.exit_read, self._exit_write = os.pipe2(os.O_CLOEXEC)
        try:
            self.pid = self._start_on_terminal() if wanted.size else self._start_on_pipes()
        except BaseException:
            self.close()
            raise

    def _start_on_terminal(self) -> int:
        wanted = self.wanted
        self.terminal, slave = pty.openpty()
        os.set_inheritable(self.terminal, False)
        os.set_blocking(self.terminal, False)
        self.outputs[self.terminal] = "pty"
        rows, columns = wanted.size or (24, 80)
        spawn.resize(self.terminal, rows, columns)
        program = Program(wanted.argv, wanted.cwd, wanted.env, (slave, slave, slave))
        try:
            return reaper.start(lambda: spawn.launch_on_terminal(program), self._on_exit)
        finally:
            os.close(slave)

    def _start_on_pipes(self) -> int:
        wanted = self.wanted
        theirs: list[int] = []
        try:
            if wanted.has_stdin:
                stdin, self.stdin = os.pipe2(os.O_CLOEXEC)
                os.set_blocking(self.stdin, False)
            else:
                stdin = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
            theirs.append(stdin)
            for name in ("stdout", "stderr"):
                ours, its = os.pipe2(os.O_CLOEXEC)
                theirs.append(its)
                self.outputs[ours] = name
            program = Program(wanted.argv, wanted.cwd, wanted.env, (stdin, theirs[1], theirs[2]))
            if wanted.is_tree:
                return self._start_tree(program)
            return reaper.start(lambda: spawn.launch(program), self._on_exit)
        finally:
            for descriptor in theirs:
                os.close(descriptor)

    def _start_tree(self, program: Program) -> int:
        """Start below a keeper, whose reports come through the pipe that tells of the end."""
        report, self._exit_write = self._exit_write, -1
        try:
            self.keeper = reaper.start(
                lambda: spawn.launch_tree(program, report), self._on_keeper_exit
            )
        finally:
            os.close(report)
        pid, self._rest = spawn.read_start(self.exit_read)
        return pid

    def _on_exit(self, status: int) -> None:
        self.status = status
        descriptor, self._exit_write = self._exit_write, -1
        os.close(descriptor)

    def _on_keeper_exit(self, _status: int) -> None:
        """Nothing to do: the end of the keeper closes its report."""

    def read_exit(self) -> bool:
        """Take what the exit pipe holds; return whether nothing more will come from it."""
        if self.keeper is None:
            return True
        said = b"" if b"\n" in self._rest else os.read(self.exit_read, 64)
        self._rest += said
        line, newline, self._rest = self._rest.partition(b"\n")
        if newline and line.isdigit():
            self.status = int(line)
            return False
        if not said and self.status is None:
            self.status = signal.SIGKILL
            self.is_keeper_lost = True
        return not said

    def signal(self, number: int) -> bool:
        """Signal the program with its session's first group; False if it has ended."""
        with self.lock:
            if self.status is not None:
                return False
            if self.keeper is None:
                return reaper.signal_process(self.pid, number, is_group=True)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
                return True
            return False

    def kill_tree(self) -> int:
        """End every process that it ever started; return how many survive."""
        if self.keeper is None:
            self.signal(signal.SIGKILL)
            return 0
        if self.keeper in reaper.tracked():
            return tree.kill_below(self.keeper)
        return tree.kill_strays(os.getpid(), reaper.tracked())

    def write_some(self, data: memoryview, is_terminal: bool) -> int:
        """Feed its input without waiting; return how much went. BrokenPipeError if closed."""
        with self.lock:
            descriptor = self.terminal if is_terminal else self.stdin
            if descriptor is None or self.status is not None:
                raise BrokenPipeError("the input is closed")
            try:
                return os.write(descriptor, data[:READ_SIZE])
            except BlockingIOError:
                return 0

    def write(self, data: bytes, is_terminal: bool, deadline: float) -> None:
        """Feed its input; waits while it does not read. TimeoutError, BrokenPipeError."""
        left = memoryview(data)
        poll = select.poll()
        descriptor = self.terminal if is_terminal else self.stdin
        if descriptor is not None:
            poll.register(descriptor, select.POLLOUT)
        while left:
            written = self.write_some(left, is_terminal)
            left = left[written:]
            if time.monotonic() > deadline:
                raise TimeoutError("the program does not read its input")
            if not written:
                poll.poll(100)

    def close_stdin(self) -> None:
        with self.lock:
            if self.stdin is not None:
                os.close(self.stdin)
                self.stdin = None

    def resize(self, rows: int, columns: int) -> bool:
        """Tell the terminal its new size; False if there is none."""
        with self.lock:
            if self.terminal is None:
                return False
            spawn.resize(self.terminal, rows, columns)
            return True

    def hang_up(self) -> None:
        """Forget the terminal; its descriptor is closed by whoever calls."""
        with self.lock:
            self.terminal = None

    def listeners_now(self) -> list[Listener]:
        if not self._listeners:
            return self._listeners
        with self.lock:
            return list(self._listeners)

    def add_listener(self, listener: Listener) -> None:
        with self.lock:
            if self._end is not None:
                listener.put(self._end)
                listener.finish()
            else:
                self._listeners.append(listener)

    def remove_listener(self, listener: Listener) -> None:
        with self.lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def finish(self, end_event: bytes) -> None:
        """Tell every listener, also those to come, that this was the end."""
        with self.lock:
            self._end = end_event
            for listener in self._listeners:
                listener.put(end_event)
                listener.finish()
            self._listeners.clear()

    def close(self) -> None:
        self.close_stdin()
        self.hang_up()
        for descriptor in (self.exit_read, self._exit_write, *self.outputs):
            if descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self.outputs.clear()


class Table:
    """The programs that run now, by process id and by tag."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_pid: dict[int, Process] = {}

    def add(self, process: Process) -> None:
        with self._lock:
            self._by_pid[process.pid] = process

    def discard(self, process: Process) -> None:
        with self._lock:
            if self._by_pid.get(process.pid) is process:
                del self._by_pid[process.pid]

    def all(self) -> list[Process]:
        with self._lock:
            return list(self._by_pid.values())

    def find(self, pid: int | None, tag: str | None) -> Process | None:
        with self._lock:
            if pid is not None:
                return self._by_pid.get(pid)
            found = (p for p in self._by_pid.values() if p.wanted.tag == tag)
            return next(found, None)
