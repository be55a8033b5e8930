"""Stamps: a finished step leaves the key of what it was made from, so that it runs once."""

import fcntl
import hashlib
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path


class Stamps:
    """The stamp files of one checkout, in ``.diono-setup/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_current(self, step: str, key: str) -> bool:
        try:
            return (self.folder / step).read_text(encoding="utf-8") == key
        except (FileNotFoundError, UnicodeDecodeError):
            return False

    def set(self, step: str, key: str) -> None:
        """Write the stamp as one atomic act: a killed set-up never leaves half of one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{step}.{os.getpid()}"
        draft.write_text(key, encoding="utf-8")
        draft.replace(self.folder / step)

    def clear(self, step: str) -> None:
        (self.folder / step).unlink(missing_ok=True)

    @contextmanager
    def locked(self, step: str) -> Generator[None]:
        """Hold the step against another process that sets up the same checkout."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{step}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def digest_of(root: Path, files: Iterable[Path], *facts: str) -> str:
    """Return one hash over the names and contents of the files, and the facts."""
    total = hashlib.sha256("\0".join(facts).encode())
    for file in sorted(files):
        total.update(f"\0{file.relative_to(root)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
