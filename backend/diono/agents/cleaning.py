"""From an answer to a module: only definitions stay, whatever the model wrote around them."""

import ast
import builtins
import re
import sys
from typing import TypeGuard

from diono.agents import text
from diono.agents.parsing import begun_code, code_of
from diono.agents.spec import FunctionSpec

_KEPT = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef,
    ast.Assign, ast.AnnAssign,
)  # fmt: skip
_HOMES = {
    "Counter": "collections", "defaultdict": "collections", "deque": "collections",
    "OrderedDict": "collections", "namedtuple": "collections", "reduce": "functools",
    "lru_cache": "functools", "permutations": "itertools", "combinations": "itertools",
    "product": "itertools", "chain": "itertools", "StringIO": "io", "datetime": "datetime",
    "timedelta": "datetime", "date": "datetime", "Path": "pathlib", "sqrt": "math",
    "gcd": "math", "ceil": "math", "floor": "math", "List": "typing", "Dict": "typing",
    "Any": "typing", "Optional": "typing", "Tuple": "typing", "Union": "typing",
    "Decimal": "decimal", "Fraction": "fractions",
}  # fmt: skip
_PURE_CALLS = frozenset(("dict", "list", "tuple", "set", "frozenset", "range", "zip", "str"))
_MODULE_SYNTAX = re.compile(r"^(?:module\.exports|exports\.\w+)\s*=.*$|^export\s+\{.*\};?$", re.M)


def python_module(begun: str, answer: str) -> str:
    """Return the definitions of an answer as module text. Code that does not parse is cut after
    its last complete definition; nothing usable gives an empty string."""
    source = begun_code(begun, answer) if begun else code_of(answer, "python")
    lines = source.expandtabs(4).split("\n")
    for end in range(len(lines), max(len(lines) - 25, 0), -1):
        try:
            tree = ast.parse("\n".join(lines[:end]))
        except (SyntaxError, ValueError, RecursionError):
            continue
        return _definitions(tree, _silenced(tree, lines[:end]))
    return ""


def _silenced(tree: ast.Module, lines: list[str]) -> list[str]:
    """Replace ``print(...)`` statements inside functions: results are returned, not shown."""
    returned = {id(one.body[-1]) for one in ast.walk(tree) if _shows_its_result(one)}
    for node in ast.walk(tree):
        shown = _printed(node)
        if shown is None or not isinstance(node, ast.Expr) or node.end_lineno is None:
            continue
        result = ast.unparse(shown[0]) if id(node) in returned else ""
        lines[node.lineno - 1] = " " * node.col_offset + (f"return {result}" if result else "pass")
        for extra in range(node.lineno, node.end_lineno):
            lines[extra] = ""
    return lines


def _printed(node: ast.AST) -> list[ast.expr] | None:
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return None
    called = node.value.func
    return node.value.args if isinstance(called, ast.Name) and called.id == "print" else None


def _shows_its_result(node: ast.AST) -> TypeGuard[ast.FunctionDef]:
    """Say whether a function returns nothing and prints one value at its end instead."""
    if not isinstance(node, ast.FunctionDef):
        return False
    returns = [one for one in ast.walk(node) if isinstance(one, ast.Return) and one.value]
    return not returns and len(_printed(node.body[-1]) or []) == 1


def _definitions(tree: ast.Module, lines: list[str]) -> str:
    parts: list[str] = []
    for node in tree.body:
        if not isinstance(node, _KEPT) or node.end_lineno is None or _is_script(node):
            continue
        decorators = getattr(node, "decorator_list", [])
        start = min([node.lineno, *(one.lineno for one in decorators)])
        parts.append("\n".join(lines[start - 1 : node.end_lineno]))
    imports = [one for one in parts if one.startswith(("import ", "from "))]
    rest = [one for one in parts if one not in imports]
    if not rest:
        return ""
    missing = _missing_imports("\n".join(parts))
    head = "\n".join([*missing, *imports])
    return "\n\n\n".join([*([head] if head else []), *rest]) + "\n"


def _missing_imports(source: str) -> list[str]:
    """Import what the code uses without importing it: a begun answer has no place for imports."""
    tree = ast.parse(source)
    used = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}
    bound = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and not _is_read(one)}
    bound |= {one.arg for one in ast.walk(tree) if isinstance(one, ast.arg)}
    for one in ast.walk(tree):
        if isinstance(one, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name.split(".")[0] for alias in one.names}
        elif isinstance(one, ast.FunctionDef | ast.ClassDef):
            bound.add(one.name)
    free = sorted(used - bound - set(dir(builtins)))
    modules = [f"import {name}" for name in free if name in sys.stdlib_module_names]
    return modules + [f"from {_HOMES[name]} import {name}" for name in free if name in _HOMES]


def _is_read(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Load)


def _is_script(node: ast.stmt) -> bool:
    """Say whether a statement belongs to a program that talks, not to a module of functions."""
    if isinstance(node, ast.FunctionDef):
        return node.name == "main"
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return False
    calls = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    return any(isinstance(one, ast.Name) and one.id not in _PURE_CALLS for one in calls)


def is_only_a_stub(source: str, function: str) -> bool:
    """Say whether the function's body does nothing (pass, a docstring, NotImplementedError)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            body = [one for one in node.body if not _is_constant(one)]
            return all(isinstance(one, ast.Pass | ast.Raise) for one in body)
    return False


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def javascript_module(answer: str) -> str:
    source = code_of(answer, "javascript")
    source = re.sub(
        r"^export\s+(?:default\s+)?(?=function|const|let|class|async)", "", source, flags=re.M
    )
    return _MODULE_SYNTAX.sub("", source).strip() + "\n"


def with_global(source: str, function: FunctionSpec) -> str:
    """Make the function reachable for the page, however it was declared."""
    name = text.camel(function.name)
    return f"{source.rstrip()}\n\nwindow.{name} = {name};\n"
