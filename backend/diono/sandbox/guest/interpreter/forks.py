"""The guest's side of the zygote: asks it for children, starts it again if it was killed."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from typing import NamedTuple

from .. import reaper
from . import zygote

_CONTROL = 3
_FORK_SIGNAL = signal.SIGUSR2
_FORK_SECONDS = 2.0
_BOOT = "import sys; sys.path.insert(0, {root!r}); from {package}.zygote import main; \
del sys.path[0]; main({control}, {preimports!r}, {is_runner})"


class Pipes(NamedTuple):
    """Our ends; the caller closes them. ``channel`` carries JSON lines both ways."""

    channel: socket.socket
    stdin: int
    stdout: int
    stderr: int

    def close(self) -> None:
        self.channel.close()
        for descriptor in (self.stdin, self.stdout, self.stderr):
            if descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)


class Ends(NamedTuple):
    """The child's ends of ``Pipes``."""

    channel: socket.socket
    stdin: int
    stdout: int
    stderr: int

    def close(self) -> None:
        Pipes(*self).close()


def open_pipes(has_stdin: bool) -> tuple[Pipes, Ends]:
    """Return both ends of what connects us with a child."""
    ours, theirs = socket.socketpair()
    if has_stdin:
        stdin_read, stdin_write = os.pipe()
    else:
        stdin_read, stdin_write = os.open(os.devnull, os.O_RDONLY), -1
    stdout_read, stdout_write = os.pipe()
    stderr_read, stderr_write = os.pipe()
    for descriptor in (stdout_read, stderr_read):
        os.set_blocking(descriptor, False)
    pipes = Pipes(ours, stdin_write, stdout_read, stderr_read)
    return pipes, Ends(theirs, stdin_read, stdout_write, stderr_write)


class Forks:
    """Errors: OSError where no process can be had."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._controls: dict[bytes, socket.socket] = {}
        self._spare: Pipes | None = None
        self._wanted: tuple[socket.socket, bool] | None = None
        self._forked = threading.Event()
        self.preimports: list[str] = []

    def fork_early(self, preimports: list[str]) -> None:
        """Fork the zygote from this process, which must not have a second thread yet."""
        self.preimports = preimports
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        gc.collect()
        gc.freeze()  # neither side looks at the shared pages again, so they stay shared
        gc.disable()
        if os.fork() == 0:
            try:
                ours.close()
                zygote.main(theirs.detach(), preimports)
            finally:
                os._exit(0)
        gc.enable()
        theirs.close()
        self._controls[zygote.KERNEL] = ours

    def take_snippet(self) -> Pipes:
        """Return a process that waits for a snippet, made before it was needed if possible."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None:
            if not _has_ended(spare):
                return spare
            spare.close()
        return self.child(zygote.SNIPPET)

    def prepare_snippet(self) -> None:
        """Have a process ready for the next snippet; harmless if that is not possible."""
        if self._spare is None:
            with contextlib.suppress(OSError):
                spare = self.child(zygote.SNIPPET)
                with self._lock:
                    spare, self._spare = self._spare, spare
                if spare is not None:
                    spare.close()

    def fork_on_signal(self) -> None:
        """Let the main thread fork the zygote when it is first needed: quicker than a program of
        its own, and on the main thread's large stack. Call it from the main thread."""
        zygote.load_snippets()
        signal.signal(_FORK_SIGNAL, self._on_signal)

    def _on_signal(self, _number: int, _frame: object) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is None:
            return
        theirs, is_runner = wanted
        try:
            pid = os.fork()
        except OSError:
            return
        if pid == 0:
            try:
                zygote.main(zygote.isolate(theirs.detach()), self.preimports, is_runner)
            finally:
                os._exit(0)
        self._forked.set()

    def _fork_in_main_thread(self, theirs: socket.socket, is_runner: bool) -> bool:
        if signal.getsignal(_FORK_SIGNAL) != self._on_signal:
            return False
        self._forked.clear()
        self._wanted = theirs, is_runner
        signal.pthread_kill(threading.main_thread().ident or 0, _FORK_SIGNAL)
        is_forked = self._forked.wait(_FORK_SECONDS)
        self._wanted = None
        return is_forked

    def child(self, kind: bytes) -> Pipes:
        """Fork a kernel or a snippet; its first line on the channel says if it started."""
        pipes, ends = open_pipes(has_stdin=kind == zygote.SNIPPET)
        descriptors = [ends.channel.fileno(), *ends[1:]]
        try:
            with self._lock:
                try:
                    socket.send_fds(self._control(kind), [kind], descriptors)
                except OSError:
                    self._forget()
                    socket.send_fds(self._control(kind), [kind], descriptors)
        except OSError:
            pipes.close()
            raise
        finally:
            ends.close()
        return pipes

    def _control(self, kind: bytes) -> socket.socket:
        """Return the zygote of this kind, after starting it if there is none."""
        kind = zygote.SNIPPET if kind == zygote.SNIPPET else zygote.KERNEL
        control = self._controls.get(kind)
        if control is None:
            control = self._start_runner() if kind == zygote.SNIPPET else self._launch(False)
            self._controls[kind] = control
        return control

    def _start_runner(self) -> socket.socket:
        """Fork it from the zygote, whose modules it shares; where that has none, from us."""
        if not self.preimports:
            return self._launch(True)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        socket.send_fds(self._control(zygote.KERNEL), [zygote.RUNNER], [theirs.fileno()])
        theirs.close()
        return ours

    def _launch(self, is_runner: bool) -> socket.socket:
        """Start a zygote, as a program of its own if it cannot be forked."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if self._fork_in_main_thread(theirs, is_runner):
            theirs.close()
            return ours
        package = __package__ or ""
        root = os.path.abspath(__file__)
        for _ in range(package.count(".") + 2):
            root = os.path.dirname(root)
        boot = _BOOT.format(
            root=root,
            package=package,
            control=_CONTROL,
            preimports=self.preimports,
            is_runner=is_runner,
        )
        argv = [sys.executable, "-I", "-S", "-c", boot]
        actions = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), _CONTROL)]

        def launch() -> int:
            return os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions)

        with theirs:
            reaper.start(launch, _no_one)
        return ours

    def _forget(self) -> None:
        for control in self._controls.values():
            control.close()
        self._controls.clear()


def _has_ended(pipes: Pipes) -> bool:
    """Whether a process that should wait was killed."""
    try:
        said = pipes.channel.recv(4096, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return not said or b"exited" in said or b"refused" in said


def _no_one(_status: int) -> None:
    """Nobody waits for the zygote: the next one to need it notices."""
