"""Tool calls as text between tags, for models that keep to a shape but cannot call natively.

    <tool name="write_file">
    <path>notes.txt</path>
    <content>two
    lines</content>
    </tool>

Arguments stand as they are, not as JSON: inside JSON small models stop after the first line.
"""

import re
from collections.abc import Sequence
from typing import cast

from diono.llm.port import ToolCall, ToolSpec
from diono.llm.wire import call_id_of

CLOSING_TAG = "</tool>"
# An answer that ended inside its last call is still read: the stop text is often cut away.
_CALL = re.compile(r"<tool name=\"([\w-]+)\">(.*?)(?:</tool>|\Z)", re.DOTALL)
_ARGUMENT = re.compile(r"<([\w-]+)>(.*?)</\1>", re.DOTALL)


def tags_instructions(tools: Sequence[ToolSpec]) -> str:
    """Return what a system message says so that the model writes its calls between tags."""
    lines = "\n".join(f"- {_signature(tool)}: {tool.description}" for tool in tools)
    example = _example(tools[0]) if tools else ""
    return f"You act by calling tools. Call a tool like this:\n{example}\n\nThe tools:\n{lines}"


def read_tagged_calls(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """Return the text without its calls, and the calls; every argument is text."""
    calls = tuple(
        ToolCall(id=call_id_of(number), name=match[1], arguments=_arguments(match[2]))
        for number, match in enumerate(_CALL.finditer(text))
    )
    return _CALL.sub("", text).strip(), calls


def _arguments(body: str) -> dict[str, str]:
    return {match[1]: match[2].strip("\n") for match in _ARGUMENT.finditer(body)}


def _names_of(tool: ToolSpec) -> list[str]:
    return list(cast("dict[str, object]", tool.parameters.get("properties", {})))


def _signature(tool: ToolSpec) -> str:
    return f"{tool.name}({', '.join(_names_of(tool))})"


def _example(tool: ToolSpec) -> str:
    arguments = "\n".join(f"<{name}>...</{name}>" for name in _names_of(tool))
    return f'<tool name="{tool.name}">\n{arguments}\n{CLOSING_TAG}'
