"""Where the master key is: given by the operator, or made at install in a file of the data folder.

A file has one key a line, the newest first; lines that start with ``#`` are notes. While keys are
exchanged both are in it, so that every process can open what either sealed.
"""

import fcntl
import os
import secrets
import threading
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from diono.infra.sealing import FixedKeyring, Keyring, MasterKey, MasterKeyInvalid
from diono.kernel.errors import Conflict

_NOTE = "# Diono's master keys, the newest first. Keep a copy apart from the database's backups.\n"


class KeysNotOurs(Conflict):
    """The keys are where this process cannot change them."""

    code = "master_key_not_writable"


def parse_keys(text: str) -> tuple[MasterKey, ...]:
    """Read keys between white space or commas. Raises MasterKeyInvalid."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    keys = tuple(MasterKey.parse(word) for word in " ".join(lines).replace(",", " ").split())
    if not keys:
        raise MasterKeyInvalid("There is no master key in it. `diono secrets new-key` makes one.")
    return tuple(dict.fromkeys(keys))


class FileKeyring:
    """Keys of a file, read again when it changes: a rotation needs no restart."""

    def __init__(self, path: Path) -> None:
        """Raises MasterKeyInvalid, OSError."""
        self.path = path
        self._lock = threading.Lock()
        self._seen = _state(path)
        self._keys = self._read()

    def held(self) -> Sequence[MasterKey]:
        with self._lock:
            try:
                state = _state(self.path)
                if state != self._seen:
                    self._keys, self._seen = self._read(), state
            except (OSError, MasterKeyInvalid):
                # Somebody edits it by hand; what was read before is still good.
                return self._keys
            return self._keys

    def add_new(self) -> MasterKey:
        """Put a new key above the others, whole or not at all. Blocks. Raises KeysNotOurs."""
        fresh = MasterKey.new()
        with self._exclusive():
            _write(self.path, [fresh, *self._read()])
        return fresh

    def drop(self, key_ids: Collection[str]) -> None:
        """Remove old keys; the newest stays in any case. Blocks. Raises KeysNotOurs."""
        with self._exclusive():
            newest, *older = self._read()
            _write(self.path, [newest, *(key for key in older if key.key_id not in key_ids)])

    @contextmanager
    def _exclusive(self) -> Generator[None]:
        # Of two that read, add and write at the same time one would lose the other's key.
        try:
            with self.path.with_name(f"{self.path.name}.lock").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise KeysNotOurs(
                f"{self.path} cannot be written ({error.strerror}). Put a key from `diono secrets "
                "new-key` on a line above the others yourself, then run `diono secrets rotate`."
            ) from error

    def _read(self) -> tuple[MasterKey, ...]:
        try:
            return parse_keys(self.path.read_text())
        except UnicodeDecodeError as error:
            raise MasterKeyInvalid(f"{self.path} is no text: it has no master key.") from error


@dataclass(frozen=True)
class MasterKeyPlace:
    """What the settings say: the key itself, the operator's file, or the file that we make."""

    given: str
    given_file: Path | None
    own_file: Path

    @property
    def exists(self) -> bool:
        return bool(self.given) or self.given_file is not None or self.own_file.exists()

    def keyring(self) -> Keyring:
        """Return the keys, made at the first call where nobody gave one. Blocks.

        Raises MasterKeyInvalid.
        """
        if self.given:
            return FixedKeyring(parse_keys(self.given))
        path = self.given_file or self.own_file
        if self.given_file is None and not path.exists():
            make_file(path)
        try:
            return FileKeyring(path)
        except OSError as error:
            raise MasterKeyInvalid(
                f"The master key cannot be read from {path} ({error.strerror}). Check "
                "DIONO_MASTER_KEY_FILE and who may read the file."
            ) from error


def make_file(path: Path) -> None:
    """Make a file with a new key, readable by its owner only; one that is there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path, [MasterKey.new()])
    try:
        # Unlike a rename, a link never replaces a key that another process has just made.
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        temporary.unlink()
    _sync_folder(path.parent)


def _write(path: Path, keys: Sequence[MasterKey]) -> None:
    _temporary(path, keys).rename(path)
    _sync_folder(path.parent)


def _temporary(path: Path, keys: Sequence[MasterKey]) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(_NOTE + "".join(f"{key.text}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size
