"""Proof in a chat: the project's checks before the first change and after the last.

What was green and is red afterwards is the turn's fault: it is mended once, or taken back as a
new commit. What proves the project is read from the commit before the turn, so that a turn cannot
weaken it.
"""

from collections.abc import Sequence

from pydantic import TypeAdapter

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.port import Check, JsonObject, Stage
from diono.agents.saved_proof import PATH, parse_proof, run_saved, turned_red
from diono.agents.shapes import dict_of, list_of
from diono.agents.tools import repository
from diono.agents.workspace import SERVICE, execute, run_tool
from diono.kernel.errors import DionoError
from diono.kernel.events import EventDraft, EventType
from diono.sandbox.port import Sandbox

TESTS_SECONDS = 120.0
_TESTS_LIMIT = 300
_CHECKS: TypeAdapter[list[Check]] = TypeAdapter(list[Check])
_PROGRAM = r"""
import glob, json, os, subprocess, sys, tempfile, xml.etree.ElementTree as tree
task = json.load(sys.stdin)
found = glob.glob("tests/**/test_*.py", recursive=True) + glob.glob("test_*.py")
found += glob.glob("tests/**/*_test.py", recursive=True)
if not found:
    print(json.dumps({"tests": []}))
    sys.exit()
report = os.path.join(tempfile.mkdtemp(), "report.xml")
command = [sys.executable, "-m", "pytest", "-q", "-x" if task["stops"] else "-q",
           "-p", "no:cacheprovider", "--junitxml", report]
environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
try:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                          timeout=task["seconds"], env=environment)
    said = done.stdout[-1500:] + done.stderr[-500:]
except subprocess.TimeoutExpired:
    print(json.dumps({"tests": [], "problem": "the tests did not end in time"}))
    sys.exit()
tests = []
try:
    for case in tree.parse(report).iter("testcase"):
        failure = next((one for one in case if one.tag in ("failure", "error")), None)
        skipped = any(one.tag == "skipped" for one in case)
        name = (case.get("classname", "") + "." + case.get("name", "")).strip(".")
        detail = "" if failure is None else (failure.get("message") or failure.text or "")
        tests.append([name[:120], None if skipped else failure is None, detail[:300]])
except (OSError, tree.ParseError):
    pass
print(json.dumps({"tests": tests[:task["limit"]], "exit_code": done.returncode, "said": said}))
"""


class Proving:
    """The checks around one turn's changes."""

    def __init__(self, stage: Stage, catalog: BlueprintCatalog | None, is_on: bool, role: str):
        self._stage = stage
        self._catalog = catalog
        self._is_on = is_on
        self._role = role
        self._has_begun = False
        self.commit = ""
        self.head = ""
        self.before: list[Check] = []

    @property
    def has_changed(self) -> bool:
        return self._has_begun and self.head != self.commit

    @property
    def was_green(self) -> bool:
        """Whether there is a green state to go back to."""
        return self._has_begun and any(one.passed for one in self.before)

    async def begin(self) -> None:
        """Keep the state before the first change and see which checks are green."""
        if self._has_begun:
            return
        self._has_begun = True

        async def action() -> JsonObject:
            sandbox = await self._stage.sandbox()
            kept = await repository.keep(sandbox, "before the chat's changes")
            return {"commit": kept.commit, "checks": await self._run(sandbox, kept.commit)}

        result = await self._stage.steps.run("look before changing", action)
        self.commit = self.head = str(result["commit"])
        self.before = _CHECKS.validate_python(result["checks"])

    async def check(self, name: str) -> tuple[list[Check], list[Check]]:
        """Return all checks as they are now, and those that turned red."""

        async def action() -> JsonObject:
            sandbox = await self._stage.sandbox()
            await _restart_app(sandbox)
            return {"checks": await self._run(sandbox, self.commit)}

        result = await self._stage.steps.run(name, action)
        now = _CHECKS.validate_python(result["checks"])
        red = turned_red(self.before, now)
        green = {one.name for one in self.before if one.passed}
        checks = [
            one.model_copy(update={"is_required": one.is_required and one.name in green})
            for one in now
        ]
        checks += [one for one in red if one.name not in {each.name for each in now}]
        for one in checks:
            payload = one.model_dump(mode="json")
            await self._stage.emit(
                EventDraft(event_type=EventType.CHECK, agent_role=self._role, payload=payload)
            )
        return checks, red

    async def take_back(self, why: str) -> None:
        """Bring the files back to how they were before the turn, as a new commit."""

        async def action() -> JsonObject:
            sandbox = await self._stage.sandbox()
            await repository.keep(sandbox, "changes that broke checks")
            title = f"back to the last green state: {why}"[:200]
            kept = await repository.restore(sandbox, self.commit, title)
            await _restart_app(sandbox)
            changed = [one.model_dump() for one in kept.changes]
            for one in kept.changes[:20]:
                if one.action == "written" and one.size < 200_000:
                    await self._stage.save_file(one.path, await sandbox.read_file(one.path))
            return {"commit": kept.commit, "changes": changed}

        result = await self._stage.steps.run("clean up: take the changes back", action)
        if self.head == str(result["commit"]):
            return
        self.head = str(result["commit"])
        for one in list_of(result["changes"]):
            payload = {**dict_of(one), "commit": self.head}
            await self._stage.emit(
                EventDraft(event_type=EventType.FILE, agent_role=self._role, payload=payload)
            )
        await self._stage.checkpoint("The chat's changes were taken back", self.head)

    async def _run(self, sandbox: Sandbox, commit: str) -> list[JsonObject]:
        if not self._is_on:
            return []
        checks = await self._saved(sandbox, commit)
        if checks is None:
            checks = await run_tests(sandbox)
        return [one.model_dump(mode="json") for one in checks]

    async def _saved(self, sandbox: Sandbox, commit: str) -> list[Check] | None:
        """Run the proof that a build left, as it was before the turn; None if there is none."""
        if self._catalog is None:
            return None
        shown = await execute(sandbox, "git", "show", f"{commit}:{PATH}")
        if not shown.is_success or shown.is_truncated:
            return None
        try:
            return await run_saved(sandbox, self._catalog, parse_proof(shown.stdout.encode()))
        except DionoError as error:
            detail = error.detail[:300]
            return [Check(name="the saved proof", kind="unit", passed=None, detail=detail)]


async def _restart_app(sandbox: Sandbox) -> None:
    """Let the app's service run the files as they are now."""
    if any(one.name == SERVICE for one in await sandbox.list_services()):
        await sandbox.restart_service(SERVICE)


async def run_tests(sandbox: Sandbox) -> list[Check]:
    """Run the project's own tests, one check a test; empty if it has none."""
    task = {"seconds": TESTS_SECONDS, "limit": _TESTS_LIMIT, "stops": False}
    try:
        raw = dict_of(await run_tool(sandbox, _PROGRAM, task, TESTS_SECONDS + 20))
    except ValueError as error:
        return [Check(name="tests run", kind="unit", passed=False, detail=str(error)[:300])]
    checks: list[Check] = []
    for one in list_of(raw.get("tests")):
        name, passed, detail = list_of(one)[:3]
        checks.append(Check(name=str(name), kind="unit", passed=passed, detail=str(detail)[:300]))
    problem = str(raw.get("problem", ""))
    if not checks and raw.get("exit_code") not in (None, 0, 5):
        problem = str(raw.get("said", ""))[-300:]
    if checks or problem:
        checks.append(
            Check(name="tests run", kind="unit", passed=not problem, detail=problem[:300])
        )
    return checks


def failures_told(red: Sequence[Check]) -> str:
    lines = [f"{one.name}: {one.detail or 'failed'}" for one in red[:8]]
    more = f"\n(and {len(red) - 8} more)" if len(red) > 8 else ""
    return "\n".join(lines) + more
