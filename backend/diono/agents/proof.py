"""Acceptance checks: what is run, what must come out, and what really came out.

Each check has to be able to fail: what already passes on the empty shell is no proof, and the
team marks it as not required.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from diono.agents.blueprints import BlueprintCatalog, ServiceRecipe
from diono.agents.port import Check
from diono.agents.properties import PropertyCase, judge_property, task_for
from diono.agents.shapes import dict_of, is_list
from diono.agents.values import plain_text
from diono.agents.workspace import ensure_service, execute, run_tool
from diono.sandbox.port import Sandbox

_REFUSALS = range(400, 500)
Kind = Literal["install", "start", "unit", "property", "cli", "http", "page", "syntax"]


@dataclass(frozen=True)
class CliCase:
    """A command line: its exit status, and its output if that is known."""

    name: str
    argv: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    expected: str | None = None
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    complains: tuple[str, ...] = ()
    """What the error output must have, in any case of letters."""
    should_succeed: bool = True
    allows_nothing: bool = False
    note: str = ""
    is_required: bool = True


@dataclass(frozen=True)
class HttpRequest:
    method: str
    path: str
    body: Any = None
    raw: str | None = None
    """Sent as it is, as a body that claims to be JSON."""


@dataclass(frozen=True)
class Expectation:
    """What the answer to the request at ``index`` must be like."""

    name: str
    index: int
    status: int
    contains: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    rows: int | None = None
    is_required: bool = True
    or_status: tuple[int, ...] = ()


@dataclass(frozen=True)
class PageCase:
    """A fresh page: what is done on it and what each reading must show."""

    name: str
    actions: tuple[dict[str, Any], ...]
    reads: tuple[Any, ...]
    note: str = ""
    is_required: bool = True
    depth: str = "page"


@dataclass(frozen=True)
class Proof:
    """All checks of a build."""

    cli: tuple[CliCase, ...] = ()
    requests: tuple[HttpRequest, ...] = ()
    http: tuple[Expectation, ...] = ()
    pages: tuple[PageCase, ...] = ()
    properties: tuple[PropertyCase, ...] = ()
    tests: tuple[str, ...] = ()
    syntax: tuple[str, ...] = ()
    service: ServiceRecipe | None = None
    changes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files to change in a scratch copy of the workspace, where all but the service then runs."""


def _shown(text: str, limit: int = 160) -> str:
    return " ".join(text.split())[:limit]


def judge_cli(case: CliCase, seen: Mapping[str, Any]) -> Check:
    exit_code, stdout = seen["exit_code"], str(seen["stdout"])
    line = " ".join(case.argv[1:])
    problem = ""
    if case.should_succeed and exit_code != 0:
        problem = f"exit status {exit_code}: {_shown(str(seen['stderr']))}"
    elif not case.should_succeed and (exit_code in (0, None) or "Traceback" in seen["stderr"]):
        problem = f"exit status {exit_code}, a plain error was expected"
    elif case.expected is not None and plain_text(stdout) != plain_text(case.expected):
        problem = f"printed {_shown(stdout)!r}, expected {_shown(case.expected)!r}"
    elif case.should_succeed and not case.allows_nothing and not stdout.strip():
        problem = "printed nothing"
    else:
        problem = _wording_problem(case, stdout, str(seen["stderr"]))
    good = f"{line} -> {_shown(stdout) if case.should_succeed else f'exit status {exit_code}'}"
    note = f" ({case.note})" if case.note else ""
    return Check(
        name=case.name,
        kind="cli",
        passed=not problem,
        detail=f"{line}: {problem}" if problem else good + note,
        is_required=case.is_required,
        depth=_depth_of(case),
    )


def _depth_of(case: CliCase) -> str:
    if not case.should_succeed:
        return "edge"
    return "command line" if case.expected is None else "example"


def _wording_problem(case: CliCase, stdout: str, stderr: str) -> str:
    missing = [word for word in case.contains if word not in stdout]
    extra = [word for word in case.lacks if word in stdout]
    unsaid = [word for word in case.complains if word.lower() not in stderr.lower()]
    if unsaid:
        return f"the error says {_shown(stderr)!r} and not {unsaid[0]!r}"
    if extra:
        return f"{extra[0]!r} is in the output"
    return f"{missing[0]!r} is not in the output" if missing else ""


def judge_http(case: Expectation, request: HttpRequest, seen: Mapping[str, Any]) -> Check:
    value = seen.get("json")
    problem = ""
    if seen["status"] not in (case.status, *case.or_status):
        problem = f"status {seen['status']}, not {case.status} {seen['error']}"
    elif case.rows is not None and (not is_list(value) or len(value) != case.rows):
        count = len(value) if is_list(value) else "no"
        problem = f"{count} rows, not {case.rows}"
    else:
        body = dict_of(value)
        wrong = [key for key, expected in case.fields.items() if body.get(key) != expected]
        missing = [text for text in case.contains if text not in str(seen["text"])]
        if wrong:
            problem = f"{wrong[0]} is {body.get(wrong[0])!r}, not {case.fields[wrong[0]]!r}"
        elif missing:
            problem = f"{missing[0]!r} is not in the answer"
    line = f"{request.method} {request.path}"
    kind: Kind = "http" if "/api/" in request.path else "page"
    return Check(
        name=case.name,
        kind=kind,
        passed=not problem,
        detail=f"{line}: {problem.strip()}" if problem else f"{line} -> {seen['status']}",
        is_required=case.is_required,
        depth="edge" if case.status in _REFUSALS else {"http": "route"}.get(kind, kind),
    )


def judge_page(case: PageCase, seen: Mapping[str, Any]) -> Check:
    reads: list[Any] = list(seen["reads"])
    problem = str(seen["error"])
    if not problem:
        for expected, actual in zip(case.reads, reads, strict=True):
            if expected is not None and plain_text(str(actual)) != plain_text(str(expected)):
                problem = f"shows {_shown(str(actual))!r}, expected {_shown(str(expected))!r}"
                break
            if expected is None and not str(actual or "").strip():
                problem = "shows nothing"
                break
    note = f" ({case.note})" if case.note else ""
    good = f"shows {', '.join(_shown(str(one), 40) for one in reads)}{note}"
    return Check(
        name=case.name,
        kind="page",
        passed=not problem,
        detail=problem or good,
        is_required=case.is_required,
        depth=case.depth,
    )


async def run_proof(sandbox: Sandbox, catalog: BlueprintCatalog, proof: Proof) -> list[Check]:
    """Run every check once. A checking program that itself fails is a failed check."""
    checks: list[Check] = []
    checks += await _syntax(sandbox, proof)
    checks += await _tests(sandbox, proof)
    checks += await _properties(sandbox, catalog, proof)
    checks += await _cli(sandbox, catalog, proof)
    checks += await _http(sandbox, catalog, proof)
    checks += await _pages(sandbox, catalog, proof)
    return checks


async def _syntax(sandbox: Sandbox, proof: Proof) -> list[Check]:
    if not proof.syntax:
        return []
    code = "import sys, ast; [ast.parse(open(p).read(), p) for p in sys.argv[1:]]"
    done = await execute(sandbox, "python3", "-c", code, *proof.syntax)
    detail = f"{len(proof.syntax)} files" if done.is_success else _shown(done.stderr[-200:])
    return [Check(name="valid Python", kind="syntax", passed=done.is_success, detail=detail)]


async def _tests(sandbox: Sandbox, proof: Proof) -> list[Check]:
    if not proof.tests:
        return []
    done = await execute(sandbox, *proof.tests, seconds=90)
    detail = _shown((done.stdout.strip().splitlines() or [done.stderr or done.reason.value])[-1])
    return [
        Check(name="the project's own tests", kind="unit", passed=done.is_success, detail=detail)
    ]


def _unrun(names: Sequence[str], kind: Kind, reason: str) -> list[Check]:
    return [Check(name=name, kind=kind, passed=False, detail=reason) for name in names]


async def _properties(sandbox: Sandbox, catalog: BlueprintCatalog, proof: Proof) -> list[Check]:
    if not proof.properties:
        return []
    task = task_for(proof.properties, proof.changes)
    try:
        seen: list[Any] = await run_tool(sandbox, catalog.tool("property_checks.py"), task, 120)
    except ValueError as error:
        reason = f"the check did not run: {error}"
        return [
            Check(
                name=one.name,
                kind="property",
                passed=False,
                detail=reason,
                is_required=one.is_required,
            )
            for one in proof.properties
        ]
    return [judge_property(case, one) for case, one in zip(proof.properties, seen, strict=True)]


async def _cli(sandbox: Sandbox, catalog: BlueprintCatalog, proof: Proof) -> list[Check]:
    cases = [{"argv": list(one.argv), "files": dict(one.files)} for one in proof.cli]
    if not cases:
        return []
    task = {"cases": cases, "changes": dict(proof.changes)}
    try:
        seen: list[Any] = await run_tool(sandbox, catalog.tool("cli_checks.py"), task, 180)
    except ValueError as error:
        return _unrun([one.name for one in proof.cli], "cli", f"the check did not run: {error}")
    return [judge_cli(case, one) for case, one in zip(proof.cli, seen, strict=True)]


async def _http(sandbox: Sandbox, catalog: BlueprintCatalog, proof: Proof) -> list[Check]:
    if proof.service is None:
        return []
    status = await ensure_service(sandbox, proof.service)
    started = Check(
        name="the service answers",
        kind="start",
        passed=status.is_healthy,
        detail=f"port {proof.service.port}"
        if status.is_healthy
        else _shown(status.log_tail[-300:]),
    )
    if not proof.requests:
        return [started]
    requests = [vars(one) for one in proof.requests]
    task = {"base": f"http://127.0.0.1:{proof.service.port}", "requests": requests}
    try:
        seen: list[Any] = await run_tool(sandbox, catalog.tool("http_checks.py"), task, 120)
    except ValueError as error:
        names = [one.name for one in proof.http]
        return [started, *_unrun(names, "http", f"the check did not run: {error}")]
    return [started] + [judge_http(c, proof.requests[c.index], seen[c.index]) for c in proof.http]


async def _pages(sandbox: Sandbox, catalog: BlueprintCatalog, proof: Proof) -> list[Check]:
    if not proof.pages:
        return []
    plays = [list(one.actions) for one in proof.pages]
    task = {"dom": catalog.tool("dom.js"), "plays": plays, "changes": dict(proof.changes)}
    try:
        seen: list[Any] = await run_tool(sandbox, catalog.tool("page_checks.py"), task, 120)
    except ValueError as error:
        return _unrun([one.name for one in proof.pages], "page", f"the check did not run: {error}")
    return [judge_page(case, one) for case, one in zip(proof.pages, seen, strict=True)]
