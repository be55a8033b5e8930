"""The wire by hand, for tests that must send what no client would."""

import base64
import json
import struct
from typing import Any


def framed(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return struct.pack(">BI", 0, len(body)) + body


def guest_headers(created: dict[str, Any], port: int = 49983) -> dict[str, str]:
    return {
        "E2b-Sandbox-Id": created["sandboxID"],
        "E2b-Sandbox-Port": str(port),
        "X-Access-Token": created["envdAccessToken"],
        "Content-Type": "application/connect+json",
        "Connect-Protocol-Version": "1",
    }


def events_of(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    position = 0
    while position + 5 <= len(body):
        length = struct.unpack_from(">BI", body, position)[1]
        position += 5
        found.append(json.loads(body[position : position + length] or b"{}"))
        position += length
    return found


def stdout_of(body: bytes) -> str:
    chunks = [each.get("event", {}).get("data", {}).get("stdout", "") for each in events_of(body)]
    return b"".join(base64.b64decode(chunk) for chunk in chunks).decode(errors="replace")
