"""ZIP files before anybody unfolds them: archives, and the Office files that are packed so."""

import re
import struct
import zipfile
import zlib
from collections.abc import Sequence

from diono.parsing.guest import limits
from diono.parsing.guest.refusals import Refused, damaged, too_large
from diono.parsing.guest.source import Source

_END = b"PK\x05\x06"
_END_BYTES = 22
_HEADER_BYTES = 30
_ENTITIES = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_XML = (".xml", ".rels", ".vml", ".svg")
_DAMAGE = (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, struct.error, ValueError)


def opened(source: Source) -> zipfile.ZipFile:
    """Return the checked archive. Raises Refused for bombs, overlaps and damage."""
    _check_count(source)
    try:
        archive = zipfile.ZipFile(source.open())
    except _DAMAGE as error:
        raise damaged(f"the archive's list of files cannot be read ({error})") from error
    check(archive.infolist(), source.size)
    return archive


def check(entries: Sequence[zipfile.ZipInfo], packed: int) -> None:
    """Judge an archive of ``packed`` bytes by its list. Raises Refused."""
    if len(entries) > limits.ENTRIES:
        raise _too_many(len(entries))
    _check_sizes(entries, packed)
    _check_overlaps(entries)


def _too_many(count: int) -> Refused:
    return Refused(
        "archive_bomb", f"the archive lists {count:,} files; at most {limits.ENTRIES:,} are taken"
    )


def _check_count(source: Source) -> None:
    """Read the count at the end first: the list itself may not fit into memory."""
    tail = source.tail(65_536 + _END_BYTES)
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES:
        raise damaged("the archive is cut off: its list of files is missing")
    count = struct.unpack_from("<H", tail, at + 10)[0]
    size = struct.unpack_from("<I", tail, at + 12)[0]
    if count == 0xFFFF or size > limits.ENTRIES * 400:
        raise _too_many(max(count, size // 400))
    if count > limits.ENTRIES:
        raise _too_many(count)


def _check_sizes(entries: Sequence[zipfile.ZipInfo], packed: int) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > limits.UNPACKED_BYTES:
        raise Refused(
            "archive_bomb",
            f"it would unfold to {total:,} bytes from {packed:,}: nothing was unpacked",
        )
    if total > limits.BOMB_BYTES and total > packed * limits.BOMB_RATIO:
        raise Refused(
            "archive_bomb",
            f"it would unfold to {total // max(1, packed)} times its size: nothing was unpacked",
        )


def _check_overlaps(entries: Sequence[zipfile.ZipInfo]) -> None:
    end = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.header_offset < end:
            raise Refused("archive_bomb", "files in the archive overlap: nothing was unpacked")
        end = entry.header_offset + _HEADER_BYTES + entry.compress_size


def check_office(archive: zipfile.ZipFile, largest_part_bytes: int) -> None:
    """Refuse entities anywhere, and parts that are too large to be read as a whole."""
    for entry in archive.infolist():
        name = entry.filename.lower()
        if entry.flag_bits & 1:
            raise Refused("document_encrypted", "it is protected by a password")
        if not name.endswith(_XML):
            continue
        if entry.file_size > largest_part_bytes:
            raise too_large(f"its part {entry.filename!r} unfolds to {entry.file_size:,} bytes")
        if _ENTITIES.search(_plain(beginning(archive, entry))):
            raise Refused(
                "document_unsafe",
                f"its part {entry.filename!r} declares XML entities, which no Office file needs",
            )


def beginning(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, count: int = 8_192) -> bytes:
    try:
        with archive.open(entry) as part:
            return part.read(count)
    except (*_DAMAGE, RuntimeError, zlib.error) as error:
        raise damaged(f"its part {entry.filename!r} cannot be unpacked ({error})") from error


def _plain(head: bytes) -> bytes:
    """Undo UTF-16, in which the declaration could hide."""
    return head.replace(b"\0", b"")


def content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit_bytes: int) -> bytes:
    """Return a member as a whole; what it unfolds to is counted, not believed."""
    data = beginning(archive, entry, limit_bytes + 1)
    if len(data) > limit_bytes:
        raise too_large(f"{entry.filename!r} is larger than {limit_bytes:,} bytes")
    return data
