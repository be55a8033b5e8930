"""Small edits of a program that is nearly right: a bound, a sign, a constant, a slice, a test.

A small model often misses by one such edit and repeats the mistake in every try. The edits cost
no tokens; which of them meets the checks is found by running them.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

MOST_EDITS = 160
_MOST_CHARACTERS = 4_000
_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_REACHED: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Div, ast.Pow),
    ast.Div: (ast.FloorDiv, ast.Mult),
    ast.FloorDiv: (ast.Div, ast.Mod),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr, ast.BitXor),
    ast.BitOr: (ast.BitAnd, ast.BitXor),
    ast.BitXor: (ast.BitAnd, ast.BitOr),
}
_CALLED = {
    "min": ("max",), "max": ("min",), "any": ("all",), "all": ("any",), "sum": ("len",),
    "len": ("sum",), "set": ("list",),
}  # fmt: skip
_METHODS = {
    "upper": "lower", "lower": "upper", "startswith": "endswith", "endswith": "startswith",
    "find": "rfind", "lstrip": "rstrip", "rstrip": "lstrip", "isupper": "islower",
    "islower": "isupper", "union": "intersection", "intersection": "union", "match": "search",
    "search": "fullmatch",
}  # fmt: skip


def edited(source: str, name: str) -> list[str]:
    """Return the source with one edit each, without repeats; empty if there is no such function or
    it is too long to hope for much."""
    if len(source) > _MOST_CHARACTERS:
        return []
    tree = ast.parse(source)
    target = next(
        (one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == name), None
    )
    if target is None:
        return []
    given = [one.arg for one in (*target.args.posonlyargs, *target.args.args)]
    unchanged = f"{ast.unparse(tree)}\n"
    found: dict[str, None] = {}
    for put, node in _places(target):
        for other in _others(node, given):
            put(other)
            text = f"{ast.unparse(tree)}\n"
            if text != unchanged:
                found[text] = None
            if len(found) >= MOST_EDITS:
                return list(found)
        put(node)
    return list(found)


def _places(target: ast.FunctionDef) -> Iterator[tuple[Callable[[ast.AST], None], ast.AST]]:
    """Yield every node in a function, the outer ones first, and what puts another in its place."""
    for owner in list(ast.walk(target)):
        for name, value in list(ast.iter_fields(owner)):
            if isinstance(value, ast.AST):
                yield partial(setattr, owner, name), value
            elif isinstance(value, list):
                row = cast("list[Any]", value)
                for index, one in enumerate(list(row)):
                    if isinstance(one, ast.AST):
                        yield partial(row.__setitem__, index), one


def _others(node: ast.AST, given: Sequence[str]) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for kind in _COMPARED.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [kind()], node.comparators)
    elif isinstance(node, ast.BinOp):
        for kind in _REACHED.get(type(node.op), ()):
            yield ast.BinOp(node.left, kind(), node.right)
        yield node.left
        yield node.right
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.Constant):
        yield from _constants(node, given)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield from _slices(node, node.slice)
    else:
        yield from _statements(node, given)


def _constants(node: ast.Constant, given: Sequence[str]) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        for near in (value + 1, value - 1):
            yield ast.Constant(near) if near >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(1))
        yield from (ast.Name(one, ast.Load()) for one in given)
    elif isinstance(value, str) and value in ("", " "):
        yield ast.Constant(" " if not value else "")


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    called = node.func
    if isinstance(called, ast.Name):
        for other in _CALLED.get(called.id, ()):
            yield ast.Call(ast.Name(other, ast.Load()), node.args, node.keywords)
        if called.id == "range" and node.args:
            *first, last = node.args[:2]
            for kind in (ast.Add, ast.Sub):
                end = ast.BinOp(last, kind(), ast.Constant(1))
                yield ast.Call(called, [*first, end, *node.args[2:]], [])
        if called.id == "sorted" and not node.keywords:
            turned = ast.keyword("reverse", ast.Constant(True))
            yield ast.Call(called, node.args, [turned])
    elif isinstance(called, ast.Attribute) and called.attr in _METHODS:
        other = ast.Attribute(called.value, _METHODS[called.attr], ast.Load())
        yield ast.Call(other, node.args, node.keywords)


def _slices(node: ast.Subscript, cut: ast.Slice) -> Iterator[ast.AST]:
    """Let the bound of a slice be its start, its end, its step, counted from the other side."""
    bound = cut.upper or cut.lower or cut.step
    if bound is None:
        return
    back = ast.UnaryOp(ast.USub(), bound)
    after, before = (ast.BinOp(bound, kind(), ast.Constant(1)) for kind in (ast.Add, ast.Sub))
    for lower, upper, step in (
        (None, bound, None), (bound, None, None), (None, None, bound), (back, None, None),
        (None, back, None), (before, None, None), (None, before, None), (after, None, None),
        (None, after, None), (before, None, bound),
    ):  # fmt: skip
        yield ast.Subscript(node.value, ast.Slice(lower, upper, step), node.ctx)


def _statements(node: ast.AST, given: Sequence[str]) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value is not None:
        value = node.value
        yield ast.Return(ast.UnaryOp(ast.Not(), value))
        for kind in (ast.Add, ast.Sub):
            yield ast.Return(ast.BinOp(value, kind(), ast.Constant(1)))
        for kind in (ast.Mult, ast.FloorDiv, ast.Div):
            yield ast.Return(ast.BinOp(value, kind(), ast.Constant(2)))
        yield ast.Return(ast.Call(ast.Name("len", ast.Load()), [value], []))
        yield ast.Return(ast.Subscript(value, ast.Constant(0), ast.Load()))
        yield ast.Return(ast.Call(ast.Name("abs", ast.Load()), [value], []))
    elif isinstance(node, ast.If):
        yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.Name) and node.id in given and isinstance(node.ctx, ast.Load):
        yield from (ast.Name(one, ast.Load()) for one in given if one != node.id)
