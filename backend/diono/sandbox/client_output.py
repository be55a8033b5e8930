"""A command's output as it arrives: text by pieces, and a bounded copy of head and tail."""

import codecs
from collections import deque

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def text_of(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", _REPLACEMENT)


class Output:
    """One stream of a command. Keeps the first and the last half of ``limit_bytes``."""

    def __init__(self, limit_bytes: int) -> None:
        self._head = bytearray()
        self._head_limit = limit_bytes - limit_bytes // 2
        self._tail: deque[bytes] = deque()
        self._tail_limit = limit_bytes // 2
        self._tail_bytes = 0
        self._dropped = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def is_truncated(self) -> bool:
        return self._dropped > 0

    def feed(self, chunk: bytes) -> str:
        """Keep ``chunk`` and return the text that is complete with it."""
        room = self._head_limit - len(self._head)
        self._head += chunk[:room]
        rest = chunk[room:] if room < len(chunk) else b""
        if rest:
            self._tail.append(rest)
            self._tail_bytes += len(rest)
            self._shorten()
        return self._decoder.decode(chunk).replace("\0", _REPLACEMENT)

    def finish(self) -> str:
        """Return the text of bytes that still waited for their character's rest."""
        return self._decoder.decode(b"", True)

    def _shorten(self) -> None:
        excess = self._tail_bytes - self._tail_limit
        while excess > 0:
            first = self._tail.popleft()
            if len(first) > excess:
                self._tail.appendleft(first[excess:])
                first = first[:excess]
            self._tail_bytes -= len(first)
            self._dropped += len(first)
            excess -= len(first)

    def text(self) -> str:
        tail = b"".join(self._tail)
        if not self._dropped:
            return text_of(bytes(self._head) + tail)
        mark = f"\n[... {self._dropped} bytes cut ...]\n"
        return text_of(bytes(self._head)) + mark + text_of(tail)
