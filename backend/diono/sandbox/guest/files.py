"""GET and POST /files: contents, streamed, and written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import zlib
from collections.abc import Iterator

from .entries import CREATING, REPLACING, TEMPORARY_PREFIX, readable, set_metadata
from .filesystem import make_parents
from .http import Disconnected, Request, Response
from .multipart import Reader
from .tenant import Tenant, http_user
from .wire import HttpError, Json, http_error_of

READ_SIZE = 1 << 18
_GZIP = 31
_METADATA_KEY = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,200}")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack in bounded steps, so that a bomb fills the tenant's disk and not our memory."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                piece = unpacker.decompress(rest, READ_SIZE)
                if piece:
                    yield piece
                rest = unpacker.unconsumed_tail
                if unpacker.eof:
                    rest = unpacker.unused_data
                    unpacker = zlib.decompressobj(_GZIP)
    except zlib.error as error:
        raise HttpError(400, f"the body is not valid gzip: {error}") from error


def _metadata(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        if name.startswith("x-metadata-"):
            key = name[len("x-metadata-") :]
            if not _METADATA_KEY.fullmatch(key) or not (value.isascii() and value.isprintable()):
                raise HttpError(400, f"invalid metadata {key[:100]!r}")
            found[key] = value
    return found


def _is_about_us(descriptor: int) -> bool:
    """Whether it is a file of our own in /proc, which the kernel shows to us and not to tenants."""
    return os.readlink(f"/proc/self/fd/{descriptor}").startswith(f"/proc/{os.getpid()}/")


class FileService:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def download(self, request: Request, response: Response) -> None:
        http_user(self._tenant, request)
        path = self._tenant.path(request.query.get("path", ""))
        descriptor, size = self._open(path)
        with os.fdopen(descriptor, "rb", 0) as content:
            name = readable(os.path.basename(path)).encode("ascii", "replace").decode()
            name = name.replace('"', "_").replace("\\", "_")
            headers = {
                "Content-Disposition": f'inline; filename="{name}"',
                "Vary": "Accept-Encoding",
                "Accept-Ranges": "bytes",
                "X-Content-Type-Options": "nosniff",
            }
            if request.headers.get("accept-encoding", "").strip().lower() == "gzip":
                self._send_packed(response, content.fileno(), headers)
                return
            span = _span(request.headers.get("range", ""), size)
            if span is None and size == 0:
                self._send_unsized(response, content.fileno(), headers)
                return
            first, last = span or (0, size - 1)
            if span is not None:
                headers["Content-Range"] = f"bytes {first}-{last}/{size}"
            headers["Content-Type"] = "application/octet-stream"
            headers["Content-Length"] = str(last - first + 1)
            head = response.head(200 if span is None else 206, headers)
            if request.method == "HEAD":
                response.send_raw(head)
                return
            _send_sized(response, content.fileno(), head, (first, last))

    @staticmethod
    def _open(path: str) -> tuple[int, int]:
        """Open a regular file. Nothing else is opened at all: a FIFO would block for ever."""
        try:
            mode = os.stat(path).st_mode
            if stat.S_ISDIR(mode):
                raise HttpError(400, f"path '{readable(path)}' is a directory")
            if not stat.S_ISREG(mode):
                raise HttpError(400, f"path '{readable(path)}' is not a regular file")
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                raise HttpError(404, f"path '{readable(path)}' does not exist") from error
            raise http_error_of(error, f"error opening '{readable(path)}'") from error
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or _is_about_us(descriptor):
            os.close(descriptor)
            raise HttpError(400, f"path '{readable(path)}' is not a regular file")
        return descriptor, about.st_size

    @staticmethod
    def _send_unsized(response: Response, descriptor: int, headers: dict[str, str]) -> None:
        """Files of /proc say that they are empty and are not."""
        first = os.read(descriptor, READ_SIZE)
        if not first:
            response.send(200, b"", "application/octet-stream", headers)
            return
        response.start(200, "application/octet-stream", headers)
        while first:
            response.write(first)
            first = os.read(descriptor, READ_SIZE)
        response.end()

    @staticmethod
    def _send_packed(response: Response, descriptor: int, headers: dict[str, str]) -> None:
        headers = {**headers, "Content-Encoding": "gzip"}
        response.start(200, "application/octet-stream", headers)
        packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
        while True:
            chunk = os.read(descriptor, READ_SIZE)
            if not chunk:
                break
            response.write(packer.compress(chunk))
        response.write(packer.flush())
        response.end()

    def upload(self, request: Request, response: Response) -> None:
        http_user(self._tenant, request)
        path = request.query.get("path", "")
        metadata = _metadata(request)
        is_synced = request.headers.get("diono-sync") == "1"
        body = request.chunks()
        coding = request.headers.get("content-encoding", "identity").lower()
        if coding not in ("gzip", "identity", ""):
            raise HttpError(415, f"content encoding {coding[:50]} is not supported")
        if coding == "gzip":
            body = _gunzip(body)
        written: list[Json] = []
        content_type = request.headers.get("content-type", "")
        if not content_type.lower().startswith("multipart/form-data"):
            if not path:
                raise HttpError(400, "path is required for a plain upload")
            written.append(self._write(path, body, metadata, request.length, is_synced))
        else:
            seen: set[str] = set()
            for part in Reader(content_type, body).parts():
                if part.name != "file":
                    continue
                target = self._tenant.path(path or part.file_name)
                if target in seen:
                    raise HttpError(
                        400,
                        f"you cannot upload multiple files to the same path '{readable(target)}' "
                        "in one upload request, only the first specified file was uploaded",
                    )
                seen.add(target)
                length = request.length
                written.append(self._write(target, part.chunks, metadata, length, is_synced))
        response.json(200, written)

    def _target(self, text: str) -> str:
        """Return where to write: what a link leads to, and only plain files are replaced."""
        path = self._tenant.path(text)
        if text.endswith("/") or not text:
            raise HttpError(400, f"path is a directory: {readable(path)}")
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            return os.path.realpath(path) if os.path.islink(path) else path
        except OSError as error:
            raise http_error_of(error, f"error opening '{readable(path)}'") from error
        if stat.S_ISDIR(mode):
            raise HttpError(400, f"path is a directory: {readable(path)}")
        if not stat.S_ISREG(mode):
            raise HttpError(400, f"path '{readable(path)}' is not a regular file")
        return os.path.realpath(path)

    def _write(
        self,
        text: str,
        chunks: Iterator[bytes],
        metadata: dict[str, str],
        length: int | None,
        is_synced: bool,
    ) -> Json:
        target = self._target(text)
        folder = os.path.dirname(target)
        make_parents(folder)
        _check_room(folder, length)
        try:
            mode: int | None = stat.S_IMODE(os.stat(target).st_mode)
        except OSError:
            mode = None
        kind = CREATING if mode is None else REPLACING
        temporary = os.path.join(folder, f"{TEMPORARY_PREFIX}{kind}-{os.urandom(8).hex()}")
        try:
            kept = _fill(temporary, chunks, metadata, is_synced)
            os.chmod(temporary, 0o644 if mode is None else mode)
            os.rename(temporary, target)
        except OSError as error:
            raise http_error_of(error, f"error writing '{readable(target)}'") from error
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        path = self._tenant.path(text)
        entry: Json = {
            "name": readable(os.path.basename(path)),
            "type": "file",
            "path": readable(path),
        }
        if kept:
            entry["metadata"] = kept
        return entry


def _check_room(folder: str, length: int | None) -> None:
    if not length:
        return
    with contextlib.suppress(OSError):
        disk = os.statvfs(folder)
        free = disk.f_bavail * disk.f_frsize
        if length > free:
            message = f"not enough disk space available: {length} bytes required, {free} bytes free"
            raise HttpError(507, message)


def _fill(
    path: str, chunks: Iterator[bytes], metadata: dict[str, str], is_synced: bool
) -> dict[str, str]:
    """Write a new file; return the metadata that the disk has kept."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[os.write(descriptor, view) :]
        kept = set_metadata(descriptor, metadata)
        if is_synced:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return kept


def _span(header: str, size: int) -> tuple[int, int] | None:
    """Return the first and last byte of a range that can be served; None: send all."""
    match = _RANGE.fullmatch(header)
    if match is None or size == 0 or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    first = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    return (first, last) if first <= last else None


def _send_sized(response: Response, descriptor: int, head: bytes, span: tuple[int, int]) -> None:
    first, last = span
    left = last - first + 1
    os.lseek(descriptor, first, os.SEEK_SET)
    while left:
        chunk = os.read(descriptor, min(READ_SIZE, left))
        if not chunk:
            raise Disconnected
        left -= len(chunk)
        response.send_raw(head + chunk)
        head = b""
    if head:
        response.send_raw(head)
