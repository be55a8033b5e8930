"""A user's own tool: a Python file with one function. It is read here and run only in a sandbox.

The function's type hints and docstring say how it is called; they are taken from the syntax tree,
nothing of the file is imported or evaluated on this machine.
"""

import ast
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diono.agents.port import JsonObject
from diono.agents.tools.paths import file_path
from diono.agents.tools.places import ToolPlaces
from diono.agents.tools.port import BaseTool, ToolContext, ToolFacts, ToolRefused, ToolResult
from diono.agents.tools.text import one_line, plain, shortened
from diono.kernel.errors import InvalidInput
from diono.sandbox.port import ExecRequest, ExecResult, ExitReason, Sandbox

TOOL_SECONDS = 30.0
LONGEST_SECONDS = 300.0
_OUTPUT_BYTES = 64_000
_INPUT_BYTES = 1_000_000
_SOURCE_CHARACTERS = 200_000
_TYPES = {
    "str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array",
    "dict": "object", "tuple": "array", "set": "array", "Sequence": "array", "Mapping": "object",
    "List": "array", "Dict": "object", "Path": "string", "Any": "",
}  # fmt: skip
_ARGUMENT_LINE = re.compile(r"^\s*(?::param\s+)?`{0,2}(\w+)`{0,2}\s*(?:\([^)]*\))?\s*:\s*(\S.*)$")
_PROGRAM = r"""
import asyncio, importlib.util, inspect, json, sys
task = json.load(sys.stdin)
out, sys.stdout = sys.stdout, sys.stderr
spec = importlib.util.spec_from_file_location("tool", task["file"])
module = importlib.util.module_from_spec(spec)
sys.modules["tool"] = module
spec.loader.exec_module(module)
arguments = task["arguments"]
if task["paths"]:
    import pathlib
    arguments.update({name: pathlib.Path(arguments[name]) for name in task["paths"]})
result = getattr(module, task["function"])(**arguments)
if inspect.isawaitable(result):
    async def finished():
        return await result
    result = asyncio.run(finished())
out.write(json.dumps({"result": result}, default=str))
out.flush()
"""


class ToolFileRefused(InvalidInput):
    """A file in the tools folder is no tool; the detail says what it lacks."""

    code = "tool_file_refused"


@dataclass(frozen=True)
class PythonToolFile:
    """What was read from a tool's file. ``paths``: parameters that name a file of the project,
    which is copied into the tool's sandbox."""

    facts: ToolFacts
    function: str
    source: str
    packages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    seconds: float = TOOL_SECONDS


def read_tool(name: str, source: str) -> PythonToolFile:
    """Read a tool from its source. Raises ToolFileRefused."""
    if len(source) > _SOURCE_CHARACTERS:
        raise ToolFileRefused(f"{name}: more than {_SOURCE_CHARACTERS} characters.")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolFileRefused(f"{name} is no valid Python: {error}.") from error
    functions = [
        one
        for one in tree.body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not one.name.startswith("_")
    ]
    if len(functions) != 1:
        raise ToolFileRefused(
            f"{name} has {len(functions)} public functions; a tool has one (begin the names of "
            "helpers with an underscore)."
        )
    function = functions[0]
    told = ast.get_docstring(function) or ""
    if not told:
        raise ToolFileRefused(f"{name}: {function.name} has no docstring to tell the model of it.")
    parameters, required, paths = _parameters(name, function, told)
    seconds = _seconds(tree)
    summary = one_line(re.split(r"\n\s*\n|\n\s*(?:Args|Arguments|Parameters):", told)[0], 300)
    facts = ToolFacts(
        name=function.name[:60],
        description=summary,
        parameters=parameters,
        required=required,
        limit_seconds=seconds + 60,
    )
    return PythonToolFile(facts, function.name, source, _packages(tree), paths, seconds)


def _parameters(
    name: str, function: ast.FunctionDef | ast.AsyncFunctionDef, told: str
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...], tuple[str, ...]]:
    taken = function.args
    if taken.posonlyargs or taken.vararg or taken.kwarg:
        raise ToolFileRefused(f"{name}: parameters are plain names, without *, ** or /.")
    words = {
        match[1]: match[2] for line in told.splitlines() if (match := _ARGUMENT_LINE.match(line))
    }
    positional = len(taken.args) - len(taken.defaults)
    required = [one.arg for one in taken.args[:positional]]
    required += [
        one.arg
        for one, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True)
        if default is None
    ]
    parameters: dict[str, dict[str, Any]] = {}
    paths: list[str] = []
    for one in (*taken.args, *taken.kwonlyargs):
        if one.annotation is None:
            raise ToolFileRefused(f"{name}: the parameter {one.arg} has no type hint.")
        schema = _schema(one.annotation)
        described = words.get(one.arg, "")
        if ast.unparse(one.annotation).rpartition(".")[2] == "Path":
            paths.append(one.arg)
            described = described or "Path of a file in the project."
        parameters[one.arg] = {
            **schema,
            **({"description": one_line(described)} if described else {}),
        }
    return parameters, tuple(required), tuple(paths)


def _schema(hint: ast.expr) -> dict[str, Any]:
    """Turn a type hint into a JSON schema; what is not known allows everything."""
    if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
        sides = [one for one in (hint.left, hint.right) if not _is_none(one)]
        return _schema(sides[0]) if len(sides) == 1 else {}
    if isinstance(hint, ast.Subscript):
        outer = _name(hint.value)
        if outer == "Optional":
            return _schema(hint.slice)
        if outer == "Literal":
            return _choices(hint.slice)
        if outer in ("list", "List", "Sequence", "set"):
            return {"type": "array", "items": _schema(hint.slice)}
        return _schema(hint.value)
    known = _TYPES.get(_name(hint), "")
    return {"type": known} if known else {}


def _is_none(hint: ast.expr) -> bool:
    return isinstance(hint, ast.Constant) and hint.value is None


def _name(hint: ast.expr) -> str:
    if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        return hint.value
    return (
        ast.unparse(hint).rpartition(".")[2] if isinstance(hint, ast.Name | ast.Attribute) else ""
    )


def _choices(values: ast.expr) -> dict[str, Any]:
    items = values.elts if isinstance(values, ast.Tuple) else [values]
    texts = [one.value for one in items if isinstance(one, ast.Constant)]
    return {"type": "string", "enum": [text for text in texts if isinstance(text, str)]}


def _packages(tree: ast.Module) -> tuple[str, ...]:
    """Read ``PACKAGES = ["name", …]``."""
    value = _constant(tree, "PACKAGES")
    if not isinstance(value, ast.List | ast.Tuple):
        return ()
    texts = [item.value for item in value.elts if isinstance(item, ast.Constant)]
    return tuple(text for text in texts if isinstance(text, str))


def _seconds(tree: ast.Module) -> float:
    """Read ``TIMEOUT_SECONDS = 60``."""
    value = _constant(tree, "TIMEOUT_SECONDS")
    given = value.value if isinstance(value, ast.Constant) else None
    if isinstance(given, bool) or not isinstance(given, int | float):
        return TOOL_SECONDS
    return min(max(float(given), 1.0), LONGEST_SECONDS)


def _constant(tree: ast.Module, name: str) -> ast.expr | None:
    """Return what the file assigns to a name at its top level."""
    for one in tree.body:
        if isinstance(one, ast.Assign) and [_name(target) for target in one.targets] == [name]:
            return one.value
    return None


async def install(sandbox: Sandbox, packages: Sequence[str]) -> None:
    """Install a tool's packages. Raises ToolRefused."""
    if packages:
        done = await sandbox.install(packages)
        if not done.is_success:
            detail = one_line((done.stderr or done.stdout)[-300:], 300)
            raise ToolRefused(f"The tool's packages could not be installed: {detail}")


class PythonTool(BaseTool):
    """Runs in a sandbox of its own, without the project and without a network."""

    def __init__(self, file: PythonToolFile, places: ToolPlaces) -> None:
        self.facts = file.facts
        self._file = file
        self._places = places
        self._digest = hashlib.sha256(file.source.encode()).hexdigest()[:12]
        self._prepared = ""

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        inputs = await self._inputs(arguments, context)
        sandbox = await self._places.open(context.stage, f"tool-{self.facts.name}")
        name = f"{self.facts.name}_{self._digest}.py"
        if self._prepared != sandbox.sandbox_id:
            await sandbox.write_file(name, self._file.source.encode())
            await install(sandbox, self._file.packages)
            self._prepared = sandbox.sandbox_id
        await sandbox.write_files(dict(inputs.values()))
        values = {**arguments, **{parameter: path for parameter, (path, _) in inputs.items()}}
        task = {
            "file": name,
            "function": self._file.function,
            "arguments": values,
            "paths": list(inputs),
        }
        done = await sandbox.execute(
            ExecRequest(
                argv=("python3", "-c", _PROGRAM),
                stdin=json.dumps(task).encode(),
                timeout_seconds=self._file.seconds,
                output_limit_bytes=_OUTPUT_BYTES,
            )
        )
        return _result(self._file, done, context.limit_characters)

    async def _inputs(
        self, arguments: JsonObject, context: ToolContext
    ) -> dict[str, tuple[str, bytes]]:
        """Return, by parameter, a project's file that the tool gets: where, and its content."""
        inputs: dict[str, tuple[str, bytes]] = {}
        for parameter in self._file.paths:
            if parameter in arguments:
                path = file_path(str(arguments[parameter]))
                content = await (await context.sandbox()).read_file(path, _INPUT_BYTES)
                inputs[parameter] = (f"input/{parameter}/{path.rpartition('/')[2]}", content)
        return inputs


def _result(file: PythonToolFile, done: ExecResult, limit: int) -> ToolResult:
    name = file.facts.name
    if done.reason is ExitReason.DEADLINE:
        text = f"{name} gave no result within {file.seconds:g} s and was ended."
        return ToolResult(text=text, is_error=True)
    if not done.is_success:
        said = plain(done.stderr or done.stdout).strip()
        lines = [line for line in said.splitlines() if "<frozen" not in line][-6:]
        return ToolResult(
            text=f"{name} failed:\n" + shortened("\n".join(lines), limit), is_error=True
        )
    try:
        value = json.loads(done.stdout)["result"]
    except (ValueError, KeyError, TypeError):
        text = f"{name} gave more than {_OUTPUT_BYTES} bytes or no JSON."
        return ToolResult(text=text, is_error=True)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return ToolResult(text=shortened(plain(text), limit))
