"""An execution's reply: JSON lines as they come, and whether anybody still reads them."""

from __future__ import annotations

import select

from ..http import Disconnected, Request, Response
from ..wire import Json, encode


class Stream:
    """``is_gone`` once the client has left; writing then does nothing."""

    def __init__(self, request: Request, response: Response) -> None:
        self._response = response
        self.socket = request.connection.socket
        self.is_gone = False

    def write(self, event: Json) -> None:
        self.write_raw(encode(event))

    def write_raw(self, line: bytes) -> None:
        if self.is_gone:
            return
        try:
            if not self._response.is_started:
                self._response.start(200, "application/x-ndjson")
            self._response.write(line + b"\n")
        except Disconnected:
            self.is_gone = True

    def look(self) -> bool:
        """Return whether the client has left."""
        if not self.is_gone:
            poll = select.poll()
            poll.register(self.socket, select.POLLRDHUP)
            self.is_gone = bool(poll.poll(0))
        return self.is_gone

    def end(self) -> None:
        if self.is_gone:
            raise Disconnected
        self._response.end()
