"""The few system calls that Python does not offer."""

from __future__ import annotations

import ctypes
import os

_SET_NAME = 15
_SET_DUMPABLE = 4
_SET_CHILD_SUBREAPER = 36
_ARENA_MAX = -8
_libc = ctypes.CDLL(None, use_errno=True)


def hide_memory(is_hidden: bool) -> None:
    """Keep other processes of the same user out of our memory and descriptors."""
    _libc.prctl(_SET_DUMPABLE, 0 if is_hidden else 1, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every orphan below, so that no daemon leaves the tree."""
    _libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_name(name: str) -> None:
    _libc.prctl(_SET_NAME, name.encode()[:15], 0, 0, 0)


def save_memory() -> None:
    """One heap for all threads: ours are many and allocate little."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(_ARENA_MAX, 1)


def trim_memory() -> None:
    """Give back to the kernel what a large request has left behind."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)


def inotify_open() -> int:
    """Return a new non-blocking inotify descriptor; OSError."""
    descriptor = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(descriptor)


def inotify_add(descriptor: int, path: bytes, mask: int) -> int:
    """Watch ``path``; return the watch's number; OSError."""
    watch = _libc.inotify_add_watch(descriptor, path, ctypes.c_uint32(mask))
    if watch < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(watch)
