# pyright: basic, reportMissingImports=false
"""Archives: what they hold, checked before it is unfolded; small members are read, one level deep.

Nothing is unpacked under a name of the archive's: a member that is read lies in a file that we
name, and is removed afterwards.
"""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from diono.parsing.guest import limits, packages, readers
from diono.parsing.guest.refusals import Refused, damaged
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import BLOCK_BYTES, Source

_PART_BYTES = 64 * limits.MEGABYTE
_SINGLE_BYTES = 400 * limits.MEGABYTE
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile,
           ValueError, RuntimeError, NotImplementedError)  # fmt: skip
_ARCHIVE_MARKS = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf")
_TROUBLES = (LookupError, ArithmeticError, TypeError, AttributeError, SyntaxError)


def read_zip(source: Source, sink: Sink) -> None:
    with packages.opened(source) as archive:
        entries = archive.infolist()
        sink.facts({"files": len(entries), "unpacked_bytes": sum(e.file_size for e in entries)})
        for entry in entries:
            sink.member(entry.filename, entry.file_size, note=_zip_note(entry))
        _list_members(sink)
        plain = [entry for entry in entries if _is_plain(entry)]
        _check_nesting(archive, 1)
        members = _Members(sink)
        for entry in plain:
            if members.wants(entry.file_size):
                with archive.open(entry) as file:
                    members.read(entry.filename, file)


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    mode = entry.external_attr >> 16
    is_special = mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)
    return not (entry.is_dir() or entry.flag_bits & 1 or is_special)


def _zip_note(entry: zipfile.ZipInfo) -> str:
    notes = [_name_note(entry.filename)]
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        notes.append("a link; not followed")
    if entry.flag_bits & 1:
        notes.append("protected by a password")
    return "; ".join(note for note in notes if note)


def _name_note(name: str) -> str:
    parts = name.replace("\\", "/").split("/")
    is_outside = name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":"
    return "its name points outside the archive; not unpacked" if is_outside else ""


def _list_members(sink: Sink) -> None:
    """Make names findable."""
    lines = [f"{member['path']} ({member['size']} bytes)" for member in sink.members]
    if not sink.named(""):
        sink.section("files", "\n".join(lines), "Files")


def _check_nesting(archive: zipfile.ZipFile, level: int) -> None:
    """Refuse archives in archives in archives; a bomb hides there."""
    for entry in archive.infolist():
        if not _is_plain(entry) or entry.file_size > limits.NESTED_BYTES:
            continue
        if not packages.beginning(archive, entry, 8).startswith(b"PK\x03\x04"):
            continue
        if level >= limits.NESTED_LEVELS:
            raise Refused(
                "archive_bomb", f"archives are packed in archives more than {level} levels deep"
            )
        data = packages.content(archive, entry, limits.NESTED_BYTES)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as inner:
                packages.check(inner.infolist(), len(data))
                _check_nesting(inner, level + 1)
        except zipfile.BadZipFile:
            continue


def read_tar(source: Source, sink: Sink) -> None:
    with source.open() as file:
        _read_tar(file, sink)


def _read_tar(file: Any, sink: Sink) -> None:
    members = _Members(sink)
    total = 0
    try:
        with tarfile.open(fileobj=file, mode="r|") as archive:
            for number, entry in enumerate(archive):
                if number >= limits.ENTRIES:
                    raise Refused("archive_bomb", f"it holds more than {limits.ENTRIES:,} files")
                total += entry.size
                note = _name_note(entry.name)
                if not (entry.isfile() or entry.isdir()):
                    note = "; ".join(
                        each for each in (note, "a link or device; left alone") if each
                    )
                sink.member(entry.name, entry.size, note=note)
                content = archive.extractfile(entry) if entry.isreg() else None
                if content is not None and members.wants(entry.size):
                    members.read(entry.name, content)
    except _BROKEN as error:
        if not sink.members:
            raise damaged(f"the archive cannot be read ({error})"[:300]) from error
        sink.warn("the archive is cut off or damaged; what stands before is listed")
    sink.facts({"files": len(sink.members), "unpacked_bytes": total})
    _list_members(sink)


def read_packed(source: Source, sink: Sink) -> None:
    """One packed file: an archive, or a document that is read as itself."""
    with source.open() as raw, _unpacking(raw, source.head(6)) as file:
        counted = _Counted(file, source.size)
        try:
            head = counted.peek(512)
            if head[257:262] == b"ustar":
                sink.media_type = "application/x-tar"
                _read_tar(counted, sink)
                return
            name = Path(source.name).name
            stem = name.rsplit(".", 1)[0] if "." in name else name
            parts = list(_spill(counted, sink.folder))
        except _BROKEN as error:
            raise damaged(f"the packed file cannot be unfolded ({error})"[:300]) from error
    inner = Source(parts, stem)
    sink.member(stem, inner.size)
    sink.fact("unpacked_bytes", inner.size)
    if inner.head(6).startswith(_ARCHIVE_MARKS):
        sink.warn("another archive is packed in it; it was not opened")
    else:
        readers.read(inner, sink)
    for part in parts:
        part.unlink()


def _unpacking(raw: IO[bytes], head: bytes) -> Any:
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw)
    return bz2.BZ2File(raw) if head.startswith(b"BZh") else lzma.LZMAFile(raw)


class _Counted(io.RawIOBase):
    """Reads forward only, and stops a bomb by what has come, not by what was promised."""

    def __init__(self, file: IO[bytes], packed: int) -> None:
        self._file = file
        self._packed = packed
        self._waiting = b""
        self._count = 0

    def readable(self) -> bool:
        return True

    def peek(self, count: int) -> bytes:
        self._waiting = self._file.read(count)
        return self._waiting

    def read(self, size: int = -1) -> bytes:
        if self._waiting:
            given, self._waiting = self._waiting[:size], self._waiting[size:]
            return given
        data = self._file.read(min(size, BLOCK_BYTES) if size > 0 else BLOCK_BYTES)
        self._count += len(data)
        is_dense = self._count > limits.BOMB_BYTES
        if self._count > limits.UNPACKED_BYTES or (
            is_dense and self._count > self._packed * limits.BOMB_RATIO
        ):
            raise Refused(
                "archive_bomb",
                f"it unfolds to more than {limits.BOMB_RATIO} times its size: stopped",
            )
        return data


def _spill(file: _Counted, folder: Path) -> Iterator[Path]:
    total = 0
    sink: IO[bytes] | None = None
    number = room = 0
    while data := file.read(BLOCK_BYTES):
        total += len(data)
        if total > _SINGLE_BYTES:
            raise Refused("document_too_large", f"it unfolds to more than {_SINGLE_BYTES:,} bytes")
        if sink is None or room <= 0:
            if sink is not None:
                sink.close()
            path = folder / f"unfolded-{number}"
            sink, room, number = path.open("wb"), _PART_BYTES, number + 1
            yield path
        sink.write(data)
        room -= len(data)
    if sink is None:
        raise Refused("document_empty", "the packed file is empty")
    sink.close()


class _Members:
    """Reads the first small members, each as a document whose names begin with its path."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._count = 0
        self._is_inside = bool(sink.named(""))

    def wants(self, size: int) -> bool:
        return (
            not self._is_inside
            and 0 < size <= limits.READ_MEMBER_BYTES
            and self._count < limits.READ_MEMBERS
            and not self._sink.is_full
        )

    def read(self, name: str, file: IO[bytes]) -> None:
        path = self._sink.folder / "member"
        data = file.read(limits.READ_MEMBER_BYTES + 1)
        if len(data) > limits.READ_MEMBER_BYTES or data.startswith(_ARCHIVE_MARKS[1:]):
            return
        path.write_bytes(data)
        self._count += 1
        before = self._sink.inside(f"{name[-150:]}: ")
        try:
            readers.read(Source([path], name), self._sink)
        except Refused as refused:
            self._sink.warn(refused.reason)
        except (*_BROKEN, *_TROUBLES) as error:
            self._sink.warn(f"it cannot be read ({type(error).__name__})")
        finally:
            self._sink.inside(before)
            path.unlink()
