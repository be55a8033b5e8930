"""Unpacks an exported archive: regular files with safe names into an empty folder, no more."""

import io
import stat
import zipfile
from pathlib import Path, PurePosixPath

from diono.cli.outcome import UsageError
from diono.kernel.errors import DionoError

_MAX_FILES = 5_000
_MAX_BYTES = 500_000_000
_BLOCK_BYTES = 1 << 16
_WINDOWS_FORBIDDEN = frozenset('\\:*?"<>|')


class ArchiveRefused(DionoError):
    code = "archive_refused"


class FolderNotEmpty(UsageError):
    code = "folder_not_empty"


def require_empty(folder: Path) -> None:
    """Raises FolderNotEmpty unless the folder is missing or empty."""
    if not folder.exists():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise FolderNotEmpty(f"{folder} is there already and not an empty folder; name another.")


def unpack(archive: bytes, folder: Path) -> list[Path]:
    """Write the archive's files below ``folder`` and return them.

    All names are checked before the first byte is written. Raises ArchiveRefused, FolderNotEmpty.
    """
    require_empty(folder)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
            members = [entry for entry in bundle.infolist() if not entry.is_dir()]
            if len(members) > _MAX_FILES:
                raise ArchiveRefused(f"the archive has more than {_MAX_FILES} files.")
            names = [_safe_name(member) for member in members]
            folder.mkdir(parents=True, exist_ok=True)
            budget = _MAX_BYTES
            written: list[Path] = []
            for member, name in zip(members, names, strict=True):
                target = folder.joinpath(*name.parts)
                budget = _write(bundle, member, target, budget)
                written.append(target)
            return written
    except (zipfile.BadZipFile, NotImplementedError, EOFError, FileExistsError) as error:
        raise ArchiveRefused(f"the archive is damaged: {error}") from error


def _safe_name(member: zipfile.ZipInfo) -> PurePosixPath:
    """Return the relative name. Raises ArchiveRefused for anything that could lead outside."""
    mode = member.external_attr >> 16
    name = PurePosixPath(member.filename)
    is_regular = stat.S_IFMT(mode) in (0, stat.S_IFREG)
    is_inside = bool(name.parts) and not name.is_absolute() and ".." not in name.parts
    has_odd_characters = any(
        ord(character) < 32 or character in _WINDOWS_FORBIDDEN for character in member.filename
    )
    if not is_regular or not is_inside or has_odd_characters or ".git" in name.parts[:1]:
        raise ArchiveRefused(f"the archive holds {member.filename!r}, which is not a plain file.")
    return name


def _write(bundle: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, budget: int) -> int:
    """Write one new file and return what is left of the budget of bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with bundle.open(member) as source, target.open("xb") as out:
        while block := source.read(_BLOCK_BYTES):
            budget -= len(block)
            if budget < 0:
                raise ArchiveRefused(f"the archive unpacks to more than {_MAX_BYTES} bytes.")
            out.write(block)
    if (member.external_attr >> 16) & stat.S_IXUSR:
        target.chmod(0o755)
    return budget
