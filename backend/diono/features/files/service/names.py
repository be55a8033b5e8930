"""Names of files: one form that is safe on every system, and one to show."""

import re
import unicodedata
from urllib.parse import unquote

from diono.features.files.errors import NameRefused

MOST_BYTES = 200
_MOST_SHOWN = 500
_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
# Device names of Windows, with or without an extension.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)")
_UNQUOTINGS = 4
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]")
# Slash, backslash, fraction slash, division slash.
_SLASHES = re.compile("[/\\\\\u2044\u2215]")


def safe_name(given: str) -> str:
    """Return a name of at most ``MOST_BYTES`` in UTF-8, in NFC. Raises NameRefused for paths out
    of a folder, in whatever spelling, and for what leaves nothing."""
    _check_path(given)
    base = _SLASHES.split(given)[-1]
    name = unicodedata.normalize("NFC", _plain(base)).translate(_FORBIDDEN)
    name = " ".join(name.split()).strip(". ")
    if not name:
        raise NameRefused(f"{shown_name(given)!r} leaves no usable name. Give a plain file name.")
    if _RESERVED.match(name):
        name = f"_{name}"
    return _cut(name)


def shown_name(given: str) -> str:
    """Return the given name as it can be shown: without control and direction characters."""
    return _plain(given)[:_MOST_SHOWN]


def name_key(name: str) -> str:
    """Return what two names share that a file system without case takes for one."""
    return unicodedata.normalize("NFC", name.casefold())[:255]


def numbered(name: str, number: int) -> str:
    """Return ``name (2).ext`` for a name that is taken."""
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    return _cut(f"{stem} ({number}){dot}{extension}")


def _check_path(given: str) -> None:
    """Raises NameRefused."""
    refused = f"{shown_name(given)!r} leads out of its folder. Give a plain file name."
    if _ABSOLUTE.match(given):
        raise NameRefused(refused)
    text = given
    for _ in range(_UNQUOTINGS):
        folded = unicodedata.normalize("NFKC", text)
        if "\x00" in text or any(part.strip() == ".." for part in _SLASHES.split(folded)):
            raise NameRefused(refused)
        unquoted = unquote(text)
        if len(_SLASHES.split(unquoted)) != len(_SLASHES.split(text)):
            raise NameRefused(refused)
        text = unquoted


def _plain(text: str) -> str:
    """Drop control, format (direction, zero width), private and unassigned characters."""
    return "".join(char for char in text if unicodedata.category(char)[0] != "C")


def _cut(name: str) -> str:
    if len(name.encode()) <= MOST_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > 20:
        stem, dot, extension = name, "", ""
    tail = (dot + extension).encode()
    kept = stem.encode()[: MOST_BYTES - len(tail)].decode(errors="ignore").rstrip()
    return kept + dot + extension
