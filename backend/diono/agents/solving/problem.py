"""Reading what shall be solved: a signature with a docstring, asserts, or a plain sentence."""

import ast
import builtins
import doctest
import re
from dataclasses import dataclass, replace

from diono.agents.errors import PlanRefused

_ASSERT = re.compile(r"^[ \t]*(assert\b.+)$", re.M)
_CODE_START = re.compile(r"^(?:from|import|def|async def|class|@)\b|^@", re.M)
_FENCE = re.compile(r"```[\w+-]*\n(.*?)(?:```|\Z)", re.S)
_NAMED = (
    re.compile(r"\b(?:named|called)\s+[`'\"]?([A-Za-z_]\w*)"),
    re.compile(r"\b(?:function|def)\s+[`'\"]?([A-Za-z_]\w*)[`'\"]?\s*\("),
    re.compile(r"`([A-Za-z_]\w*)\s*(?:\([^`]*\))?`"),
    re.compile(r"\b([a-z]\w*_\w+)\s*\("),
)
_ARROWS = r"\s*(?:➞|=>|->|→|==|#=>|returns?|should return|will return|evaluates to)\s*"


@dataclass(frozen=True)
class Problem:
    """``head`` is the signature line(s) and ``docstring`` its source, both empty if only the name
    is known. ``preamble`` stands above the function. ``checks`` are assert statements."""

    name: str
    description: str
    head: str = ""
    docstring: str = ""
    preamble: str = ""
    checks: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The task as text for the model."""
        if not self.head:
            return self.description
        parts = (self.preamble, f"{self.head}\n    {self.docstring}".rstrip())
        code = "\n\n".join(part for part in parts if part)
        return f"```python\n{code}\n```"


def read_problem(text: str) -> Problem:
    """Raises PlanRefused if no function is meant."""
    plain = text.replace("\r\n", "\n").replace("\t", "    ").strip()
    asserts = tuple(asserts_in(plain))
    words, code = _split(_ASSERT.sub("", plain))
    if code:
        found = _from_code(code, words)
        if found is not None:
            checks = tuple(dict.fromkeys((*found.checks, *asserts)))
            return replace(found, checks=checks)
    name = _called(asserts[0]) if asserts else ""
    name = name or next((hit[1] for one in _NAMED for hit in one.finditer(plain)), "")
    description = " ".join(_ASSERT.sub("", plain).split())
    if not name or not description:
        raise PlanRefused(
            "There is no function to solve in the request. Give a Python signature with a "
            "docstring, or a sentence and an example such as `assert double(2) == 4`."
        )
    return Problem(name=name, description=description, checks=asserts)


def asserts_in(text: str) -> list[str]:
    """Return the asserts of a text, each on one line; what does not parse is passed over."""
    found: list[str] = []
    for hit in _ASSERT.finditer(text):
        try:
            node = ast.parse(hit[1].strip()).body[0]
        except (SyntaxError, ValueError, RecursionError):
            continue
        found.append(ast.unparse(node))
    return list(dict.fromkeys(found))


def _split(text: str) -> tuple[str, str]:
    """Return (words, code)."""
    fence = _FENCE.search(text)
    if fence:
        return _FENCE.sub("", text).strip(), fence[1].strip("\n")
    start = _CODE_START.search(text)
    if start and re.search(r"^\s*(?:async\s+)?def\s", text[start.start() :], re.M):
        return text[: start.start()].strip(), text[start.start() :]
    return text, ""


def _from_code(code: str, words: str) -> Problem | None:
    tree, source = _parsed(code)
    functions = [one for one in tree.body if isinstance(one, ast.FunctionDef)] if tree else []
    if not functions:
        return None
    target = next((one for one in functions if _is_open(one)), functions[-1])
    lines = source.split("\n")
    first = min([target.lineno, *(one.lineno for one in target.decorator_list)])
    head = "\n".join(lines[first - 1 : target.body[0].lineno - 1]).rstrip()
    if target.lineno == target.body[0].lineno:
        head = lines[target.lineno - 1].partition("):")[0] + "):"
    text = ast.get_docstring(target) or ""
    docstring = ""
    node = target.body[0]
    if text and node.end_lineno is not None:
        docstring = "\n".join(lines[node.lineno - 1 : node.end_lineno]).strip()
    elif words:
        docstring = f'"""{words.replace(chr(34) * 3, chr(39) * 3)}"""'
    preamble = "\n".join(lines[: first - 1]).strip()
    checks = tuple(_examples(text, target.name))
    description = " ".join(part for part in (words, text) if part)
    return Problem(target.name, description, head, docstring, preamble, checks)


def _parsed(code: str) -> tuple[ast.Module | None, str]:
    """Parse code whose last function may have no body yet, and may be followed by words."""
    lines = code.rstrip().split("\n")
    for end in range(len(lines), 0, -1):
        part = "\n".join(lines[:end])
        for source in (part, f"{part}\n    pass"):
            try:
                return ast.parse(source), source
            except (SyntaxError, ValueError, RecursionError):
                continue
    return None, code


def _is_open(function: ast.FunctionDef) -> bool:
    """Whether the body is still to be written."""
    rest = [
        one
        for one in function.body
        if not isinstance(one, ast.Pass | ast.Raise)
        and not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    return not rest


def _examples(docstring: str, name: str) -> list[str]:
    """Read doctests, and lines such as ``f(2) => 4``, as assert statements."""
    found: list[str] = []
    try:
        tests = doctest.DocTestParser().get_examples(docstring)
    except ValueError:
        tests = []
    for one in tests:
        if one.exc_msg is None and name in one.source:
            found += _equation(one.source, one.want)
    if found:
        return found
    line = re.compile(rf"(?<![\w.])({re.escape(name)}\(.*\)){_ARROWS}(.+?)\s*$", re.M)
    for hit in line.finditer(docstring):
        want = hit[2].strip()
        for text in (want.rstrip(".,;"), re.split(r"\s{2,}#|\s#|\.\s", want)[0]):
            read = _equation(hit[1], text)
            if read:
                found += read
                break
    return found


def _equation(left: str, right: str) -> list[str]:
    try:
        call = ast.parse(left.strip(), mode="eval").body
        wanted = ast.parse(right.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return []
    if any(isinstance(one, ast.Name) for one in ast.walk(wanted)):
        return []
    return [f"assert {ast.unparse(call)} == {ast.unparse(wanted)}"]


def calls_of(check: str, name: str) -> list[ast.Call]:
    """Return the calls of ``name`` in an assert statement."""
    return [
        one
        for one in ast.walk(ast.parse(check))
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == name
    ]


def _called(check: str) -> str:
    """Name the function that an assert is about: the first call that Python does not know, or
    the first of all."""
    nodes = [one.func for one in ast.walk(ast.parse(check)) if isinstance(one, ast.Call)]
    names = [one.id for one in nodes if isinstance(one, ast.Name)]
    return next((one for one in names if not hasattr(builtins, one)), names[0] if names else "")
