"""``filesystem.Filesystem`` as envd speaks it: stat, make, move, list and remove."""

from __future__ import annotations

import contextlib
import os
import stat

from .entries import TEMPORARY_PREFIX, entry_of
from .http import Request, Response
from .messages import texts_of
from .process import Process, Wanted
from .server import Handler
from .tenant import Tenant, user_of
from .wire import Json, RpcError, decode, number_of, object_of, rpc_error_of, text_of

ENTRIES_LIMIT = 50_000
_DEPTH_LIMIT = 4096


class FilesystemService:
    """The methods; each takes a request and answers it."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def handlers(self) -> dict[str, Handler]:
        return {
            "Stat": self.stat,
            "MakeDir": self.make_directory,
            "Move": self.move,
            "ListDir": self.list,
            "Remove": self.remove,
        }

    def message(self, request: Request) -> Json:
        self._tenant.check_user(user_of(request))
        return decode(request.body())

    def path(self, message: Json, name: str = "path") -> str:
        return self._tenant.path(text_of(message.get(name), name))

    def entry(self, path: str) -> Json:
        try:
            return entry_of(self._tenant, path)
        except FileNotFoundError as error:
            raise RpcError("not_found", f"file not found: {path}") from error
        except NotADirectoryError as error:
            raise RpcError("not_found", f"file not found: {path}") from error
        except OSError as error:
            raise rpc_error_of(error, f"error statting '{path}'") from error

    def stat(self, request: Request, response: Response) -> None:
        response.json(200, {"entry": self.entry(self.path(self.message(request)))})

    def make_directory(self, request: Request, response: Response) -> None:
        path = self.path(self.message(request))
        try:
            mode = os.stat(path).st_mode
        except OSError:
            mode = 0
        if stat.S_ISDIR(mode):
            raise RpcError("already_exists", f"directory already exists: {path}")
        if mode:
            raise RpcError(
                "invalid_argument", f"path already exists but it is not a directory: {path}"
            )
        make_parents(path)
        response.json(200, {"entry": self.entry(path)})

    def move(self, request: Request, response: Response) -> None:
        message = self.message(request)
        if not message.get("source") or not message.get("destination"):
            raise RpcError("invalid_argument", "source and destination are required")
        source, destination = self.path(message, "source"), self.path(message, "destination")
        if not os.path.lexists(source):
            raise RpcError("not_found", f"source file not found: {source}")
        make_parents(os.path.dirname(destination))
        try:
            os.rename(source, destination)
        except OSError as error:
            raise rpc_error_of(error, f"error moving '{source}' to '{destination}'") from error
        response.json(200, {"entry": self.entry(destination)})

    def list(self, request: Request, response: Response) -> None:
        message = self.message(request)
        path = self.path(message)
        depth = max(1, number_of(message.get("depth"), "depth", 1, 2**32 - 1))
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            raise rpc_error_of(error, f"directory not found: {path}") from error
        if not stat.S_ISDIR(mode):
            raise RpcError("invalid_argument", f"path is not a directory: {path}")
        extension = object_of(message.get("diono"), "diono")
        skipped = {self._tenant.path(text) for text in texts_of(extension.get("skip"), "skip")}
        entries = self._below(path, min(depth, _DEPTH_LIMIT), skipped)
        response.json(200, {"entries": entries})

    def _below(self, root: str, depth: int, skipped: set[str]) -> list[Json]:
        """Return entries, parents before children, without entering links or ``skipped``."""
        entries: list[Json] = []
        pending: list[tuple[str, int]] = [(root, depth)]
        while pending and len(entries) < ENTRIES_LIMIT:
            folder, left = pending.pop()
            try:
                names = sorted(os.listdir(folder))
            except OSError as error:
                if folder == root:
                    raise rpc_error_of(error, f"error listing '{root}'") from error
                continue
            below: list[tuple[str, int]] = []
            for name in names[: ENTRIES_LIMIT - len(entries)]:
                path = os.path.join(folder, name)
                if path in skipped or name.startswith(TEMPORARY_PREFIX):
                    continue
                with contextlib.suppress(OSError):
                    entry = entry_of(self._tenant, path)
                    entries.append(entry)
                    is_link = "isSymlink" in entry
                    if left > 1 and entry["type"] == "FILE_TYPE_DIRECTORY" and not is_link:
                        below.append((path, left - 1))
            pending += reversed(below)
        return entries

    def remove(self, request: Request, response: Response) -> None:
        path = self.path(self.message(request))
        if path == "/" or path == self._tenant.home:
            raise RpcError("invalid_argument", f"'{path}' cannot be removed")
        try:
            if stat.S_ISDIR(os.lstat(path).st_mode):
                self._remove_folder(path)
            else:
                os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise rpc_error_of(error, f"error removing '{path}'") from error
        response.json(200, {})

    def _remove_folder(self, path: str) -> None:
        """``rm`` walks by descriptor and, unlike shutil, at any depth of nesting."""
        wanted = Wanted(
            argv=["/bin/rm", "-rf", "--", path], cwd="/", env={}, config={}, has_stdin=False
        )
        said = run_quietly(wanted)
        if os.path.lexists(path):
            raise RpcError("permission_denied", f"error removing '{path}': {said[:300]}")


def run_quietly(wanted: Wanted) -> str:
    """Run a program of the image to its end; return what it says on its error stream."""
    process = Process(wanted)
    said = b""
    try:
        for descriptor in sorted(process.outputs):
            while True:
                piece = os.read(descriptor, 1 << 16)
                if not piece:
                    break
                said = (said + piece)[:4096]
        os.read(process.exit_read, 1)
    finally:
        process.close()
    return said.decode("utf-8", "replace")


def make_parents(path: str) -> None:
    """Make a folder and those above it; RpcError if something else is in the way."""
    missing: list[str] = []
    current = path
    while not os.path.isdir(current):
        missing.append(current)
        current = os.path.dirname(current)
    for folder in reversed(missing):
        try:
            os.mkdir(folder)
        except FileExistsError as error:
            if not os.path.isdir(folder):
                message = f"path is not a directory: {folder}"
                raise RpcError("invalid_argument", message) from error
        except OSError as error:
            raise rpc_error_of(error, f"error creating '{path}'") from error
