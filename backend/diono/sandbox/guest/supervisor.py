"""One supervised service: started, watched, started again when its policy says so, and ended."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from typing import NamedTuple

from .log_ring import LogRing
from .output import READ_SIZE
from .process import Process, Wanted
from .reaper import exit_code_of

NEVER, ON_FAILURE, ALWAYS = "never", "on-failure", "always"
POLICIES = (NEVER, ON_FAILURE, ALWAYS)
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 30.0
_STABLE_SECONDS = 30.0
_HOPELESS_RESTARTS = 3
_TERMINATE_SECONDS = 2.0
_POLL_SECONDS = 0.01
_LISTENING = "0A"


def is_listening(port: int) -> bool:
    """Return whether a TCP socket listens on ``port``, without touching it."""
    suffix = f":{port:04X}"
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        try:
            with open(table, encoding="ascii") as lines:
                fields = (line.split() for line in lines)
                if any(f[1].endswith(suffix) and f[3] == _LISTENING for f in fields):
                    return True
        except OSError:
            continue
    return False


class Plan(NamedTuple):
    """What a service is. Times in seconds."""

    name: str
    wanted: Wanted
    port: int | None
    restart: str
    start_timeout: float


class Supervisor:
    """Owns a thread and, while the service runs, a tree of processes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.log = LogRing()
        self.restarts = 0
        self.exit_code: int | None = None
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    @property
    def is_running(self) -> bool:
        with self._lock:
            return self._process is not None and self._process.status is None

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @property
    def is_healthy(self) -> bool:
        return self.is_running and (self.plan.port is None or is_listening(self.plan.port))

    def start(self) -> None:
        """Start the service and its thread. OSError or ValueError if it cannot be started."""
        self._process = Process(self.plan.wanted)
        threading.Thread(target=self._supervise, daemon=True).start()

    def wait_ready(self) -> None:
        """Return when it is healthy, has ended for good or again and again, or its time is over.

        What crashed three times is still started again, but nobody is kept waiting for it.
        """
        stop_at = time.monotonic() + self.plan.start_timeout
        while time.monotonic() < stop_at and not self._is_settled:
            self._over.wait(_POLL_SECONDS)

    @property
    def _is_settled(self) -> bool:
        return self.is_over or self.restarts >= _HOPELESS_RESTARTS or self.is_healthy

    def signal(self, number: int) -> bool:
        with self._lock:
            return self._process is not None and self._process.signal(number)

    def stop(self) -> None:
        """End it with all its processes: asked first, then killed."""
        self._stopping.set()
        self.signal(signal.SIGTERM)
        os.write(self._wake_write, b"1")
        self._over.wait(_TERMINATE_SECONDS + 5.0)

    def _supervise(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            started_at = time.monotonic()
            self._follow()
            code = self.exit_code
            is_failure = code != 0
            policy = self.plan.restart
            if self._stopping.is_set() or policy == NEVER:
                break
            if policy == ON_FAILURE and not is_failure:
                break
            if time.monotonic() - started_at > _STABLE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            if self._stopping.wait(pause) or not self._start_again():
                break
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        self._over.set()

    def _start_again(self) -> bool:
        self.restarts += 1
        try:
            process = Process(self.plan.wanted)
        except (OSError, ValueError) as error:
            self.log.feed(f"cannot be started again: {error}\n".encode())
            return False
        with self._lock:
            self._process = process
            self.exit_code = None
        return True

    def _follow(self) -> None:
        """Read the output until the service ends, then end what is left of its tree."""
        process = self._process
        if process is None:
            return
        poll = select.poll()
        for descriptor in (process.exit_read, self._wake_read, *process.outputs):
            poll.register(descriptor, select.POLLIN)
        stop_at: float | None = None
        self._take_reports(process)
        while process.status is None and (stop_at is None or time.monotonic() < stop_at):
            wait = None if stop_at is None else max(1.0, (stop_at - time.monotonic()) * 1000)
            for descriptor, _ in poll.poll(wait):
                if descriptor == process.exit_read:
                    process.read_exit()
                    self._take_reports(process)
                elif descriptor == self._wake_read:
                    poll.unregister(descriptor)
                    stop_at = time.monotonic() + _TERMINATE_SECONDS
                elif not self._read(process, descriptor):
                    poll.unregister(descriptor)
        self._end(process)

    @staticmethod
    def _take_reports(process: Process) -> None:
        while process.keeper is not None and process.keeper.has_line:
            process.read_exit()

    def _read(self, process: Process, descriptor: int) -> bool:
        try:
            chunk = os.read(descriptor, READ_SIZE)
        except BlockingIOError:
            return True
        if chunk:
            self.log.feed(chunk)
            return True
        del process.outputs[descriptor]
        os.close(descriptor)
        return False

    def _end(self, process: Process) -> None:
        if not process.is_tree_empty:
            process.kill_tree()
            process.wait_for_empty_tree()
        for descriptor in list(process.outputs):
            os.set_blocking(descriptor, False)
            for _ in range(8):
                if descriptor in process.outputs:
                    self._read(process, descriptor)
        status = signal.SIGKILL if process.status is None else process.status
        with self._lock:
            self.exit_code = exit_code_of(status)
            process.status = status
            process.close()
            self._process = None
