# pyright: basic, reportMissingImports=false
"""The document's bytes: files that the host wrote one after the other, read as one."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

BLOCK_BYTES = 1024 * 1024


class _Parts(io.RawIOBase):
    """Parts in a row; ``furthest`` is the last place that was read, for the progress."""

    def __init__(self, parts: Sequence[Path]) -> None:
        self._parts = [(path, path.stat().st_size) for path in parts]
        self.size = sum(size for _, size in self._parts)
        self.furthest = 0
        self._place = 0
        self._open: tuple[int, io.FileIO] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise OSError("before the beginning")
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        begin = 0
        for number, (path, size) in enumerate(self._parts):
            if begin <= self._place < begin + size:
                part = self._part(number, path)
                part.seek(self._place - begin)
                count = part.readinto(buffer) or 0
                self._place += count
                self.furthest = max(self.furthest, self._place)
                return count
            begin += size
        return 0

    def _part(self, number: int, path: Path) -> io.FileIO:
        if self._open is None or self._open[0] != number:
            if self._open is not None:
                self._open[1].close()
            self._open = (number, io.FileIO(path))
        return self._open[1]


class Source:
    """``name`` is a hint only. Every ``open`` begins at the start."""

    def __init__(self, parts: Sequence[Path], name: str) -> None:
        self.parts = tuple(parts)
        self.name = name
        self.size = sum(path.stat().st_size for path in parts)
        self._opened: list[_Parts] = []

    @property
    def suffix(self) -> str:
        """The name's ending in small letters, with its dot; empty without one."""
        stem, dot, ending = self.name.rpartition(".")
        return f".{ending.lower()}" if dot and stem and len(ending) <= 12 else ""

    @property
    def consumed(self) -> int:
        """How far the latest reader got, in bytes."""
        return self._opened[-1].furthest if self._opened else 0

    def open(self, buffer_bytes: int = BLOCK_BYTES) -> io.BufferedReader:
        parts = _Parts(self.parts)
        self._opened.append(parts)
        return io.BufferedReader(parts, buffer_bytes)

    def head(self, count: int) -> bytes:
        with self.open() as file:
            return file.read(count)

    def tail(self, count: int) -> bytes:
        with self.open() as file:
            file.seek(max(0, self.size - count))
            return file.read(count)

    def read(self) -> bytes:
        with self.open() as file:
            return file.read()

    def blocks(self) -> Iterator[bytes]:
        with self.open() as file:
            while block := file.read(BLOCK_BYTES):
                yield block

    def holds(self, *needles: bytes) -> set[bytes]:
        """Return which of these short byte strings stand anywhere in it."""
        found: set[bytes] = set()
        rest = b""
        for block in self.blocks():
            window = rest + block
            found |= {needle for needle in needles if needle in window}
            rest = window[-64:]
        return found
