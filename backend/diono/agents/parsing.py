"""Reading what a model wrote: fenced code, JSON, assertions; and refusing what is no work."""

import ast
import json
import re
from dataclasses import dataclass
from typing import Any, cast

from diono.agents.shapes import is_dict

_FENCE = re.compile(
    r"^[ \t]*(?:```|~~~)[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*(?:```|~~~)|\Z)", re.S | re.M
)
_WHOLE = r"(?:code|file|function|implementation|program|class|method|module|logic|body)"
_PLACEHOLDER = re.compile(
    rf"(?:#|//|/\*|<!--)[^\n]*\b(?:rest of (?:the |your |this )?{_WHOLE}|remaining code|"
    r"existing code|your code|code here|implementation here|implement (?:this|here|me)|"
    rf"same as before|(?:rest|{_WHOLE}|everything else)[^\n]*\bunchanged|(?-i:TODO\b)|"
    rf"fill in (?:the |your )?(?:{_WHOLE}|details|rest\b(?! of))|add (?:your|the) (?:code|logic))",
    re.I,
)
_ELLIPSIS = re.compile(r"^\s*(?:\.\.\.|#\s*\.\.\.|//\s*\.\.\.)\s*$", re.M)
_ASSERT_END = re.compile(r"\s*(?:#.*)?$")


def code_of(answer: str, language: str = "") -> str:
    """Return the longest fenced block of an answer, or the whole answer if it has no fence."""
    text = answer.replace("\r\n", "\n")
    blocks = [(tag.lower(), body) for tag, body in _FENCE.findall(text)]
    fitting = [body for tag, body in blocks if not language or tag in ("", language, language[:2])]
    candidates = fitting or [body for _, body in blocks]
    if candidates:
        return max(candidates, key=len).strip("\n")
    return re.sub(r"^\s*(?:```|~~~)[^\n]*\n?", "", text).strip("\n")


def begun_code(begun: str, rest: str) -> str:
    """Join a begun answer with its continuation; a server may or may not repeat the beginning."""
    if rest.lstrip().startswith(begun.strip()[:20]):
        return code_of(rest)
    return code_of(begun + rest)


def json_of(answer: str) -> Any:
    """Return the first JSON object or array in an answer. Raises ValueError if there is none."""
    text = code_of(answer, "json") if "```" in answer else answer
    decoder = json.JSONDecoder()
    for match in re.finditer(r"[\[{]", text):
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        return value
    raise ValueError("the answer has no JSON in it")


@dataclass(frozen=True)
class Assertion:
    arguments: tuple[Any, ...]
    expected: Any


def assertions_of(text: str, function: str, names: list[str]) -> list[Assertion]:
    """Read every ``assert f(literals) == literal`` line; others are passed over."""
    found: list[Assertion] = []
    for line in text.splitlines():
        assertion = _assertion(_ASSERT_END.sub("", line.strip()), function, names)
        if assertion is not None:
            found.append(assertion)
    return found


def _assertion(line: str, function: str, names: list[str]) -> Assertion | None:
    try:
        tree = ast.parse(line)
    except (SyntaxError, ValueError, RecursionError):
        return None
    test = tree.body[0].test if tree.body and isinstance(tree.body[0], ast.Assert) else None
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq | ast.Is):
        return None
    call = test.left
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    if call.func.id != function:
        return None
    try:
        values = dict(zip(names, [_literal(argument) for argument in call.args], strict=False))
        values |= {word.arg: _literal(word.value) for word in call.keywords if word.arg}
        expected = ast.literal_eval(test.comparators[0])
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None
    if set(values) != set(names) or len(call.args) > len(names):
        return None
    return Assertion(tuple(plain(values[name]) for name in names), plain(expected))


def _literal(node: ast.expr) -> Any:
    # Small models leave the quotes off a single word: ``f(XIV)`` means ``f("XIV")``.
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def plain(value: Any) -> Any:
    """Turn a Python literal into JSON values (tuples and sets to lists, keys to text)."""
    if is_dict(value):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in cast(set[Any], value)), key=str)
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast(list[Any], value)]
    if isinstance(value, bytes | complex) or value is Ellipsis:
        return str(value)
    return value


def fingerprint(source: str) -> str:
    """Return the code without comments and white space: equal for verbatim repeats."""
    lines = [re.sub(r"(?:#|//).*$", "", line) for line in source.splitlines()]
    return "".join("".join(lines).split())


def placeholder_in(source: str) -> bool:
    """Say whether something stands in for code ("rest unchanged", a lone ellipsis)."""
    return bool(_PLACEHOLDER.search(source) or _ELLIPSIS.search(source))


def refusal_of(source: str, function: str, previous: str = "") -> str:
    """Say why code is no work (a placeholder, a stub, shrunk), or return an empty string."""
    if not source.strip():
        return "the answer was empty"
    if not re.search(rf"\b{re.escape(function)}\b", source):
        return f"{function} is not defined in the answer"
    if placeholder_in(source):
        return "the answer has a placeholder instead of code"
    if previous and len(fingerprint(source)) < 0.5 * len(fingerprint(previous)):
        return "the answer is less than half of the accepted file"
    return ""
