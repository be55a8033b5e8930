"""Vectors from the words of a text alone, always the same: for scripts and tests."""

import re
import zlib

DIMENSIONS = 64
_WORDS = re.compile(r"\w+")


def words_vector(text: str) -> tuple[float, ...]:
    """Return 64 numbers, never all zero: each word counts at the place of its checksum."""
    vector = [0.0] * DIMENSIONS
    for word in _WORDS.findall(text.casefold()):
        vector[zlib.crc32(word.encode()) % DIMENSIONS] += 1.0
    return tuple(vector) if any(vector) else (1.0, *vector[1:])
