"""A Model Context Protocol server with nothing but the standard library: time and echo."""

import datetime
import json
import sys
import zoneinfo

TOOLS = [
    {
        "name": "now",
        "description": "Tell the date and time.",
        "inputSchema": {
            "type": "object",
            "properties": {"zone": {"type": "string", "description": "Such as Europe/Berlin."}},
        },
    },
    {
        "name": "echo",
        "description": "Give a text back.",
        "inputSchema": {
            "type": "object",
            "properties": {"text": {"type": "string"}},
            "required": ["text"],
        },
    },
]


def call(name: str, arguments: dict[str, str]) -> str:
    if name == "echo":
        return arguments["text"]
    if name == "now":
        zone = zoneinfo.ZoneInfo(arguments.get("zone") or "UTC")
        return datetime.datetime.now(zone).isoformat(timespec="seconds")
    raise ValueError(f"there is no tool {name}")


def answer(method: str, params: dict[str, object]) -> dict[str, object]:
    if method == "initialize":
        return {
            "protocolVersion": params.get("protocolVersion", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "clock", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        try:
            text, is_error = call(str(params["name"]), dict(params.get("arguments") or {})), False
        except (KeyError, ValueError, OSError) as error:
            text, is_error = str(error), True
        return {"content": [{"type": "text", "text": text}], "isError": is_error}
    return {}


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        result = answer(request["method"], request.get("params") or {})
        reply = {"jsonrpc": "2.0", "id": request["id"], "result": result}
        print(json.dumps(reply), flush=True)


main()
