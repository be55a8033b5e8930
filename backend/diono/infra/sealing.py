"""Secrets at rest: envelope encryption, and the one list of where sealed secrets are kept.

A sealed text is ``d1.KEYID.WRAPPED.BODY``: BODY is the secret under a data key of its own, WRAPPED
the data key under the master key that KEYID names; both AES-256-GCM (NIST SP 800-38D) with the
context as associated data, so that a sealed text moved to another row opens nothing.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from diono.infra.redaction import SECRETS
from diono.kernel.errors import DionoError, ErrorKind, InvalidInput

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "d1"
_KEY_ID_CHARACTERS = 12
# "d1.", the key's id and the dot after it.
PREFIX_CHARACTERS = len(_VERSION) + 1 + _KEY_ID_CHARACTERS + 1


class MasterKeyInvalid(InvalidInput):
    code = "master_key_invalid"


class MasterKeyWrong(DionoError):
    """What is stored was sealed with another master key."""

    code = "master_key_wrong"
    kind = ErrorKind.UNAVAILABLE


class SealBroken(DionoError):
    """A sealed text was changed, moved to another place, or is none."""

    code = "seal_broken"
    kind = ErrorKind.UNAVAILABLE


@dataclass(frozen=True)
class MasterKey:
    """32 random bytes; ``key_id`` follows from them, so it is never stored apart."""

    raw: bytes

    def __repr__(self) -> str:
        return f"MasterKey({self.key_id})"

    @property
    def key_id(self) -> str:
        return hashlib.sha256(b"diono master key\x00" + self.raw).hexdigest()[:_KEY_ID_CHARACTERS]

    @property
    def text(self) -> str:
        return base64.urlsafe_b64encode(self.raw).decode()

    @classmethod
    def new(cls) -> "MasterKey":
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> "MasterKey":
        """Read 64 hexadecimal digits or base64 of 32 bytes. Raises MasterKeyInvalid."""
        bare = text.strip()
        raw = _hex(bare) or _base64(bare)
        # One byte over and over is a placeholder that somebody meant to replace.
        if raw is None or len(raw) != KEY_BYTES or len(set(raw)) < KEY_BYTES // 4:
            raise MasterKeyInvalid(
                "A master key is 32 random bytes as base64 or as 64 hexadecimal digits. Make one "
                "with `diono secrets new-key`."
            )
        return cls(raw)


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else None
    except ValueError:
        return None


def _base64(text: str) -> bytes | None:
    padded = text.replace("+", "-").replace("/", "_").rstrip("=")
    try:
        return base64.b64decode(padded + "=" * (-len(padded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


class Keyring(Protocol):
    """The master keys of this installation: the first one seals, all of them open."""

    def held(self) -> Sequence[MasterKey]: ...


@dataclass(frozen=True)
class FixedKeyring:
    """Keys that do not change while the process runs."""

    keys: tuple[MasterKey, ...]

    def held(self) -> Sequence[MasterKey]:
        return self.keys


class Sealer:
    """Seals and opens secrets; it may be used from any thread."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @property
    def key_id(self) -> str:
        """Name of the key that seals now."""
        return self._keyring.held()[0].key_id

    def seal(self, plain: bytes | str, context: str) -> str:
        """Return the sealed text of a secret; it opens under the same ``context`` only."""
        body = plain.encode() if isinstance(plain, str) else plain
        SECRETS.add(body.decode(errors="replace"))
        master = self._keyring.held()[0]
        data_key = secrets.token_bytes(KEY_BYTES)
        place = context.encode()
        wrapped = _encrypt(master.raw, data_key, _wrapping(master.key_id, place))
        return f"{_VERSION}.{master.key_id}.{wrapped}.{_encrypt(data_key, body, place)}"

    def open(self, sealed: str, context: str) -> str:
        """Return the secret. Raises MasterKeyWrong if another key is needed, else SealBroken."""
        version, key_id, wrapped, body = _parts(sealed)
        if version != _VERSION:
            raise SealBroken("A stored secret cannot be read: it is no sealed text. Enter it anew.")
        known = {key.key_id: key for key in self._keyring.held()}
        master = known.get(key_id)
        if master is None:
            raise MasterKeyWrong(wrong_key({key_id: 1}, list(known)))
        place = context.encode()
        try:
            data_key = _decrypt(master.raw, wrapped, _wrapping(key_id, place))
            plain = _decrypt(data_key, body, place).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBroken(
                "A stored secret cannot be opened: it was changed or moved in the database. Enter "
                "it anew, or restore the backup."
            ) from error
        SECRETS.add(plain)
        return plain


def key_id_of(sealed: str) -> str:
    """Return the id of the key that sealed a text; empty if it is no sealed text."""
    version, key_id, _, _ = _parts(sealed)
    return key_id if version == _VERSION else ""


def wrong_key(missing: Mapping[str, int], known: Sequence[str]) -> str:
    """Say which keys are missing (by id, with the number of secrets each) and the way out."""
    count = sum(missing.values())
    what = "A stored secret is" if count == 1 else f"{count} stored secrets are"
    return (
        f"{what} sealed with the master key {', '.join(sorted(missing))}, and this process has "
        f"{', '.join(known) or 'none'}. Nothing was changed. Give the old key back "
        "(DIONO_MASTER_KEY, DIONO_MASTER_KEY_FILE or run/master.key in the data folder; several "
        "keys may be named, the newest first), or let go of what cannot be opened with "
        "`diono secrets forget`."
    )


def _wrapping(key_id: str, place: bytes) -> bytes:
    return f"{_VERSION}.{key_id}\x00".encode() + place


def _parts(sealed: str) -> tuple[str, str, str, str]:
    pieces = sealed.split(".")
    if len(pieces) != 4:
        return "", "", "", ""
    return pieces[0], pieces[1], pieces[2], pieces[3]


def _encrypt(key: bytes, plain: bytes, associated: bytes) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, plain, associated)).decode()


def _decrypt(key: bytes, text: str, associated: bytes) -> bytes:
    raw = base64.b64decode(text, altchars=b"-_", validate=True)
    return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], associated)


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed texts. The context of each is its place and the ``context_columns``."""

    table: str
    column: str
    context_columns: tuple[str, ...]

    def context(self, *values: str) -> str:
        """Return the context of the row with these values of the context columns, in order."""
        return "\x00".join((f"{self.table}.{self.column}", *values))


_COLUMNS: dict[tuple[str, str], SealedColumn] = {}


def register(table: str, column: str, context_columns: Sequence[str]) -> SealedColumn:
    """Let rotation and checks know of a column (call it where the table is defined); use the
    returned object's ``context`` for sealing and opening. Context columns are text, never change,
    and together with the table name one row."""
    place = SealedColumn(table, column, tuple(context_columns))
    _COLUMNS[table, column] = place
    return place


def registered() -> Sequence[SealedColumn]:
    return tuple(_COLUMNS.values())
