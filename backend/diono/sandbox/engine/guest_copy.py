"""The guest's program as containers see it: a byte-compiled copy, readable by all, ours alone to
write. Its folder is named by its content, so a running sandbox keeps the one it started with."""

import compileall
import hashlib
import py_compile
import shutil
from pathlib import Path

from diono.sandbox.engine.api import Container
from diono.sandbox.guest.command import GUEST_FOLDER, container_command

GUEST_SOURCE = Path(__file__).parent.parent / "guest"
_NO_PYTHON = 78  # what the command exits with then
_QUIETLY = 'exec "$0" "$@" </dev/null >/dev/null 2>&1'


def guest_command(*arguments: str) -> tuple[str, ...]:
    """Return a container's command; ``arguments`` are the guest's own."""
    return "/bin/sh", "-c", _QUIETLY, *container_command(*arguments)


def why_no_guest(seen: Container | None) -> str:
    """Return what to say of a container that ended before its guest answered."""
    if seen is not None and seen.exit_code == _NO_PYTHON:
        return "the sandbox's image has no python3 of version 3.9 or newer; add it to the template"
    reason = "ran out of memory" if seen is not None and seen.is_out_of_memory else "ended at once"
    return f"the sandbox's first program {reason}; its image needs /bin/sh and python3"


def _sources() -> list[Path]:
    return sorted(path for path in GUEST_SOURCE.rglob("*") if _is_part(path))


def _is_part(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def guest_hash() -> str:
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(str(path.relative_to(GUEST_SOURCE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def copy_guest(state_dir: Path) -> Path:
    """Return the folder to mount at GUEST_FOLDER; made if this version has none yet. Blocking."""
    home = state_dir / "guest" / guest_hash()
    if home.exists():
        return home
    home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = home.with_suffix(".new")
    shutil.rmtree(temporary, ignore_errors=True)
    for path in _sources():
        target = temporary / path.relative_to(GUEST_SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    compileall.compile_dir(
        str(temporary),
        quiet=2,
        stripdir=str(temporary),
        prependdir=GUEST_FOLDER,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    for path in temporary.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    temporary.chmod(0o755)
    temporary.replace(home)
    return home
