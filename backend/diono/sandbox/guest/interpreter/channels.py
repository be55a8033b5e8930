"""The kernel's end of the channel to the guest: JSON lines, both ways."""

from __future__ import annotations

import json
import os
import socket
import threading
from typing import Any


class Channel:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._received = bytearray()
        self._lock = threading.Lock()

    def read(self) -> dict[str, Any] | None:
        """Return the next message; None when the guest has closed its end."""
        while b"\n" not in self._received:
            data = os.read(self._descriptor, 1 << 16)
            if not data:
                return None
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def read_first(self) -> dict[str, Any] | None:
        """Return the first message and leave the rest to the program that takes our place."""
        line = b""
        with socket.socket(fileno=os.dup(self._descriptor)) as stream:
            while not line.endswith(b"\n"):
                peeked = stream.recv(1 << 16, socket.MSG_PEEK)
                if not peeked:
                    return None
                end = peeked.find(b"\n") + 1
                line += stream.recv(end or len(peeked))
        return json.loads(line)

    def write(self, message: dict[str, Any]) -> None:
        """Send a message; whole, even when several threads do."""
        data = memoryview(json.dumps(message).encode("ascii") + b"\n")
        with self._lock:
            while data:
                data = data[os.write(self._descriptor, data) :]
