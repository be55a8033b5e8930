"""One running program: its descriptors, how it is signalled, and who listens to it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from typing import NamedTuple

from . import keeper, reaper, spawn
from .keeper import Keeper
from .listeners import Listener
from .output import READ_SIZE
from .spawn import Program
from .wire import Json

STREAM_LIMIT_BYTES = 1 << 20
_COLLECT_SECONDS = 0.5


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
        self.keeper: Keeper | None = None
        self.is_keeper_lost = False
        self.is_tree_empty = False
        self.stdin: int | None = None
        self.terminal: int | None = None
        self.outputs: dict[int, str] = {}
        self._listeners: list[Listener] = []
        self._end: bytes | None = None
        self.lock = threading.Lock()
        self.exit_read, self._exit_write = -1, -1
        try:
            self.pid = self._start_on_terminal() if wanted.size else self._start_on_pipes()
        except BaseException:
            self.close()
            raise

    def _start_on_terminal(self) -> int:
        wanted = self.wanted
        self.exit_read, self._exit_write = os.pipe2(os.O_CLOEXEC)
        self.terminal, slave = os.openpty()
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
                self.keeper = keeper.take()
                self.exit_read = self.keeper.fileno()
                return self._start_in_tree(self.keeper, program)
            self.exit_read, self._exit_write = os.pipe2(os.O_CLOEXEC)
            return reaper.start(lambda: spawn.launch(program), self._on_exit)
        finally:
            for descriptor in theirs:
                os.close(descriptor)

    def _start_in_tree(self, its: Keeper, program: Program) -> int:
        try:
            return its.start(program)
        except (OSError, ValueError):
            self.is_tree_empty = True
            raise

    def _on_exit(self, status: int) -> None:
        self.status = status
        descriptor, self._exit_write = self._exit_write, -1
        os.close(descriptor)

    def read_exit(self) -> bool:
        """Take one report of the end; return whether nothing more will come."""
        if self.keeper is None:
            return True
        line = self.keeper.read_line()
        if line is None:
            self.is_keeper_lost = True
            if self.status is None:
                self.status = signal.SIGKILL
            return True
        if line == b"empty":
            self.is_tree_empty = True
            return True
        if line.isdigit():
            self.status = int(line)
        return False

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
        return self.keeper.kill_tree()

    def wait_for_empty_tree(self) -> None:
        """Give the keeper the moment it needs to collect what was killed."""
        if self.keeper is None:
            return
        stop_at = time.monotonic() + _COLLECT_SECONDS
        poll = select.poll()
        poll.register(self.exit_read, select.POLLIN)
        while not self.is_tree_empty and not self.is_keeper_lost:
            left = stop_at - time.monotonic()
            if left <= 0 or not (self.keeper.has_line or poll.poll(left * 1000)):
                return
            self.read_exit()

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
        ends = [self.exit_read, self._exit_write]
        if self.keeper is not None:
            ends = []
            if self.is_tree_empty:
                keeper.give_back(self.keeper)
            else:
                self.keeper.close()
        for descriptor in (*ends, *self.outputs):
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
