"""Honest documents broken in ways that a seed settles."""

import io
import random
import zipfile
from collections.abc import Callable, Sequence

from adversarial.documents.originals import ORIGINALS

_ZIPPED = (".xlsx", ".ods", ".xlsb", ".docx", ".pptx", ".zip")
_TRICKS = (
    b"\x00" * 8, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b'"', b"'", b"<", b">",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"%n%s", b"../../", b"\r", b"\n" * 50, b"[" * 500,
    b"{" * 500, b"9" * 400, b"-1", b"NaN", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"1e999", b"0 R",
)  # fmt: skip
Mutator = Callable[[random.Random, bytearray], bytearray]


def _flip(chance: random.Random, data: bytearray) -> bytearray:
    for _ in range(chance.randint(1, 40)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _overwrite(chance: random.Random, data: bytearray) -> bytearray:
    start = chance.randrange(len(data))
    data[start : start + chance.randint(1, 64)] = chance.randbytes(chance.randint(1, 64))
    return data


def _cut(chance: random.Random, data: bytearray) -> bytearray:
    return data[: chance.randrange(1, len(data) + 1)]


def _remove(chance: random.Random, data: bytearray) -> bytearray:
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, max(1, len(data) // 4))]
    return data


def _repeat(chance: random.Random, data: bytearray) -> bytearray:
    start = chance.randrange(len(data))
    piece = data[start : start + chance.randint(1, 200)]
    data[start:start] = piece * chance.randint(1, 200)
    return data


def _trick(chance: random.Random, data: bytearray) -> bytearray:
    for _ in range(chance.randint(1, 5)):
        start = chance.randrange(len(data) + 1)
        data[start:start] = chance.choice(_TRICKS)
    return data


def _number(chance: random.Random, data: bytearray) -> bytearray:
    """Change figures, which are often sizes and places."""
    places = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
    for place in chance.sample(places, min(len(places), chance.randint(1, 10))):
        data[place] = chance.choice(b"0123456789")
    return data


_MUTATORS: Sequence[Mutator] = (_flip, _overwrite, _cut, _remove, _repeat, _trick, _number)


def _mutated(chance: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        if data:
            data = chance.choice(_MUTATORS)(chance, data)
    return bytes(data)


def _inside(chance: random.Random, content: bytes) -> bytes:
    """Break one member and pack it again, so that the damage is behind the checksum."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        names = [entry.filename for entry in old.infolist() if entry.file_size]
        chosen = chance.choice(names)
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == chosen:
                data = _mutated(chance, data)
            new.writestr(entry.filename, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def mutated_documents(count: int, seed: int) -> dict[str, bytes]:
    """Return ``count`` documents, the kinds in turn; the same for the same seed."""
    originals = {name: make() for name, make in ORIGINALS.items()}
    names = list(originals)
    found: dict[str, bytes] = {}
    for number in range(count):
        name = names[number % len(names)]
        chance = random.Random(f"{seed}-{number}")
        is_inside = name.endswith(_ZIPPED) and chance.random() < 0.6
        change = _inside if is_inside else _mutated
        found[f"{number:04d}-{name}"] = change(chance, originals[name])
    return found
