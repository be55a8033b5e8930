"""The three ways in which models act, by what is known of a model's abilities."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Template

from diono.agents.codeact import fenced, tagged
from diono.agents.codeact.reading import Action, Reading, cleaned
from diono.agents.tools.port import Tool
from diono.agents.tools.text import one_line
from diono.llm.fit.report import ModelFit
from diono.llm.port import ToolCall, ToolSpec

# What a fenced block does itself, and what such a model is not told of.
_FENCED_KNOWS = frozenset(
    ["run_command", "run_python", "write_file", "read_file", "batch_read_files", "edit_file",
     "batch_write_files", "list_processes"]
)  # fmt: skip
_SPARED = frozenset(("smart_edit_file", "browse", "search_web"))
_LIST_CHARACTERS = 2600
_EDITS = {
    "whole": "To change a file, write it whole again.",
    "search_replace": "To change a part of a file, give smart_edit_file a search/replace block.",
    "unified_diff": "To change a part of a file, give smart_edit_file a unified diff.",
}
_FENCED_EDITS = {
    "whole": "To change a file, write it whole again.",
    "search_replace": (
        "To change a part of a file, name it and show the old and the new lines:\n"
        "```python path=folder/example.py\n<<<<<<< SEARCH\nold lines\n=======\nnew lines\n"
        ">>>>>>> REPLACE\n```"
    ),
    "unified_diff": (
        "To change a part of a file, name it and write a unified diff:\n"
        "```diff path=folder/example.py\n@@\n-old line\n+new line\n```"
    ),
}


@cache
def _template(name: str) -> Template:
    return Template(files("diono.agents.codeact").joinpath(f"prompts/{name}.md").read_text("utf-8"))


class Acting:
    """How one model is told of tools, and how its answers are read."""

    def __init__(self, fit: ModelFit, tools: Mapping[str, Tool], has_tool: Callable[[str], bool]):
        self.kind = fit.protocol
        self._fit = fit
        self._tools = tools
        self._has_tool = has_tool

    @property
    def is_native(self) -> bool:
        return self.kind == "native"

    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(tool.facts.spec for tool in self._tools.values()) if self.is_native else ()

    def system(self, note: str = "") -> str:
        """Return the standing orders. ``note`` is the project's own guidance."""
        more = _EDITS[self._fit.edit_format]
        if self.kind == "tags":
            more = f"{_described(list(self._tools.values()))}\n{more}"
        elif self.kind == "fenced":
            more = self._fenced_more()
        rules = Template("$rules").substitute(rules=_template("rules").template).strip()
        text = _template(self.kind).substitute(more=more, rules=rules).strip()
        return f"{text}\n\n{note}" if note else text

    def _fenced_more(self) -> str:
        others = [
            tool
            for name, tool in self._tools.items()
            if name not in _FENCED_KNOWS and name not in _SPARED
        ]
        edits = _FENCED_EDITS[self._fit.edit_format]
        if not others:
            return edits
        return (
            f"{edits}\n"
            'To call a tool, write its name and arguments as JSON:\n```tool\n{"name": "ask_user", '
            '"arguments": {"question": "Which one?"}}\n```\n'
            f"Tools (? = optional):\n{_described(others)}\n"
        )

    def read(self, answer: str, calls: Sequence[ToolCall]) -> Reading:
        text = cleaned(answer)
        if calls:
            return Reading(text, tuple(_action(call) for call in calls[: fenced.ACTIONS_LIMIT]))
        if self.kind == "fenced":
            reading = fenced.read(text, self._has_tool)
            if reading.actions or "<tool" not in text:
                return reading
        found = tagged.read(text, self._has_tool)
        if found.actions or "<tool" not in text:
            return found
        return Reading(text, (), "The tool call cannot be read. Write it as it was shown to you.")


def _action(call: ToolCall) -> Action:
    problem = "The arguments are no JSON object." if call.unreadable else ""
    return Action(call.name, dict(call.arguments), call.id, problem)


def _described(tools: Sequence[Tool]) -> str:
    """One line a tool, the users' own last; what does not fit is named only."""
    lines: list[str] = []
    size = 0
    for tool in tools:
        facts = tool.facts
        names = [name if name in facts.required else f"{name}?" for name in facts.parameters]
        line = f"- {facts.name}({', '.join(names)}): {one_line(facts.description, 140)}"
        size += len(line)
        lines.append(line if size <= _LIST_CHARACTERS else f"- {facts.name}({', '.join(names)})")
    return "\n".join(lines)
