"""Unpacks an archive in a sandbox: a program of the standard library alone, run as
``python3 -I - KIND ARCHIVE FOLDER MOST_FILES MOST_BYTES``; KIND is ``archive`` or ``git``.

Everything is looked through before a byte is written: paths that leave the folder, links and
devices (those of a git repository are left out instead), overlapping or repeated entries,
encryption and bombs refuse the archive as a whole. ``.git`` folders are left out: their hooks and
settings are a stranger's. Archives inside stay what they are. The last line of the output is JSON:
``{"files": N, "skipped": N, "top": FOLDER}`` or ``{"error": CODE, "detail": TEXT}``.
"""

import itertools
import json
import os
import stat
import sys
import tarfile
import unicodedata
import zipfile
import zlib
from typing import IO, NoReturn

RATIO = 200
RATIO_FREE_BYTES = 16 * 1024 * 1024
PIECE = 256 * 1024
NAME_BYTES = 255
PATH_BYTES = 1_000


class Refused(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def refuse(detail: str) -> NoReturn:
    raise Refused("archive_refused", detail)


def safe_path(name: str) -> str | None:
    """Return the path, or None for what is left out."""
    shown = name.encode("ascii", "backslashreplace").decode()[:120]
    if "\\" in name or "\x00" in name or name.startswith("/") or name[1:2] == ":":
        refuse(f"the entry {shown!r} has a path that leads out of the project")
    if any(unicodedata.category(char)[0] == "C" for char in name):
        refuse(f"the entry {shown!r} has control or direction characters in its name")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        refuse(f"the entry {shown!r} has a path that leads out of the project")
    if any(len(part.encode()) > NAME_BYTES for part in parts) or len(name.encode()) > PATH_BYTES:
        refuse(f"the entry {shown!r} has too long a name")
    if not parts or any(part.casefold().rstrip(". ") == ".git" for part in parts):
        return None
    return "/".join(parts)


class Budget:
    def __init__(self, most_files: int, most_bytes: int) -> None:
        self.most_files = most_files
        self.most_bytes = most_bytes
        self.files = 0
        self.bytes = 0

    def add_file(self) -> None:
        self.files += 1
        if self.files > self.most_files:
            raise Refused("archive_too_large", f"it has more than {self.most_files} files")

    def add_bytes(self, count: int) -> None:
        self.bytes += count
        if self.bytes > self.most_bytes:
            raise Refused("archive_too_large", f"it unfolds to more than {self.most_bytes} bytes")


def check_unique(paths: list[str]) -> None:
    """No path twice, and no file where another needs a folder."""
    known = set(paths)
    if len(known) != len(paths):
        refuse("it has two entries of one name")
    for path in paths:
        parent = path
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            if parent in known:
                refuse("it has an entry that is a file and a folder")


def zip_entries(
    archive: zipfile.ZipFile, budget: Budget
) -> list[tuple[str, zipfile.ZipInfo, bool]]:
    entries: list[tuple[str, zipfile.ZipInfo, bool]] = []
    spans: list[tuple[int, int]] = []
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.flag_bits & 0x1:
            refuse("it is encrypted")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            refuse("it has a link or a device in it")
        spans.append((info.header_offset, info.header_offset + 30 + info.compress_size))
        budget.add_file()
        path = safe_path(info.filename)
        if path is None or info.is_dir():
            continue
        budget.add_bytes(info.file_size)
        entries.append((path, info, bool((info.external_attr >> 16) & 0o100)))
    spans.sort()
    for (_, end), (start, _) in itertools.pairwise(spans):
        if start < end:
            refuse("its entries overlap")
    return entries


def unpack_zip(source: str, folder: str, budget: Budget) -> int:
    with zipfile.ZipFile(source) as archive:
        entries = zip_entries(archive, budget)
        check_unique([path for path, _, _ in entries])
        written = Budget(budget.most_files, budget.most_bytes)
        for path, info, is_program in entries:
            with archive.open(info) as content:
                write((folder, path), content, is_program, written)
    return len(entries)


def unpack_tar(source: str, folder: str, budget: Budget, *, skips_links: bool) -> int:
    """Looks through the archive first and reads it a second time to write."""
    paths: list[str] = []
    with tarfile.open(source, "r:*") as archive:
        for member in archive:
            budget.add_file()
            is_plain = (member.isreg() or member.isdir()) and not member.issparse()
            if not is_plain and not skips_links:
                refuse("it has a link or a device in it")
            path = safe_path(member.name) if is_plain else None
            if path is not None and member.isreg():
                budget.add_bytes(member.size)
                paths.append(path)
    check_unique(paths)
    written = Budget(budget.most_files, budget.most_bytes)
    with tarfile.open(source, "r:*") as archive:
        for member in archive:
            path = safe_path(member.name) if member.isreg() else None
            if path is not None:
                content = archive.extractfile(member)
                if content is not None:
                    write((folder, path), content, bool(member.mode & 0o100), written)
    return len(paths)


def write(place: tuple[str, str], content: IO[bytes], is_program: bool, budget: Budget) -> None:
    target = os.path.join(*place)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(target, flags, 0o755 if is_program else 0o644), "wb") as file:
        while piece := content.read(PIECE):
            budget.add_bytes(len(piece))
            file.write(piece)


def top_folder(folder: str) -> str:
    """Return the folder that holds everything, as in an archive of one folder."""
    names = os.listdir(folder)
    if len(names) == 1 and os.path.isdir(os.path.join(folder, names[0])):
        return os.path.join(folder, names[0])
    return folder


def unpack(kind: str, source: str, folder: str, limits: tuple[int, int]) -> dict[str, object]:
    packed = os.path.getsize(source)
    budget = Budget(limits[0], min(limits[1], RATIO_FREE_BYTES + RATIO * packed))
    os.makedirs(folder)
    if zipfile.is_zipfile(source):
        count = unpack_zip(source, folder, budget)
    elif tarfile.is_tarfile(source):
        count = unpack_tar(source, folder, budget, skips_links=kind == "git")
    else:
        refuse("it is neither a zip nor a tar archive")
    if not count:
        refuse("there is no file in it")
    top = folder if kind == "git" else top_folder(folder)
    return {"files": count, "skipped": budget.files - count, "top": top}


def main(arguments: list[str]) -> None:
    kind, source, folder, most_files, most_bytes = arguments
    try:
        told: dict[str, object] = unpack(kind, source, folder, (int(most_files), int(most_bytes)))
    except Refused as refused:
        told = {"error": refused.code, "detail": refused.detail}
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, ValueError,
            NotImplementedError, RuntimeError, UnicodeError, MemoryError) as error:  # fmt: skip
        told = {"error": "archive_refused", "detail": f"it is damaged ({type(error).__name__})"}
    except OSError as error:
        told = {"error": "archive_too_large", "detail": f"it does not fit ({error.strerror})"}
    sys.stdout.write(f"{json.dumps(told)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
