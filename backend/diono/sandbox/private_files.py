"""Small files of the service's own, which a reader sees whole or not at all."""

import contextlib
import os
import secrets
from pathlib import Path


def write_private(path: Path, content: bytes, *, is_durable: bool = True) -> None:
    """Replace a file that only our own user may read; ``is_durable``: power loss loses nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if is_durable:
                os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
