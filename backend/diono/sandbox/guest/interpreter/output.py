"""A process's output as messages: one a line, with the time it came."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator
from typing import Any

_LINES_AT_ONCE = 200
_HELD_CHARACTERS = 16_384


class Lines:
    """Turns the bytes of one stream into messages; the start of a line waits for its end."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    @property
    def is_holding(self) -> bool:
        return bool(self._held)

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        text = self._held + self._decoder.decode(data)
        whole, end, self._held = text.rpartition("\n")
        whole += end
        pieces = [f"{line}\n" for line in whole.split("\n")[:-1]]
        if len(pieces) > _LINES_AT_ONCE:
            pieces = [whole]
        for piece in pieces:
            yield self._message(piece)
        if len(self._held) > _HELD_CHARACTERS:
            yield from self.flush()

    def flush(self, is_final: bool = False) -> Iterator[dict[str, Any]]:
        """Give out a line that has no end yet; finally also half a character."""
        if is_final:
            self._held += self._decoder.decode(b"", True)
            self._decoder.reset()
        if self._held:
            held, self._held = self._held, ""
            yield self._message(held)

    def _message(self, text: str) -> dict[str, Any]:
        return {"type": self._kind, "text": text, "timestamp": time.time_ns()}
