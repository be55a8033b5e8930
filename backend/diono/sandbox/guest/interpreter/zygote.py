"""A Python process that has everything imported and forks ready interpreters from itself.

It is forked from the guest before that has any thread (or started afresh if it was killed) and
takes messages over a socket: a kind and four descriptors (channel, stdin, stdout, stderr).
``kernel``: a Python that keeps the state of a context; ``program``: the same for another
language. ``snippet``: one that runs once.
``runner``: a second zygote that adopts what its snippets leave behind and kills it; a kernel's
daemons, on the other hand, may live on. How a child ended is said on its channel.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import threading
from typing import NoReturn

from .. import libc, spawn

KERNEL = b"kernel"
PROGRAM = b"program"
SNIPPET = b"snippet"
RUNNER = b"runner"

_CHANNEL = 3
_CHILDREN = {KERNEL: ".kernel", PROGRAM: ".program_child", SNIPPET: ".snippet_child"}


class Zygote:
    def __init__(self, control: socket.socket, is_runner: bool) -> None:
        self._control = control
        self._is_runner = is_runner
        self._children: dict[int, socket.socket] = {}
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> None:
        """Fork on demand until the other end of the control socket is closed."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, _ignore)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self._wake_read:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake_read, 4096)
                elif not self._fork():
                    return
            self._collect()

    def _fork(self) -> bool:
        kind, descriptors, _, _ = socket.recv_fds(self._control, 16, 4)
        if not kind or not descriptors:
            return False
        _open_packages()
        channel = socket.socket(fileno=descriptors[0])
        if kind in _CHILDREN:
            importlib.import_module(_CHILDREN[kind], __package__)
        try:
            pid = os.fork()
        except OSError as error:
            _tell(channel, "refused", "errno", error.errno or 0)
            channel.close()
        else:
            if pid == 0:
                self._become(kind, channel, descriptors[1:])
            if kind == RUNNER:
                channel.close()
            else:
                _tell(channel, "started", "pid", pid)
                self._children[pid] = channel
        for descriptor in descriptors[1:]:
            os.close(descriptor)
        return True

    def _become(self, kind: bytes, channel: socket.socket, standard: list[int]) -> NoReturn:
        """Go on as the child."""
        code = 70
        try:
            if kind == RUNNER:
                signal.set_wakeup_fd(-1)
                self._close()
                _serve(channel, is_runner=True)
                code = 0
            else:
                _make_independent(channel, standard)
                code = importlib.import_module(_CHILDREN[kind], __package__).main(_CHANNEL)
        finally:
            os._exit(code)

    def _close(self) -> None:
        self._control.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        for channel in self._children.values():
            channel.close()

    def _collect(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            channel = self._children.pop(pid, None)
            if self._is_runner:
                self._kill_strays()
            if channel is not None:
                _tell(channel, "exited", "status", status)
                channel.close()

    def _kill_strays(self) -> None:
        """Kill what snippets have left to us, unless it is in the session of a living one."""
        own = os.getpid()
        try:
            with open(f"/proc/self/task/{own}/children", encoding="ascii") as file:
                strays = {int(pid) for pid in file.read().split()} - self._children.keys()
        except OSError:
            return
        for pid in strays:
            with contextlib.suppress(OSError):
                if os.getsid(pid) not in self._children:
                    os.kill(pid, signal.SIGKILL)


def _ignore(_number: int, _frame: object) -> None:
    """Take the signal, so that the wake-up descriptor gets its byte."""


def _tell(channel: socket.socket, kind: str, name: str, number: int) -> None:
    """Send one line, after a line break in case the child died in the middle of its own."""
    with contextlib.suppress(OSError):
        line = f'\n{{"type":"{kind}","{name}":{number}}}\n'
        channel.send(line.encode("ascii"), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def _make_independent(channel: socket.socket, standard: list[int]) -> None:
    """Leave nothing of the zygote to the child: session, signals, descriptors, seeds."""
    libc.hide_memory(False)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.stack_size(0)
    os.setsid()
    for target, descriptor in enumerate(standard):
        os.dup2(descriptor, target)
    os.dup2(channel.detach(), _CHANNEL, inheritable=False)
    os.closerange(_CHANNEL + 1, os.sysconf("SC_OPEN_MAX"))
    spawn.yield_to_killer(os.getpid())
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    gc.enable()


def load_snippets() -> None:
    """Load what the first snippet needs: cheap in memory, and half of its time."""
    importlib.import_module("site")
    importlib.import_module(_CHILDREN[SNIPPET], __package__)


def _open_packages() -> None:
    """Make installed packages importable: the guest itself runs without them."""
    site = importlib.import_module("site")
    if not hasattr(builtins, "exit"):
        site.main()


def isolate(descriptor: int) -> int:
    """Close what was inherited from the guest at work, but ``descriptor``; return its number."""
    moved = os.dup2(descriptor, _CHANNEL, inheritable=False)
    os.closerange(_CHANNEL + 1, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    return moved


def _prepare(preimports: list[str]) -> None:
    """Load the wanted packages."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    if preimports:
        _open_packages()
        for name in _CHILDREN.values():
            importlib.import_module(name, __package__)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in preimports:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if preimports:
        gc.collect()
        gc.freeze()
    gc.disable()


def _serve(control: socket.socket, is_runner: bool) -> None:
    libc.set_name("diono-runner" if is_runner else "diono-zygote")
    if is_runner:
        libc.adopt_orphans()
    Zygote(control, is_runner).serve()


def main(descriptor: int, preimports: list[str], is_runner: bool = False) -> None:
    """Be a zygote (or a runner) that listens on ``descriptor``."""
    _prepare(preimports)
    _serve(socket.socket(fileno=descriptor), is_runner)
