"""Unix sockets in folders whose path may be longer than the kernel's 107 bytes."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_PATH_LIMIT_BYTES = 100


@contextmanager
def short_path(socket: Path) -> Generator[str]:
    """Yield a name that the kernel takes, good inside this process while the context lasts."""
    if len(os.fsencode(socket)) <= _PATH_LIMIT_BYTES:
        yield str(socket)
        return
    folder = os.open(socket.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{socket.name}"
    finally:
        os.close(folder)
