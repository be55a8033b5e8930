"""What a directory entry looks like on the wire."""

from __future__ import annotations

import contextlib
import os
import stat
import time

from .tenant import Tenant
from .wire import Json

METADATA_PREFIX = "user.e2b."
TEMPORARY_PREFIX = ".diono-upload-"
REPLACING, CREATING = "r", "n"
_LETTERS = (
    (stat.S_ISDIR, "d"),
    (stat.S_ISLNK, "L"),
    (stat.S_ISCHR, "Dc"),
    (stat.S_ISBLK, "D"),
    (stat.S_ISFIFO, "p"),
    (stat.S_ISSOCK, "S"),
)
_BITS = ((stat.S_ISUID, "u"), (stat.S_ISGID, "g"), (stat.S_ISVTX, "t"))


def permissions(mode: int) -> str:
    """Return the mode as Go prints it: kind, set-id and sticky letters, nine permissions."""
    kind = next((letter for is_kind, letter in _LETTERS if is_kind(mode)), "")
    kind += "".join(letter for bit, letter in _BITS if mode & bit)
    nine = "".join(c if mode >> (8 - i) & 1 else "-" for i, c in enumerate("rwxrwxrwx"))
    return (kind or "-") + nine


def timestamp(nanoseconds: int) -> str:
    """Return a moment in the RFC 3339 form of proto3."""
    seconds, rest = divmod(nanoseconds, 10**9)
    year, month, day, hour, minute, second = time.gmtime(seconds)[:6]
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{rest:09}Z"


def readable(path: str) -> str:
    """Return a path as text that JSON and UTF-8 can carry, whatever bytes it holds."""
    return os.fsencode(path).decode("utf-8", "replace")


def metadata_of(path: str) -> dict[str, str]:
    """Return the user's metadata of a file; nothing where the disk keeps none."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for name in os.listxattr(path, follow_symlinks=False):
            if name.startswith(METADATA_PREFIX):
                value = os.getxattr(path, name, follow_symlinks=False)
                found[name[len(METADATA_PREFIX) :]] = value.decode("utf-8", "replace")
    return found


def set_metadata(descriptor: int, metadata: dict[str, str]) -> dict[str, str]:
    """Store metadata on an open file; return what the disk has kept: nothing if it cannot."""
    kept: dict[str, str] = {}
    for key, value in metadata.items():
        with contextlib.suppress(OSError):
            os.setxattr(descriptor, METADATA_PREFIX + key, value.encode())
            kept[key] = value
    return kept


def kind_of(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "FILE_TYPE_DIRECTORY"
    return "FILE_TYPE_FILE" if stat.S_ISREG(mode) else "FILE_TYPE_UNSPECIFIED"


def entry_of(tenant: Tenant, path: str, shown_path: str = "") -> Json:
    """Describe what lies at ``path``. OSError if there is nothing."""
    about = os.lstat(path)
    shown = about
    entry: Json = {
        "name": readable(os.path.basename(path) or "/"),
        "path": readable(shown_path or path),
        "size": str(about.st_size),
        "permissions": permissions(about.st_mode),
        "owner": tenant.owner_name(about.st_uid),
        "group": tenant.group_name(about.st_gid),
        "modifiedTime": timestamp(about.st_mtime_ns),
    }
    kind = kind_of(about.st_mode)
    if stat.S_ISLNK(about.st_mode):
        entry["isSymlink"] = True
        try:
            shown = os.stat(path)
            entry["symlinkTarget"] = readable(os.path.realpath(path))
            kind = kind_of(shown.st_mode)
        except OSError:
            entry["symlinkTarget"] = readable(os.readlink(path))
    else:
        metadata = metadata_of(path)
        if metadata:
            entry["metadata"] = metadata
    entry["type"] = kind
    entry["mode"] = shown.st_mode & 0o777
    return entry
