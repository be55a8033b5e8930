"""What a child of the zygote needs to look like a Python that was just started."""

from __future__ import annotations

import contextlib
import io
import os
import site
import sys
import types
from typing import Any, TextIO


def take_place(env: dict[str, str], cwd: str) -> None:
    """Set the environment, the folder and the import path; forget the guest's own modules."""
    for name in [name for name in os.environ if name not in env]:
        del os.environ[name]
    for name, value in env.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    with contextlib.suppress(OSError):
        os.chdir(cwd)
    sys.path[:0] = ["", *[part for part in os.environ.get("PYTHONPATH", "").split(":") if part]]
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    base = os.environ.get("PYTHONUSERBASE") or os.path.expanduser("~/.local")
    packages = os.path.join(base, "lib", version, "site-packages")
    if os.path.isdir(packages):
        site.addsitedir(packages)


def open_streams() -> None:
    """Give the process its own standard streams; output leaves with each line."""
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(
        io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8", errors="surrogateescape"
    )
    out, err = _open_output(1), _open_output(2)
    sys.stdout = sys.__stdout__ = out
    sys.stderr = sys.__stderr__ = err


def _open_output(descriptor: int) -> TextIO:
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw, 1 << 16),
        encoding="utf-8",
        errors="backslashreplace",
        newline="\n",
        line_buffering=True,
    )


def new_main() -> dict[str, Any]:
    """Return the namespace of a fresh ``__main__``."""
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = sys.modules["builtins"]
    sys.modules["__main__"] = module
    return module.__dict__


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def can_fork() -> bool:
    """Whether another process is possible; not while a fork bomb has taken them all."""
    try:
        pid = os.fork()
    except OSError:
        return False
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True
