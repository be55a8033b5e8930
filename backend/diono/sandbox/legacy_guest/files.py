"""Files of the workspace, reached by descriptor: no component of a path is ever a link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Any

from .wire import GuestError, Header

ROOT = "/work"
HIDDEN = frozenset({".git", ".packages"})
ENTRIES_LIMIT = 20_000

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _parts(path: str) -> list[str]:
    if path.startswith("/") or "\0" in path:
        raise GuestError("path_refused", "a path must be relative to the workspace")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise GuestError("path_refused", "a path must not climb with ..")
    return parts


def _descend(parts: list[str], is_creating: bool = False) -> int:
    current = os.open(ROOT, _DIRECTORY)
    for part in parts:
        try:
            if is_creating:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=current)
            following = os.open(part, _DIRECTORY, dir_fd=current)
        finally:
            os.close(current)
        current = following
    return current


def open_directory(path: str) -> int:
    return _descend(_parts(path))


def _parent_of(path: str, is_creating: bool = False) -> tuple[int, str]:
    parts = _parts(path)
    if not parts:
        raise GuestError("path_refused", "a path must name something inside the workspace")
    return _descend(parts[:-1], is_creating), parts[-1]


def read(header: Header) -> bytes:
    """Return the content of a regular file of at most ``limit`` bytes."""
    limit = int(header["limit"])
    parent, name = _parent_of(str(header["path"]))
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=parent)
    finally:
        os.close(parent)
    with os.fdopen(descriptor, "rb") as content:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise GuestError("path_refused", "not a regular file")
        if about.st_size > limit:
            raise GuestError("file_too_large", f"{about.st_size} bytes, {limit} allowed")
        data = content.read(limit + 1)
    if len(data) > limit:
        raise GuestError("file_too_large", f"more than {limit} bytes")
    return data


def write(path: str, content: bytes, mode: int) -> None:
    """Replace a file whole: a reader sees the old content or the new, and a crash too."""
    parent, name = _parent_of(path, is_creating=True)
    temporary = f".diono-{os.getpid()}-{os.urandom(6).hex()}"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=parent)
        try:
            with os.fdopen(descriptor, "wb") as sink:
                sink.write(content)
                sink.flush()
                os.fchmod(descriptor, mode & 0o777)
                os.fsync(descriptor)
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except OSError:
            os.unlink(temporary, dir_fd=parent)
            raise
    finally:
        os.close(parent)


def write_all(header: Header, body: bytes) -> None:
    """Write each of ``files`` (path, size, mode); their contents follow one another in body."""
    entries: list[dict[str, Any]] = header["files"]
    if sum(int(entry["size"]) for entry in entries) != len(body):
        raise GuestError("path_refused", "sizes and content do not agree")
    offset = 0
    for entry in entries:
        size = int(entry["size"])
        write(str(entry["path"]), body[offset : offset + size], int(entry["mode"]))
        offset += size


def _names(directory: int) -> list[str]:
    names = [name for name in os.listdir(directory) if name.isprintable()]
    return sorted(name for name in names if not name.startswith(".diono-"))


def list_below(header: Header) -> list[list[Any]]:
    """Return [path, is_dir, size, mode] of plain files and folders, parents before children."""
    base = _parts(str(header["path"]))
    pending = [(base, int(header["depth"]))]
    entries: list[list[Any]] = []
    is_first = True
    while pending and len(entries) < ENTRIES_LIMIT:
        parts, depth = pending.pop()
        try:
            directory = _descend(parts)
        except OSError:
            if is_first:
                raise
            continue
        is_first = False
        try:
            found, below = _entries_of(directory, parts)
        finally:
            os.close(directory)
        entries += found
        if depth > 1:
            pending += [(child, depth - 1) for child in reversed(below)]
    return entries[:ENTRIES_LIMIT]


def _entries_of(directory: int, parts: list[str]) -> tuple[list[list[Any]], list[list[str]]]:
    entries: list[list[Any]] = []
    below: list[list[str]] = []
    for name in _names(directory):
        if not parts and name in HIDDEN:
            continue
        try:
            about = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except OSError:
            continue
        is_folder = stat.S_ISDIR(about.st_mode)
        if not is_folder and not stat.S_ISREG(about.st_mode):
            continue
        path = [*parts, name]
        entries.append(["/".join(path), is_folder, about.st_size, about.st_mode & 0o7777])
        if is_folder:
            below.append(path)
    return entries, below


def remove(header: Header) -> None:
    """Remove a file, a link, or a folder with all below it."""
    parent, name = _parent_of(str(header["path"]))
    try:
        if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            _remove_folder(parent, name)
        else:
            os.unlink(name, dir_fd=parent)
    finally:
        os.close(parent)


def _remove_folder(parent: int, name: str) -> None:
    """``rm`` walks by descriptor and, unlike shutil, at any depth of nesting."""
    pid = os.fork()
    if pid == 0:
        try:
            os.fchdir(parent)
            os.execv("/bin/rm", ["rm", "-rf", "--", f"./{name}"])  # noqa: S606 - fixed program
        finally:
            os._exit(126)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise OSError(errno.EIO, "the folder could not be removed whole")
