"""Reads multipart/form-data as it arrives, without ever holding a whole part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .wire import HttpError

_HEAD_LIMIT_BYTES = 16 * 1024
_PARTS_LIMIT = 10_000


class Part(NamedTuple):
    """``chunks`` must be used up before the next part is asked for."""

    name: str
    file_name: str
    chunks: Iterator[bytes]


def parameters(header: str) -> dict[str, str]:
    """Return the parameters of a header such as ``form-data; name="file"; filename="a"``."""
    found: dict[str, str] = {}
    rest = header.partition(";")[2]
    while rest.strip():
        name, _, rest = rest.partition("=")
        name, rest = name.strip(" ;\t").lower(), rest.lstrip()
        if rest.startswith('"'):
            value, rest = _quoted(rest[1:])
        else:
            value, _, rest = rest.partition(";")
            value = value.strip()
        if name:
            found[name] = value
    return found


def _quoted(text: str) -> tuple[str, str]:
    value: list[str] = []
    position = 0
    while position < len(text) and text[position] != '"':
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        value.append(text[position])
        position += 1
    return "".join(value), text[position + 1 :].lstrip(" ;")


class Reader:
    """Splits a body at its boundary."""

    def __init__(self, content_type: str, chunks: Iterator[bytes]) -> None:
        boundary = parameters(content_type).get("boundary", "")
        if not 0 < len(boundary) <= 200:
            raise HttpError(400, "the multipart boundary is missing")
        self._mark = b"\r\n--" + boundary.encode("latin-1", "replace")
        self._chunks = chunks
        self._buffer = bytearray(b"\r\n")
        self._is_part_over = True

    def _fill(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise HttpError(400, "the multipart body is cut short")
        self._buffer += chunk

    def parts(self) -> Iterator[Part]:
        for _ in self._until_mark():
            pass
        for _ in range(_PARTS_LIMIT):
            while len(self._buffer) < 2:
                self._fill()
            if self._buffer.startswith(b"--"):
                for _ in self._chunks:
                    pass
                return
            headers = self._headers()
            about = parameters(headers.get("content-disposition", ""))
            self._is_part_over = False
            yield Part(about.get("name", ""), about.get("filename", ""), self._until_mark())
            if not self._is_part_over:
                for _ in self._until_mark():
                    pass
        raise HttpError(413, "too many files in one request")

    def _headers(self) -> dict[str, str]:
        end = self._buffer.find(b"\r\n\r\n")
        while end < 0:
            if len(self._buffer) > _HEAD_LIMIT_BYTES:
                raise HttpError(400, "a part's head is too large")
            self._fill()
            end = self._buffer.find(b"\r\n\r\n")
        lines = bytes(self._buffer[:end]).decode("utf-8", "replace").split("\r\n")
        del self._buffer[: end + 2]
        del self._buffer[:2]
        pairs = (line.partition(":") for line in lines if line)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    def _until_mark(self) -> Iterator[bytes]:
        mark = self._mark
        while True:
            found = self._buffer.find(mark)
            if found >= 0:
                if found:
                    yield bytes(self._buffer[:found])
                del self._buffer[: found + len(mark)]
                self._is_part_over = True
                return
            safe = len(self._buffer) - len(mark) + 1
            if safe > 0:
                piece = bytes(self._buffer[:safe])
                del self._buffer[:safe]
                yield piece
            self._fill()
