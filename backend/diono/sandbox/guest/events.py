"""The events of a process stream, ready for the wire."""

from __future__ import annotations

import binascii
import os
import signal

from .wire import Json

KEEPALIVE = b'{"event":{"keepalive":{}}}'


def data_event(name: str, chunk: bytes) -> bytes:
    encoded = binascii.b2a_base64(chunk, newline=False)
    return b'{"event":{"data":{"%b":"%b"}}}' % (name.encode(), encoded)


def start_event(pid: int) -> bytes:
    return b'{"event":{"start":{"pid":%d}}}' % pid


def end_of(status: int) -> Json:
    """Return the end event's fields as Go's os/exec words them."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        what = f"signal: {(signal.strsignal(number) or str(number)).lower()}"
        return {"exitCode": -1, "exited": False, "status": what, "error": what}
    code = os.WEXITSTATUS(status)
    end: Json = {"exitCode": code, "exited": True, "status": f"exit status {code}"}
    if code:
        end["error"] = end["status"]
    return end
