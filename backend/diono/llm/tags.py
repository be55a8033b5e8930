"""Tool calls as text between tags, for models that can follow a shape but not call natively.

<tool_call>
{"name": "read_file", "arguments": {"path": "notes.txt"}}
</tool_call>
"""

import json
import re
from collections.abc import Sequence
from typing import cast

from diono.llm.port import ToolCall, ToolSpec
from diono.llm.wire import call_id_of, read_call

CLOSING_TAG = "</tool_call>"
_OPENING_TAG = "<tool_call>"
# An answer that ended inside its last call is still read: the stop text is often cut away.
_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)


def tags_instructions(tools: Sequence[ToolSpec]) -> str:
    """Return what a system message says so that the model writes its calls between tags."""
    lines = "\n".join(f"- {_signature(tool)}: {tool.description}" for tool in tools)
    return (
        f"You have these tools:\n{lines}\n\nTo use a tool, write its name and arguments as JSON "
        f"between tags, and stop. An example:\n{_example(tools[0]) if tools else ''}"
    )


def _arguments_of(tool: ToolSpec) -> dict[str, str]:
    properties = cast("dict[str, dict[str, object]]", tool.parameters.get("properties", {}))
    return {name: str(schema.get("type", "any")) for name, schema in properties.items()}


def _signature(tool: ToolSpec) -> str:
    arguments = ", ".join(f"{name}: {kind}" for name, kind in _arguments_of(tool).items())
    return f"{tool.name}({arguments})"


def _example(tool: ToolSpec) -> str:
    call = {"name": tool.name, "arguments": dict.fromkeys(_arguments_of(tool), "...")}
    return f"{_OPENING_TAG}\n{json.dumps(call)}\n{CLOSING_TAG}"


def read_tagged_calls(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """Return the text without its calls, and the calls; damaged ones are marked unreadable.

    An answer that is nothing but a call is taken as one without its tags too.
    """
    calls = tuple(
        _call_of(number, match[1]) for number, match in enumerate(_CALL.finditer(text)) if match[1]
    )
    if calls:
        return _CALL.sub("", text).strip(), calls
    bare = _call_of(0, text)
    return ("", (bare,)) if bare.name else (text.strip(), ())


def _call_of(number: int, written: str) -> ToolCall:
    call_id = call_id_of(number)
    plain = written.strip("` \n").removeprefix("json").strip()
    body = read_call(call_id, "", plain)
    name = body.arguments.get("name")
    if not isinstance(name, str) or "arguments" not in body.arguments:
        return ToolCall(id=call_id, name="", unreadable=written)
    return read_call(call_id, name, body.arguments["arguments"])
