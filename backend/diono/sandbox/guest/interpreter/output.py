"""A process's output as messages: one a line, with the time it came."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator
from typing import Any

_LINES_AT_ONCE = 200


class Lines:
    """Turns the bytes of one stream into messages as they come."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes, is_final: bool = False) -> Iterator[dict[str, Any]]:
        text = self._decoder.decode(data, is_final)
        if is_final:
            self._decoder.reset()
        lines = text.split("\n")
        pieces = [f"{line}\n" for line in lines[:-1]]
        if lines[-1]:
            pieces.append(lines[-1])
        if len(pieces) > _LINES_AT_ONCE:
            pieces = [text]
        for piece in pieces:
            yield {"type": self._kind, "text": piece, "timestamp": time.time_ns()}
