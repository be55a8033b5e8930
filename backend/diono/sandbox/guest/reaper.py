"""The one thread that collects ended processes, as process 1 must; everything else asks it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import NoReturn

OnExit = Callable[[int], None]

_lock = threading.Lock()
_waiting: dict[int, OnExit] = {}
_started = threading.Event()


def start(launch: Callable[[], int], on_exit: OnExit) -> int:
    """Start a process with ``launch`` and have ``on_exit`` called with its wait status.

    The lock keeps a process that ends at once from being collected before it is known.
    ``on_exit`` runs in the reaper's thread and must not block.
    """
    with _lock:
        try:
            pid = launch()
            _waiting[pid] = on_exit
        finally:
            _started.set()
    return pid


def signal_process(pid: int, number: int, is_group: bool = False) -> bool:
    """Signal a process that was started here and has not been collected yet."""
    with _lock:
        if pid not in _waiting:
            return False
        try:
            if is_group:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            return False
    return True


def tracked() -> list[int]:
    """Return the processes that somebody waits for."""
    with _lock:
        return list(_waiting)


def _collect() -> None:
    """Wait for the next ended process. Its number stays taken until it is handed over."""
    ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    if ended is None:
        return
    with _lock:
        try:
            pid, status = os.waitpid(ended.si_pid, os.WNOHANG)
        except ChildProcessError:
            return
        on_exit = _waiting.pop(pid, None) if pid else None
    if on_exit is not None:
        on_exit(status)


def run() -> NoReturn:
    """Collect for ever. Where there is no child there is no process at all to wait for."""
    while True:
        _started.clear()
        try:
            _collect()
        except ChildProcessError:
            _started.wait()


def exit_code_of(status: int) -> int:
    """Return the shell's view of a wait status: 128 + N when signal N ended it."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
