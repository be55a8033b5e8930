"""What follows from a changed spec without any model: the files and the proof around it."""

import ast
import json
from collections.abc import Sequence
from dataclasses import replace

from diono.agents import qa
from diono.agents.architect import plan_for
from diono.agents.blueprints import Blueprint
from diono.agents.changing import appearance
from diono.agents.changing.operations import Operation, RemoveFunction
from diono.agents.cleaning import with_global
from diono.agents.generators import fastapi_app, python_cli, static_web
from diono.agents.proof import CliCase, PageCase, Proof
from diono.agents.spec import Built, FunctionSpec, Spec

CORE_TESTS = "tests/test_core.py"
HELP = "help lists the commands"
_SHOWN_COMMANDS = 4


def removed_functions(operations: Sequence[Operation]) -> tuple[str, ...]:
    return tuple(one.name for one in operations if isinstance(one, RemoveFunction))


def path_of(spec: Spec, function: FunctionSpec) -> str:
    module = static_web if spec.blueprint == "static-web" else python_cli
    return module.path_of(function)


def tests_path(function: FunctionSpec) -> str:
    return f"tests/test_{function.name}.py"


def files_for(after: Spec, built: Sequence[Built]) -> dict[str, bytes]:
    """Return the generated files of the changed spec; ``built`` are its new functions."""
    files = {"plan.json": _plan(after)}
    for one in built:
        is_page = after.blueprint == "static-web"
        source = with_global(one.source, one.function) if is_page else one.source
        files[path_of(after, one.function)] = source
        if not is_page:
            files[tests_path(one.function)] = python_cli.unit_tests([one])
    if after.shape == "records" and after.entity is not None:
        files[fastapi_app.PATH] = fastapi_app.entities_module(after, after.entity)
        files["README.md"] = fastapi_app.readme(after, after.entity)
    elif after.blueprint == "static-web":
        files["index.html"] = static_web.page(after, list(after.functions))
        files["README.md"] = static_web.readme(after)
    else:
        files["main.py"] = python_cli.main_module(after, list(after.functions))
    return {path: content.encode() for path, content in files.items()}


def _plan(after: Spec) -> str:
    plan = plan_for(after)
    return json.dumps(
        {"spec": after.model_dump(mode="json"), **plan.model_dump(mode="json")}, indent=2
    )


def readme_for(after: Spec, proof: Proof) -> dict[str, bytes]:
    """Return the README of a command-line program, with command lines of its proof: if one of
    them does not print this, the change is taken back and the README with it."""
    if after.blueprint != "python-cli":
        return {}
    built = [Built(function=one, source="") for one in after.functions]
    shown = [
        (" ".join(one.argv[2:]).replace("@", ""), one.expected)
        for one in proof.cli
        if one.is_required and one.should_succeed and one.expected and "--help" not in one.argv
    ]
    readme = python_cli.readme(after, built, shown[:_SHOWN_COMMANDS])
    return {"README.md": readme.encode()}


def without_functions(tests: str, names: Sequence[str]) -> str:
    """Take the tests and the imports of removed functions out of a generated test module."""
    try:
        tree = ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError):
        return tests
    lines = tests.splitlines()
    dropped: set[int] = set()
    for node in tree.body:
        is_import = isinstance(node, ast.ImportFrom) and node.module in {
            f"core.{name}" for name in names
        }
        is_test = isinstance(node, ast.FunctionDef) and any(
            node.name.startswith(f"test_{name}_") for name in names
        )
        if is_import or is_test:
            dropped.update(range(node.lineno - 1, node.end_lineno or node.lineno))
    return "\n".join(line for index, line in enumerate(lines) if index not in dropped) + "\n"


def proof_after(
    before: Proof,
    after: Spec,
    blueprint: Blueprint,
    operations: Sequence[Operation],
    built: Sequence[Built],
) -> Proof:
    """Return every check of the changed app: the old ones that still apply, and the new ones."""
    proof = _proof_after(before, after, blueprint, operations, built)
    looks = appearance.evidence(after)
    shift = len(proof.requests)
    http = [replace(one, index=one.index + shift) for one in looks.http]
    return replace(proof, requests=(*proof.requests, *looks.requests), http=(*proof.http, *http))


def _proof_after(
    before: Proof,
    after: Spec,
    blueprint: Blueprint,
    operations: Sequence[Operation],
    built: Sequence[Built],
) -> Proof:
    if after.shape != "functions":
        # What its functions were held against stays, where it has any.
        return replace(qa.proof_for(after, blueprint, []), properties=before.properties)
    removed = removed_functions(operations)
    if after.blueprint == "static-web":
        fresh = qa.proof_for(after, blueprint, [])
        kept = [one for one in before.pages if not _is_about(one, removed)]
        names = {one.name for one in fresh.pages}
        pages = [*fresh.pages, *[one for one in kept if one.name not in names]]
        return replace(fresh, pages=(*pages, *qa.form_cases(built)))
    commands = tuple(one.command for one in after.functions)
    help_case = CliCase(HELP, ("python3", "main.py", "--help"), contains=commands)
    gone = tuple(name.replace("_", "-") for name in removed)
    kept_cases = [
        one for one in before.cli if one.name != HELP and not (gone and one.name.startswith(gone))
    ]
    paths = tuple(python_cli.path_of(one) for one in after.functions)
    held = [one for one in before.properties if not {one.function, one.partner} & {*removed}]
    return replace(
        before,
        properties=(*held, *qa.property_cases(after, built)),
        cli=(help_case, *kept_cases, *qa.command_cases(built, is_single=False)),
        syntax=("main.py", *paths),
    )


def _is_about(case: PageCase, names: Sequence[str]) -> bool:
    forms = {f"#{name}" for name in names}
    selectors = (value for action in case.actions for value in action.values())
    return any(isinstance(one, str) and one.partition(" ")[0] in forms for one in selectors)
