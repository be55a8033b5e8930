"""What can be said of Python source without running it."""

import ast
from typing import Any

MOST_IMPORTS = 60


def facts_of(text: str) -> dict[str, Any]:
    """Return public functions and classes, how many are documented, and imported modules."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {"functions": 0, "documented": 0, "imports": []}
    functions = documented = 0
    imports: set[str] = set()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imports.add(node.module.partition(".")[0])
    # What others can use: not what is inside of functions.
    classes = [one for one in tree.body if isinstance(one, ast.ClassDef)]
    within = [inner for one in classes if not one.name.startswith("_") for inner in one.body]
    for node in [*tree.body, *within]:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            functions += 1
            documented += ast.get_docstring(node, clean=False) is not None
    names = sorted(one for one in imports if len(one) <= 100)
    return {"functions": functions, "documented": documented, "imports": names[:MOST_IMPORTS]}
