"""Changing a text as a model asks for it: exact, or as near as can be told without guessing.

Everything here is text in, text out. Refusals say what the model should do instead.
"""

import ast
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from diono.agents.tools.port import ToolRefused

_SEARCH_REPLACE = re.compile(
    r"^<{5,9} ?(?:SEARCH|ORIGINAL|HEAD)?[^\n]*\n(.*?)^={5,9}[^\n]*\n(.*?)^>{5,9}[^\n]*$",
    re.S | re.M,
)
_FENCED = re.compile(r"\A\s*(`{3,}|~{3,})[^\n]*\n(.*)\n\1\s*\Z", re.S)
_PLACEHOLDER = re.compile(
    r"^\s*(?:#|//|/\*|<!--|--|;|\*)?\s*(?:\.{3}|…|\[\.{3})?\s*\(?\s*"
    r"(?:the\s+)?(?:rest of|remaining|existing|previous|other|original|same|all other)\s+"
    r"(?:of\s+)?(?:the\s+|your\s+|my\s+)?"
    r"(?:code|file|functions?|methods?|content|contents|imports?|lines?|class|implementation|"
    r"logic|as before|above|below|stuff|rest)\b",
    re.I,
)
_UNCHANGED = re.compile(
    r"^\s*(?:#|//|/\*|<!--|--|\.{3}|…).*\b(?:unchanged|stays? the same|remains? the same|"
    r"same as (?:before|above)|no changes?|keep as is|omitted)\b",
    re.I,
)
_ELLIPSIS = re.compile(r"^\s*(?:#|//|/\*|<!--|--)\s*(?:\.{3,}|…)\s*(?:\*/|-->)?\s*$")
_SIMILAR = 0.86
_NEAR_LINES = 8
_SHRINK_FROM_LINES = 8
_SHRINK_SHARE = 0.5
_FUZZY_LINES_LIMIT = 4000


@dataclass(frozen=True)
class _Place:
    """Where a block stands: lines ``start`` to ``end`` (open), and what its indent lacks."""

    start: int
    end: int
    indent: str = ""


def placeholder_in(text: str, old: str = "") -> str:
    """Return the line that stands for code which was left out, if there is one."""
    known = {line.strip() for line in old.splitlines()}
    for line in text.splitlines():
        is_one = _PLACEHOLDER.search(line) or _UNCHANGED.search(line) or _ELLIPSIS.search(line)
        if is_one and line.strip() not in known:
            return line.strip()
    return ""


def refuse_loss(old: str, new: str) -> None:
    """Raises ToolRefused where a new version would lose what the old one has."""
    line = placeholder_in(new, old)
    if line:
        raise ToolRefused(
            f"{line[:80]!r} stands for code that was left out, so nothing was written. Give the "
            "whole text, or change only a part with edit_file."
        )
    before, after = _work(old), _work(new)
    if len(before) >= _SHRINK_FROM_LINES and len(after) < _SHRINK_SHARE * len(before):
        raise ToolRefused(
            f"The new version has {len(after)} lines of {len(before)}, so nothing was written. "
            "Change only a part with edit_file; to begin anew, remove the file first."
        )


def _work(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def replaced(text: str, old: str, new: str, is_everywhere: bool = False) -> str:
    """Replace an exact part. Raises ToolRefused unless it is there once (or ``is_everywhere``)."""
    if not old:
        raise ToolRefused("The text to replace is empty. To make a file, use write_file.")
    if old == new:
        raise ToolRefused("The old and the new text are the same: nothing to change.")
    count = text.count(old)
    if count == 0:
        raise ToolRefused(f"The text to replace is not in the file. {nearest(text, old)}")
    if count > 1 and not is_everywhere:
        lines = [str(text[: match.start()].count("\n") + 1) for match in _found(text, old)]
        raise ToolRefused(
            f"The text to replace is there {count} times (lines {', '.join(lines[:10])}). Add "
            "lines around it until it is unique."
        )
    return text.replace(old, new)


def _found(text: str, old: str) -> list[re.Match[str]]:
    return list(re.finditer(re.escape(old), text))


def nearest(text: str, wanted: str) -> str:
    """Show the lines that look most like what was searched for."""
    lines, block = text.splitlines(), wanted.strip("\n").splitlines()
    if not lines or not block or len(lines) > _FUZZY_LINES_LIMIT:
        return "Read the file first."
    start, ratio = _best(lines, block)
    if ratio < 0.3:
        return "Nothing in it looks like that; read the file first."
    end = min(start + max(len(block), 1), start + _NEAR_LINES, len(lines))
    shown = "\n".join(f"{number + 1}: {lines[number]}" for number in range(start, end))
    return f"The nearest lines are:\n{shown}"


def _best(lines: Sequence[str], block: Sequence[str]) -> tuple[int, float]:
    wanted = "\n".join(line.strip() for line in block)
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    best, best_ratio = 0, 0.0
    for start in range(max(len(lines) - len(block), 0) + 1):
        window = "\n".join(line.strip() for line in lines[start : start + len(block)])
        matcher.set_seq1(window)
        if matcher.real_quick_ratio() <= best_ratio or matcher.quick_ratio() <= best_ratio:
            continue
        ratio = matcher.ratio()
        if ratio > best_ratio:
            best, best_ratio = start, ratio
    return best, best_ratio


def _places(lines: Sequence[str], block: Sequence[str], key: str) -> list[int]:
    def seen(line: str) -> str:
        return line.rstrip() if key == "right" else line.strip()

    wanted = [seen(line) for line in block]
    last = len(lines) - len(block)
    return [
        start
        for start in range(last + 1)
        if all(seen(lines[start + offset]) == one for offset, one in enumerate(wanted))
    ]


def _place_of(lines: Sequence[str], block: Sequence[str]) -> _Place:
    """Find a block: exact but for blanks at line ends, then for indent, then by likeness. Raises
    ToolRefused where that leaves a choice or nothing."""
    for key in ("right", "both"):
        starts = _places(lines, block, key)
        if len(starts) > 1:
            numbers = ", ".join(str(start + 1) for start in starts[:10])
            raise ToolRefused(f"That part is in the file more than once (lines {numbers}).")
        if starts:
            return _Place(starts[0], starts[0] + len(block), _indent_lack(lines, block, starts[0]))
    if len(lines) <= _FUZZY_LINES_LIMIT and sum(map(len, block)) >= 20:
        start, ratio = _best(lines, block)
        if ratio >= _SIMILAR:
            return _Place(start, start + len(block), _indent_lack(lines, block, start))
    hint = nearest("\n".join(lines), "\n".join(block))
    raise ToolRefused(f"The part to change is not in the file. {hint}")


def _indent_lack(lines: Sequence[str], block: Sequence[str], start: int) -> str:
    """Return the indent that the file's lines have more than the block's."""
    for offset, line in enumerate(block):
        if line.strip() and start + offset < len(lines):
            there, given = _indent(lines[start + offset]), _indent(line)
            return there.removesuffix(given) if there.endswith(given) else ""
    return ""


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _swap(text: str, old: str, new: str) -> str:
    lines = text.split("\n")
    old_block, new_block = old.strip("\n").split("\n"), new.strip("\n").split("\n")
    if not old.strip():
        raise ToolRefused("The part to change is empty; show the lines that stand there now.")
    place = _place_of(lines, old_block)
    indented = [f"{place.indent}{line}" if line.strip() else line for line in new_block]
    replacement = indented if new.strip() else []
    return "\n".join([*lines[: place.start], *replacement, *lines[place.end :]])


def applied(text: str, change: str, path: str) -> str:
    """Apply a change of any form: search/replace blocks, a unified diff, the changed Python
    definitions, or the whole file. Raises ToolRefused."""
    fenced = _FENCED.match(change)
    change = (fenced[2] + "\n" if fenced else change).replace("\r\n", "\n")
    blocks = _SEARCH_REPLACE.findall(change)
    if blocks:
        new = text
        for old_part, new_part in blocks:
            _refuse_placeholder(new_part, text)
            new = _swap(new, old_part, new_part)
    elif hunks := _hunks(change):
        new = text
        for old_part, new_part in hunks:
            new = _swap(new, old_part, new_part)
    else:
        new = _merged(text, change) if path.endswith(".py") else ""
        new = new or (change if change.endswith("\n") else change + "\n")
        refuse_loss(text, new)
    if new == text:
        raise ToolRefused("The change leaves the file as it is.")
    if path.endswith(".py") and not syntax_error(text) and (problem := syntax_error(new)):
        raise ToolRefused(f"The result would be no valid Python ({problem}); nothing was written.")
    return new


def _refuse_placeholder(part: str, old: str) -> None:
    line = placeholder_in(part, old)
    if line:
        raise ToolRefused(f"{line[:80]!r} stands for code that was left out. Write it out.")


def _hunks(change: str) -> list[tuple[str, str]]:
    """Read the hunks of a unified diff: what each takes away and what it puts there. The numbers
    in their heads are not believed."""
    if not re.search(r"^@@|^--- .*\n\+\+\+ ", change, re.M):
        return []
    found: list[tuple[list[str], list[str]]] = []
    for line in change.split("\n"):
        if line.startswith("@@"):
            found.append(([], []))
        elif line.startswith(("--- ", "+++ ", "diff ", "index ", "\\")):
            if line.startswith("+++ ") and not found:
                found.append(([], []))
        elif found:
            old, new = found[-1]
            if not line.startswith("+"):
                old.append(line[1:])
            if not line.startswith("-"):
                new.append(line[1:])
    return [("\n".join(old), "\n".join(new)) for old, new in found if old or new]


def syntax_error(source: str) -> str:
    """Say what keeps a text from being Python; empty if nothing does."""
    try:
        ast.parse(source)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError):
        return "it cannot be read"
    return ""


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _merged(text: str, change: str) -> str:
    """Put the definitions of a change in the place of those with the same names; empty if the
    change is more than some of the file's definitions."""
    if syntax_error(text) or syntax_error(change):
        return ""
    old, new = ast.parse(text), ast.parse(change)
    places = {one.name: one for one in old.body if isinstance(one, _Definition)}
    parts = [one for one in new.body if isinstance(one, _Definition)]
    if not parts or len(parts) < len(new.body) or len(_work(change)) >= len(_work(text)):
        return ""
    if any(one.name not in places for one in parts):
        return ""
    lines, given = text.split("\n"), change.split("\n")
    for part in sorted(parts, key=lambda one: -places[one.name].lineno):
        start, end = _span(places[part.name])
        new_start, new_end = _span(part)
        _refuse_placeholder("\n".join(given[new_start:new_end]), text)
        lines[start:end] = given[new_start:new_end]
    return "\n".join(lines)


def _span(node: _Definition) -> tuple[int, int]:
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return first - 1, node.end_lineno or node.lineno
