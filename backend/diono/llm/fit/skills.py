"""What a model can: small questions whose right answers are known. Nothing it writes is run."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from diono.llm.fit import edits
from diono.llm.fit.bench import Answer, Bench
from diono.llm.fit.report import EditFormat, JsonObedience, ThinkingSwitch
from diono.llm.port import ChatRequest, Message, ToolCall, ToolSpec
from diono.llm.tags import CLOSING_TAG, read_tagged_calls, tags_instructions

_PROBE_SECONDS = 15.0

_BOOK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 40},
        "pages": {"type": "integer"},
        "kind": {"enum": ["novel", "manual"]},
    },
    "required": ["title", "pages", "kind"],
    "additionalProperties": False,
}


def _tool(name: str, what: str, *arguments: str) -> ToolSpec:
    schema = {"type": "object", "properties": {one: {"type": "string"} for one in arguments}}
    return ToolSpec(name=name, description=what, parameters={**schema, "required": [*arguments]})


TOOLS = (
    _tool("read_file", "Reads a file.", "path"),
    _tool("list_folder", "Lists the files of a folder.", "folder"),
    _tool("write_file", "Writes a file.", "path", "content"),
)
# A model that cannot put two lines of code into an argument is better off with code in a fence.
_TOOL_QUESTIONS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Read the file notes.txt.", "read_file", {"path": "notes.txt"}),
    ("Which files are in the folder src?", "list_folder", {"folder": "src"}),
    (
        "Write the file hello.py with these two lines:\nname = input()\nprint(name)",
        "write_file",
        {"path": "hello.py", "content": "name = input()\nprint(name)"},
    ),
)
_READING = (
    ('print(len("banana"))', "6"),
    ("print([n * 2 for n in (1, 2, 3)][-1])", "6"),
    ('print("a-b-c".split("-")[1])', "b"),
    ("print(sum(n for n in range(5) if n % 2))", "4"),
    ("d = {'x': 1}\nd['x'] += 4\nprint(d['x'])", "5"),
)
_FILE = '''def net_price(price, rate):
    """Return the price without tax."""
    return price / (1 + rate)


def discounted(price):
    """Return the price for regular customers."""
    share = 0.1
    return price * (1 - share)
'''
_CHANGED = _FILE.replace("0.1", "0.25")
_CHANGE = "Change this file so that regular customers get 25 percent off instead of 10 percent."
_HOW = {
    "whole": "Answer with the whole new file in one ```python block.",
    "search_replace": (
        "Answer only with one block of this shape, the old lines copied exactly:\n"
        "<<<<<<< SEARCH\nold lines\n=======\nnew lines\n>>>>>>> REPLACE"
    ),
    "unified_diff": "Answer only with a unified diff of the file in one ```diff block.",
}
_APPLIERS: dict[EditFormat, Callable[[str, str], str | None]] = {
    "whole": edits.whole,
    "search_replace": edits.search_replace,
    "unified_diff": edits.unified_diff,
}


_SHORT_FORMATS: tuple[EditFormat, ...] = ("search_replace", "unified_diff")


@dataclass
class Skills:
    """What was found; ``scores`` has 0 to 1 by probe, and nothing for what was not measured."""

    obeys_fences: bool = True
    supports_prefill: bool = False
    json_answers: JsonObedience = "none"
    tools_ok: bool = False
    tags_ok: bool = False
    edit_format: EditFormat = "whole"
    thinking: ThinkingSwitch = "none"
    scores: dict[str, float] = field(default_factory=dict[str, float])


async def probe_thinking(bench: Bench, skills: Skills) -> None:
    """Find out whether the model thinks aloud and can be told not to. Later questions do not."""
    if bench.subject.profile.supports_thinking is False:
        return
    messages = (Message(role="user", content="How much is 17 + 26? Answer with the number."),)
    request = ChatRequest(messages=messages, max_tokens=200)
    thoughts: list[bool] = []
    for is_on in (True, False):
        asked = request.model_copy(update={"thinking": is_on})
        answer = await bench.ask(asked, _PROBE_SECONDS)
        thoughts.append(bool(answer.thinking) or "</think>" in answer.text)
    if not any(thoughts):
        return
    skills.thinking = "always" if thoughts[1] else "switch"
    bench.thinking = False
    bench.thinks_always = thoughts[1]


async def probe_code(bench: Bench, skills: Skills) -> None:
    """Ask for a function in a fence; this is also where the speed is measured."""
    answer = await bench.say(
        "Write a Python function is_leap(year) that returns whether a year is a leap year. "
        "Answer with one ```python block and nothing else.", 120, _PROBE_SECONDS,
    )  # fmt: skip
    code = edits.fenced(answer.text)
    skills.obeys_fences = code is not None
    is_whole = code is not None and "def is_leap" in code
    skills.scores["code"] = float(is_whole and (edits.is_code(code or "") or _is_cut(answer)))


def _is_cut(answer: Answer) -> bool:
    return answer.reply is None or answer.reply.is_cut


async def probe_prefill(bench: Bench, skills: Skills) -> None:
    """Begin two answers: a model that can go on does not close the fence or begin again."""
    if bench.subject.profile.supports_prefill is False:
        return
    starts = (
        ("double(n), which returns twice n", "```python\ndef double(n):\n"),
        ("last(items), which returns the last item of a list", "```python\ndef last(items):\n"),
    )
    skills.supports_prefill = True
    for what, begun in starts:
        question = f"Write the Python function {what}. Only the code."
        answer = await bench.say(question, 60, _PROBE_SECONDS, begun=begun)
        code = edits.fenced(begun + answer.text.partition("```")[0]) or ""
        has_begun_again = "def " in answer.text[: len(begun) + 10]
        if has_begun_again or not answer.text.strip() or not edits.is_code(code):
            skills.supports_prefill = False
            return


async def probe_json(bench: Bench, skills: Skills) -> None:
    """Ask for prose under a schema (a server that enforces it cannot obey), then for JSON."""
    if bench.subject.profile.supports_json_schema:
        messages = (Message(role="user", content="Name a book that you like and say why."),)
        request = ChatRequest(messages=messages, max_tokens=80, json_schema=_BOOK)
        answer = await bench.ask(request, _PROBE_SECONDS)
        if _is_book(answer.text):
            skills.json_answers = "enforced"
            skills.scores["json"] = 1.0
            return
    answer = await bench.say(
        'The novel Momo has 304 pages. Answer only with JSON of this shape: {"title": "...", '
        '"pages": 0, "kind": "novel or manual"}', 80, _PROBE_SECONDS,
    )  # fmt: skip
    start, end = answer.text.find("{"), answer.text.rfind("}")
    if _is_book(answer.text[start : end + 1]):
        skills.json_answers = "obeyed"
    skills.scores["json"] = float(skills.json_answers == "obeyed")


def _is_book(text: str) -> bool:
    try:
        value: object = json.loads(text)
    except ValueError:
        return False
    if not isinstance(value, dict):
        return False
    book = cast("dict[str, object]", value)
    return (
        set(book) == set(_BOOK["required"])
        and isinstance(book["title"], str)
        and isinstance(book["pages"], int)
        and book["kind"] in {"novel", "manual"}
    )


async def probe_tools(bench: Bench, skills: Skills) -> None:
    """Three questions, each for another tool. Without native calls: the same between tags."""
    if bench.subject.profile.supports_tools is not False:
        right = 0
        for question, name, arguments in _TOOL_QUESTIONS:
            messages = (Message(role="user", content=question),)
            request = ChatRequest(messages=messages, max_tokens=80, tools=TOOLS)
            answer = await bench.ask(request, _PROBE_SECONDS)
            right += _is_call(answer.reply.tool_calls if answer.reply else (), name, arguments)
            if not right:
                break
        skills.tools_ok = right == len(_TOOL_QUESTIONS)
        skills.scores["tools"] = right / len(_TOOL_QUESTIONS)
    if not skills.tools_ok:
        await _probe_tags(bench, skills)


async def _probe_tags(bench: Bench, skills: Skills) -> None:
    right = 0
    for question, name, arguments in _TOOL_QUESTIONS:
        messages = (
            Message(role="system", content=tags_instructions(TOOLS)),
            Message(role="user", content=question),
        )
        request = ChatRequest(messages=messages, max_tokens=80, stop=(CLOSING_TAG,))
        answer = await bench.ask(request, _PROBE_SECONDS)
        right += _is_call(read_tagged_calls(answer.text)[1], name, arguments)
        if not right:
            break
    skills.tags_ok = right == len(_TOOL_QUESTIONS)
    skills.scores["tags"] = right / len(_TOOL_QUESTIONS)


def _is_call(calls: tuple[ToolCall, ...], name: str, arguments: dict[str, str]) -> bool:
    if not calls or calls[0].name != name:
        return False
    said = {key: str(value).strip() for key, value in calls[0].arguments.items()}
    said = {key: value.removeprefix("./").rstrip("/") for key, value in said.items()}
    return said == arguments


async def probe_reading(bench: Bench, skills: Skills) -> None:
    """Ask what short programs print: a few tokens each, and telling."""
    right = 0
    begun = "The output is `" if skills.supports_prefill else ""
    for program, printed in _READING:
        question = f"What does this Python program print?\n\n{program}\n\nOnly the output."
        answer = await bench.say(question, 12, _PROBE_SECONDS, begun=begun)
        first = re.sub(r"[`'\"*.]|python|output|\s+", " ", answer.text).split()
        right += first[:1] == [printed]
    skills.scores["reading"] = right / len(_READING)


async def probe_edits(bench: Bench, skills: Skills) -> None:
    """Ask for one change in each format. The first short format that yields the right file is
    taken; if none does, whole files."""
    for edit_format, apply in _APPLIERS.items():
        question = f"{_CHANGE}\n\n```python\n{_FILE}```\n\n{_HOW[edit_format]}"
        answer = await bench.say(question, 160, _PROBE_SECONDS)
        changed = apply(_FILE, answer.text)
        is_right = changed is not None and edits.tree_of(changed) == edits.tree_of(_CHANGED)
        skills.scores[edit_format] = float(is_right)
    for edit_format in _SHORT_FORMATS:
        if skills.scores[edit_format]:
            skills.edit_format = edit_format
            return
