"""A cell's source made into code: magics, the last expression's value, top-level await."""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Callable
from typing import Any

from . import sources

_MAGICS_LIMIT = 500
_ASSIGNED = re.compile(r"^(\s*)([\w.,\[\]'\" ]+?)\s*=\s*([!%])(?![=])(.*)$")
_MAGIC = re.compile(r"^(\s*)(!!|!|%)\s*(.*)$")
_HELP = re.compile(r"^(\s*)([A-Za-z_][\w.]*)\?{1,2}\s*$|^(\s*)\?{1,2}([A-Za-z_][\w.]*)\s*$")

Await = Callable[[Any], object]


class Cell:
    """Errors: SyntaxError, and whatever the cell raises."""

    def __init__(self, source: str, filename: str) -> None:
        self._source = _without_indent(source)
        self._filename = filename
        sources.remember(filename, self._source)

    def run(self, namespace: dict[str, Any], wait: Await) -> object:
        """Return the value of the last expression; None if there is none to show."""
        if self._source.startswith("%%"):
            return namespace_shell(namespace).run_cell(self._source)
        tree = self._parse()
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not _is_hushed(self._source):
            last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        if tree.body:
            self._evaluate(tree, "exec", namespace, wait)
        return self._evaluate(last, "eval", namespace, wait) if last is not None else None

    def _evaluate(self, tree: Any, mode: str, namespace: dict[str, Any], wait: Await) -> object:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code: Any = compile(tree, self._filename, mode, flags, dont_inherit=True)
        if code.co_flags & inspect.CO_COROUTINE:
            return wait(types.FunctionType(code, namespace)())
        return eval(code, namespace)  # noqa: S307 - what a kernel is for

    def _parse(self) -> ast.Module:
        """Parse; where that fails at a magic, translate this line and try again."""
        lines = self._source.split("\n")
        for _ in range(_MAGICS_LIMIT):
            try:
                return self._parsed("\n".join(lines))
            except SyntaxError as error:
                translated = _translated(lines, (error.lineno or 1) - 1)
                if translated is None:
                    raise
                number, count, line = translated
                lines[number : number + count] = [line] + [""] * (count - 1)
        return self._parsed("\n".join(lines))

    def _parsed(self, text: str) -> ast.Module:
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return compile(text, self._filename, "exec", flags, dont_inherit=True)  # type: ignore[return-value]


def namespace_shell(namespace: dict[str, Any]) -> Any:
    """Return the shell object of this kernel."""
    return namespace["__builtins__"].get_ipython()


def _without_indent(source: str) -> str:
    """Take away an indentation that the whole cell has, as IPython does."""
    lines = source.split("\n")
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    if not indent:
        return source
    return "\n".join(line[len(indent) :] if line.startswith(indent) else line for line in lines)


def _is_hushed(source: str) -> bool:
    """A semicolon at the end hides the value."""
    lines = [
        line for line in source.split("\n") if line.strip() and not line.strip().startswith("#")
    ]
    if not lines:
        return False
    return lines[-1].partition("#")[0].rstrip().endswith(";") or lines[-1].rstrip().endswith(";")


def _translated(lines: list[str], number: int) -> tuple[int, int, str] | None:
    """Return (first line, how many, Python for it) of the magic at or just above ``number``."""
    for candidate in (number, number - 1):
        if not 0 <= candidate < len(lines):
            continue
        count = 1
        text = lines[candidate]
        while text.endswith("\\") and candidate + count < len(lines):
            text = text[:-1] + lines[candidate + count]
            count += 1
        line = _python_for(text)
        if line is not None:
            return candidate, count, line
    return None


def _python_for(line: str) -> str | None:
    assigned = _ASSIGNED.match(line)
    if assigned:
        indent, target, mark, rest = assigned.groups()
        return f"{indent}{target} = {_call(mark, rest, is_assigned=True)}"
    magic = _MAGIC.match(line)
    if magic:
        indent, mark, rest = magic.groups()
        return f"{indent}{_call(mark, rest, is_assigned=mark == '!!')}"
    asked = _HELP.match(line)
    if asked:
        return f"{asked[1] or asked[3] or ''}help({asked[2] or asked[4]})"
    return None


def _call(mark: str, rest: str, is_assigned: bool) -> str:
    if mark != "%":
        name = "getoutput" if is_assigned else "system"
        return f"get_ipython().{name}({rest.strip()!r})"
    name, _, arguments = rest.strip().partition(" ")
    return f"get_ipython().run_line_magic({name!r}, {arguments.strip()!r})"
