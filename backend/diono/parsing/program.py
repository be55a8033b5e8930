"""The guest's program as it goes into a sandbox: one archive, named by what is in it."""

import hashlib
import io
import zipfile
from functools import lru_cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent / "guest"
_ROOT = _PACKAGE.parents[2]
# Packages around the guest's own, so that its modules have the same names in the sandbox.
_EMPTY = ("diono/__init__.py", "diono/parsing/__init__.py")
_SHARED = "neutral.py"
MODULE = "diono.parsing.guest"


@lru_cache(maxsize=1)
def program_archive() -> tuple[str, bytes]:
    """Return a name that changes with the content, and a ZIP file. Blocks for the files."""
    paths = [*sorted(_PACKAGE.rglob("*.py")), _PACKAGE.parent / _SHARED]
    sources = {path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in paths}
    digest = hashlib.sha256()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*((name, b"") for name in _EMPTY), *sources.items()):
            archive.writestr(name, content)
            digest.update(name.encode() + b"\0" + content + b"\0")
    return f"reader-{digest.hexdigest()[:12]}", buffer.getvalue()
