"""The Model Context Protocol from the client's side: JSON-RPC lines over a byte stream.

Only what calling tools needs. What the server says is data: bounded, and never obeyed.
"""

import asyncio
import json
from typing import Any

from diono.agents.shapes import dict_of, is_dict, list_of
from diono.kernel.errors import DionoError, ErrorKind

PROTOCOL_VERSION = "2025-06-18"
_LINE_BYTES = 2_000_000
_MESSAGES_LIMIT = 2000
_PAGES = 5
_METHOD_MISSING = -32601


class McpFailed(DionoError):
    """The server broke off, was too slow, or answered with an error; the detail says which."""

    code = "mcp_failed"
    kind = ErrorKind.UNAVAILABLE


class McpSession:
    """One initialised connection. Requests go one after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._count = 0

    async def initialize(self, seconds: float) -> None:
        """Raises McpFailed."""
        client = {"name": "diono", "version": "1"}
        await self.request(
            "initialize",
            {"protocolVersion": PROTOCOL_VERSION, "capabilities": {}, "clientInfo": client},
            seconds,
        )
        await self._send({"method": "notifications/initialized"})

    async def tools(self, seconds: float) -> list[dict[str, Any]]:
        """Return the server's own description of each tool. Raises McpFailed."""
        found: list[dict[str, Any]] = []
        cursor: object = None
        for _ in range(_PAGES):
            page = await self.request("tools/list", {"cursor": cursor} if cursor else {}, seconds)
            found += [tool for tool in list_of(page.get("tools")) if is_dict(tool)]
            cursor = page.get("nextCursor")
            if not cursor:
                break
        return found

    async def call(self, name: str, arguments: dict[str, Any], seconds: float) -> tuple[str, bool]:
        """Return a tool's text and whether it says that it failed. Raises McpFailed."""
        result = await self.request("tools/call", {"name": name, "arguments": arguments}, seconds)
        parts = [_text_of(dict_of(part)) for part in list_of(result.get("content"))]
        text = "\n".join(part for part in parts if part)
        if not text and "structuredContent" in result:
            text = json.dumps(result["structuredContent"], ensure_ascii=False)
        return text, bool(result.get("isError"))

    async def request(self, method: str, params: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Raises McpFailed."""
        self._count += 1
        try:
            async with asyncio.timeout(seconds):
                await self._send({"id": self._count, "method": method, "params": params})
                return await self._answer(self._count)
        except TimeoutError as error:
            raise McpFailed(f"the server did not answer {method} within {seconds:g} s") from error
        except OSError as error:
            raise McpFailed(f"the connection to the server broke: {error}") from error

    async def _answer(self, wanted: int) -> dict[str, Any]:
        for _ in range(_MESSAGES_LIMIT):
            message = await self._message()
            if "method" in message:
                await self._reply(message)
            elif message.get("id") == wanted:
                if "error" in message:
                    said = dict_of(message["error"]).get("message", message["error"])
                    raise McpFailed(f"the server refused: {str(said)[:300]}")
                return dict_of(message.get("result"))
        raise McpFailed(f"the server sent {_MESSAGES_LIMIT} messages instead of an answer")

    async def _reply(self, message: dict[str, Any]) -> None:
        """Answer what the server asks of us: that we are there, and nothing else."""
        if "id" not in message:
            return
        if message["method"] == "ping":
            await self._send({"id": message["id"], "result": {}})
            return
        error = {"code": _METHOD_MISSING, "message": "this client offers no such method"}
        await self._send({"id": message["id"], "error": error})

    async def _send(self, message: dict[str, Any]) -> None:
        self._writer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        await self._writer.drain()

    async def _message(self) -> dict[str, Any]:
        while (line := self._line()) is None:
            if len(self._buffer) > _LINE_BYTES:
                raise McpFailed(f"the server sent a line of more than {_LINE_BYTES} bytes")
            chunk = await self._reader.read(65_536)
            if not chunk:
                raise McpFailed("the server ended")
            self._buffer += chunk
        try:
            return dict_of(json.loads(line))
        except (ValueError, RecursionError):
            return {}  # a server that prints to its standard output: passed over

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def close(self) -> None:
        self._writer.close()


def _text_of(part: dict[str, Any]) -> str:
    if part.get("type") == "text":
        return str(part.get("text", ""))
    resource = dict_of(part.get("resource"))
    if resource.get("text"):
        return str(resource["text"])
    return f"({part.get('type', 'something')} left out)" if part else ""
