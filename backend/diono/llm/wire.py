"""Messages, tools and calls in the shape that most chat servers share, without any SDK."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, cast

from diono.llm.port import ChatRequest, Message, ToolCall, ToolSpec

JsonObject = dict[str, Any]

_SHOWN_NAME = 80


def wire_messages(request: ChatRequest) -> list[JsonObject]:
    """Return the messages with calls whose arguments are JSON text, as OpenAI writes them."""
    return [_wire_message(message) for message in request.messages]


def _wire_message(message: Message) -> JsonObject:
    body: JsonObject = {"role": message.role, "content": message.content}
    if message.role == "tool":
        body["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments_text(call)},
            }
            for call in message.tool_calls
        ]
    return body


def wire_tools(tools: Sequence[ToolSpec]) -> list[JsonObject]:
    """Return the tools as functions with a JSON schema."""
    return [{"type": "function", "function": tool.model_dump()} for tool in tools]


def read_call(call_id: str, name: str, arguments: object) -> ToolCall:
    """Return a call from what a model wrote: a JSON object, or text that should hold one."""
    if isinstance(arguments, str):
        try:
            parsed: object = json.loads(arguments or "{}")
        except ValueError:
            parsed = None
    else:
        parsed = arguments
    if not isinstance(parsed, dict):
        return ToolCall(id=call_id, name=name, unreadable=str(arguments))
    pairs = cast("dict[object, object]", parsed)
    return ToolCall(id=call_id, name=name, arguments={str(k): v for k, v in pairs.items()})


def remote_digest(provider: str, url: str, model: str) -> str:
    """Name a model whose weights nobody can see: by its server (which may not be shown)."""
    server = hashlib.sha256(url.encode()).hexdigest()[:16]
    name = model if len(model) <= _SHOWN_NAME else hashlib.sha256(model.encode()).hexdigest()
    return f"{provider}:{name}@{server}"


def call_id_of(number: int) -> str:
    """Return an id for a call that came without one: unique within its answer."""
    return f"call_{number}"


def tool_name_of(request: ChatRequest, call_id: str) -> str:
    """Return the name of the tool that was called by ``call_id``, or empty text."""
    calls = (call for message in request.messages for call in message.tool_calls)
    return next((call.name for call in calls if call.id == call_id), "")


class CallPieces:
    """Puts the calls of a stream together: their names and arguments come in pieces."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[str, str, str]] = {}

    def add(self, index: int, call_id: str, name: str, arguments: str) -> None:
        """Take one piece of call number ``index``; whatever is not in it is empty."""
        had_id, had_name, had_arguments = self._parts.get(index, ("", "", ""))
        self._parts[index] = (had_id or call_id, had_name + name, had_arguments + arguments)

    def take(self) -> tuple[ToolCall, ...]:
        """Return the whole calls in their order and forget them."""
        parts, self._parts = self._parts, {}
        return tuple(
            read_call(call_id or call_id_of(index), name, arguments)
            for index, (call_id, name, arguments) in sorted(parts.items())
        )


def _arguments_text(call: ToolCall) -> str:
    return call.unreadable or json.dumps(call.arguments, ensure_ascii=False)
