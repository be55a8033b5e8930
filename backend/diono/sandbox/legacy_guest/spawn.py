"""Starts the tenant's programs: own session, first in line for the kernel's memory killer."""

from __future__ import annotations

import os
import signal
from typing import Any, NoReturn

from . import files, process

BASE_ENVIRONMENT = {
    "PATH": "/work/.packages/bin:/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own tmpfs
    "USER": "sandbox",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "dumb",
    "PYTHONPATH": "/work/.packages",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
_READ_SIZE = 1 << 16


def _become(
    argv: list[str], environment: dict[str, str], cwd: int, streams: tuple[int, int, int]
) -> NoReturn:
    """Turn this forked child into the program; exits with 126 or 127 when that fails."""
    try:
        os.setsid()
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        process.hide_memory(False)
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
            score.write("1000")
        os.fchdir(cwd)
        os.umask(0o022)
        for target, source in enumerate(streams):
            os.dup2(source, target)
        os.closerange(3, 1024)
        os.execvpe(argv[0], argv, environment)  # noqa: S606 - this is the sandbox
    except OSError as error:
        os.write(2, f"diono: cannot run {argv[0]}: {error.strerror}\n".encode("utf-8", "replace"))
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)
    except ValueError:
        os.write(2, b"diono: an argument holds a NUL character\n")
        os._exit(126)


def spawn(header: dict[str, Any], streams: tuple[int, int, int]) -> int:
    """Start ``argv`` in ``cwd`` with ``env`` over the base environment; return its process id."""
    argv = [str(part) for part in header["argv"]]
    environment = dict(BASE_ENVIRONMENT)
    environment.update({str(key): str(value) for key, value in header.get("env", {}).items()})
    cwd = files.open_directory(str(header.get("cwd", ".")))
    try:
        pid = os.fork()
        if pid == 0:
            _become(argv, environment, cwd, streams)
        return pid
    finally:
        os.close(cwd)


class HeadAndTail:
    """Keeps the first and the last half of ``limit`` bytes and counts what fell out between."""

    def __init__(self, limit: int) -> None:
        self._head_limit = limit // 2
        self._tail_limit = limit - self._head_limit
        self._head = bytearray()
        self._tail = bytearray()
        self._tail_seen = 0

    def feed(self, chunk: bytes) -> None:
        room = self._head_limit - len(self._head)
        if room > 0:
            self._head += chunk[:room]
            chunk = chunk[room:]
        if chunk:
            self._tail_seen += len(chunk)
            self._tail += chunk[-self._tail_limit :] if self._tail_limit else b""
            if len(self._tail) > 2 * self._tail_limit + _READ_SIZE:
                del self._tail[: len(self._tail) - self._tail_limit]

    @property
    def dropped(self) -> int:
        return max(0, self._tail_seen - self._tail_limit)

    def value(self) -> bytes:
        tail = bytes(self._tail[-self._tail_limit :]) if self._tail_limit else b""
        if not self.dropped:
            return bytes(self._head) + tail
        return bytes(self._head) + b"\n[... %d bytes cut ...]\n" % self.dropped + tail


def drain(descriptor: int, sink: HeadAndTail) -> bool:
    """Move what is readable into ``sink``; return False at the end of the stream."""
    try:
        chunk = os.read(descriptor, _READ_SIZE)
    except BlockingIOError:
        return True
    sink.feed(chunk)
    return bool(chunk)
