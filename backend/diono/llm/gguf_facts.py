"""What a GGUF file says of its model, read without loading it. Standard library only."""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

# The metadata stand at the start; vocabularies before the chat template take some megabytes.
_METADATA_BYTES = 64 << 20
_ARCHITECTURE_BYTES = 1 << 20
_STRING_TYPE = 8
_UINT32_TYPE = 4
_LARGEST_TEMPLATE_BYTES = 1 << 20


@dataclass(frozen=True)
class GgufFacts:
    """``trained_tokens`` is 0 if the file does not say."""

    trained_tokens: int = 0
    template: str = ""

    @property
    def supports_tools(self) -> bool:
        return "tools" in self.template

    @property
    def supports_thinking(self) -> bool:
        return "enable_thinking" in self.template


def gguf_facts(file: Path) -> GgufFacts:
    """Return the facts; a file that is no GGUF has none. Raises OSError."""
    if file.stat().st_size == 0:
        return GgufFacts()
    with file.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != b"GGUF":
            return GgufFacts()
        return GgufFacts(trained_tokens=_trained_tokens(data), template=_template(data))


def _trained_tokens(data: mmap.mmap) -> int:
    key = b".context_length"
    place = data.find(key, 0, _ARCHITECTURE_BYTES)
    if place < 0:
        return 0
    kind, value = _unpack("<II", data, place + len(key))
    return value if kind == _UINT32_TYPE else 0


def _template(data: mmap.mmap) -> str:
    key = b"tokenizer.chat_template"
    place = data.find(key, 0, _METADATA_BYTES)
    if place < 0:
        return ""
    start = place + len(key)
    kind, length = _unpack("<IQ", data, start)
    if kind != _STRING_TYPE or length > _LARGEST_TEMPLATE_BYTES:
        return ""
    start += struct.calcsize("<IQ")
    return data[start : start + length].decode("utf-8", errors="replace")


def _unpack(shape: str, data: mmap.mmap, place: int) -> tuple[int, int]:
    if place + struct.calcsize(shape) > len(data):
        return -1, 0
    first, second = struct.unpack_from(shape, data, place)
    return int(first), int(second)
