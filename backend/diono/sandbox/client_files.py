"""Files over the wire. Paths are checked here and once more, with the tenant's rights, inside."""

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diono.sandbox.client_http import Call, Channel
from diono.sandbox.client_start import ROOT, absolute
from diono.sandbox.errors import FileTooLarge, PathRefused, SandboxGone
from diono.sandbox.extensions import SYNC_HEADER
from diono.sandbox.port import FileEntry

WRITE_LIMIT_BYTES = 64 * 1024 * 1024
READ_LIMIT_BYTES = 64 * 1024 * 1024
DEFAULT_MODE = 0o644
_PARALLEL_WRITES = 6
_DEPTH_LIMIT = 64
_ENTRIES_LIMIT = 20_000
_HIDDEN = (".git", ".packages")
_TEMPORARY = ".diono-"
_FOLDER = "FILE_TYPE_DIRECTORY"
_FILE = "FILE_TYPE_FILE"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    type: str = ""
    size: int = Field(default=0, ge=0)
    mode: int = Field(default=0, ge=0)
    symlinkTarget: str | None = None  # noqa: N815 - the wire's name


class _Listing(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    entries: list[_Entry] = []


def _is_shown(parts: Sequence[str]) -> bool:
    return (
        parts[0] not in _HIDDEN
        and not any(part.startswith(_TEMPORARY) for part in parts)
        and all(part.isprintable() for part in parts)
    )


def entries_of(raw: Any) -> list[FileEntry]:
    """Read a listing: plain files and folders of the workspace, parents before children."""
    try:
        listing = _Listing.model_validate(raw)
    except ValidationError as error:
        raise SandboxGone("the sandbox sent a listing that cannot be read") from error
    found: list[tuple[list[str], FileEntry]] = []
    for entry in listing.entries:
        if entry.type not in (_FOLDER, _FILE) or entry.symlinkTarget:
            continue
        if not entry.path.startswith(f"{ROOT}/"):
            continue
        relative = entry.path.removeprefix(f"{ROOT}/")
        parts = relative.split("/")
        if _is_shown(parts):
            is_dir = entry.type == _FOLDER
            mode = entry.mode & 0o7777
            found.append(
                (parts, FileEntry(path=relative, is_dir=is_dir, size=entry.size, mode=mode))
            )
    found.sort(key=lambda pair: pair[0])
    return [entry for _, entry in found[:_ENTRIES_LIMIT]]


def _named(path: str) -> str:
    target = absolute(path)
    if target == ROOT:
        raise PathRefused("a path must name something inside the workspace")
    return target


class Files:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def read(self, path: str, limit_bytes: int) -> bytes:
        call = Call("GET", "/files", {"path": _named(path)}, {"Accept-Encoding": "identity"})
        return await self._channel.request(call, min(limit_bytes, READ_LIMIT_BYTES))

    async def write(self, files: Mapping[str, bytes], mode: int = DEFAULT_MODE) -> Sequence[str]:
        """Write all, a few at a time; return the targets whose mode is still to be set (uploads
        of this wire carry none)."""
        targets = {_named(path): content for path, content in files.items()}
        if sum(len(content) for content in targets.values()) > WRITE_LIMIT_BYTES:
            raise FileTooLarge(f"at most {WRITE_LIMIT_BYTES} bytes may be written at once")
        places = asyncio.Semaphore(_PARALLEL_WRITES)

        async def write_one(target: str, content: bytes) -> None:
            async with places:
                await self._write_one(target, content)

        if len(targets) == 1:
            for target, content in targets.items():
                await self._write_one(target, content)
        else:
            writes = [write_one(target, content) for target, content in targets.items()]
            failures = await asyncio.gather(*writes, return_exceptions=True)
            for failure in failures:
                if isinstance(failure, BaseException):
                    raise failure
        return [] if mode == DEFAULT_MODE else list(targets)

    async def _write_one(self, target: str, content: bytes) -> None:
        headers = {"Content-Type": "application/octet-stream", SYNC_HEADER: "1"}
        await self._channel.request(Call("POST", "/files", {"path": target}, headers, content))

    async def list(self, path: str, depth: int) -> Sequence[FileEntry]:
        message = {
            "path": absolute(path),
            "depth": max(1, min(depth, _DEPTH_LIMIT)),
            "diono": {"skip": [f"{ROOT}/{name}" for name in _HIDDEN]},
        }
        return entries_of(await self._channel.json("/filesystem.Filesystem/ListDir", message))

    async def remove(self, path: str) -> None:
        target = {"path": _named(path)}
        await self._channel.json("/filesystem.Filesystem/Stat", target)
        await self._channel.json("/filesystem.Filesystem/Remove", target)


def mode_command(targets: Sequence[str], mode: int) -> str:
    """Return the shell line that sets a mode where uploads cannot carry one."""
    return f"chmod {mode & 0o777:o} -- {shlex.join(targets)}"
