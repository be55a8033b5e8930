"""What was found in the files: told in the receipt, and fed back to QA where it is grave.

A function of the team with a grave finding is written once more, within the budget of repairs. The
new one stays only if all that was green is green and less is found; else it is rolled back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from diono.agents.assembly import Assembly
from diono.agents.errors import BudgetSpent, Cancelled
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject, Receipt, Stage
from diono.agents.repair import Repairs, has_time
from diono.agents.saved_proof import turned_red
from diono.agents.spec import Built
from diono.agents.workspace import Workspace
from diono.inspection.models import Inspection, InspectionSummary, Severity, not_examined
from diono.kernel.errors import DionoError
from diono.kernel.events import AgentRole, EventDraft, EventType

_SECONDS_NEEDED = 60.0
_MOST_GRAVE = 20
_KINDS = frozenset({"build", "change", "solve"})


class Grave(BaseModel):
    """A high finding, or a secret, in a place."""

    model_config = ConfigDict(frozen=True)

    path: str
    line: int
    rule: str
    hint: str


class Found(BaseModel):
    """What a recorded step keeps of an inspection."""

    model_config = ConfigDict(frozen=True)

    summary: InspectionSummary
    grave: tuple[Grave, ...] = ()


def found_in(report: Inspection) -> Found:
    grave = [
        Grave(
            path=one.path,
            line=one.line,
            rule=one.rule,
            hint=f"line {one.line}: {one.explanation} {one.way_out}".strip(),
        )
        for one in report.findings
        if one.severity is Severity.HIGH and one.kind in ("lint", "security")
    ]
    grave += [
        Grave(
            path=one.path,
            line=one.line,
            rule=one.rule,
            hint=f"line {one.line} holds a credential ({one.masked}). {one.way_out}",
        )
        for one in report.secrets
    ]
    return Found(summary=report.summary(), grave=tuple(grave[:_MOST_GRAVE]))


def told(summary: InspectionSummary) -> str:
    """Return the inspection in a sentence."""
    if summary.state == "not_examined":
        return f"Not examined: {'; '.join(summary.not_examined)}"
    score = "no code to judge" if summary.score is None else f"quality {summary.score} of 100"
    counted = f"{summary.high} high, {summary.medium} medium, {summary.low} low"
    return f"Examined the files: {score}; findings: {counted}."


async def inspect(run: Run, name: str, checks: Sequence[Check]) -> Found:
    """Examine the workspace in a recorded step."""

    async def action() -> JsonObject:
        return found_in(await run.stage.inspect(checks)).model_dump(mode="json")

    result = await run.step(name, action, is_alone=True)
    found = Found.model_validate(result)
    await run.log(told(found.summary), "warning" if found.grave else "info")
    return found


async def inspected(stage: Stage, kind: str, receipt: Receipt) -> Receipt:
    """Return the receipt of any runner with what was found in its files. Never raises for what
    the inspection meets: the work is done."""
    is_wanted = kind in _KINDS and receipt.files and receipt.status != "CANCELLED"
    if not is_wanted or receipt.inspection is not None:
        return receipt

    async def action() -> JsonObject:
        return found_in(await stage.inspect(receipt.checks)).model_dump(mode="json")

    try:
        summary = Found.model_validate(await stage.steps.run("inspect", action)).summary
    except Cancelled:
        summary = not_examined("The task was cancelled.").summary()
    except DionoError as error:
        summary = not_examined(error.detail).summary()
    payload: JsonObject = {"text": told(summary), "level": "info"}
    draft = EventDraft(event_type=EventType.LOG, agent_role=AgentRole.QA, payload=payload)
    await stage.emit(draft)
    return receipt.model_copy(update={"inspection": summary})


@dataclass
class Mending:
    """Acts on grave findings. ``checks`` and ``found`` are those of the files as they stand."""

    run: Run
    assembly: Assembly
    workspace: Workspace
    repairs: Repairs
    checks: list[Check]
    found: Found
    allowance: Callable[[], str]

    async def work(self) -> None:
        """Write what is grave once more, while there is budget for it."""
        tried: set[str] = set()
        while self._is_green() and self.repairs.left > 0:
            target = self._target(tried)
            if target is None or self.allowance() or not await has_time(self.run, _SECONDS_NEEDED):
                return
            built, grave = target
            tried.add(built.function.name)
            self.repairs.left -= 1
            if not await self._again(built, grave, len(tried)):
                return

    def _is_green(self) -> bool:
        return all(one.passed for one in self.checks if one.is_required)

    def _target(self, tried: set[str]) -> tuple[Built, Grave] | None:
        for grave in self.found.grave:
            for one in self.assembly.built:
                name = one.function.name
                if name not in tried and grave.path == self.assembly.path_of(one.function):
                    return one, grave
        return None

    async def _again(self, built: Built, grave: Grave, number: int) -> bool:
        """Try one function; False if there is nothing left to try with."""
        run, assembly, name = self.run, self.assembly, built.function.name
        await run.log(f"Writing {name} again: {grave.rule}, {grave.hint}", "warning")
        green, before = self.workspace.snapshot(), list(assembly.built)
        try:
            is_written = await assembly.rewrite(built.function, grave.hint, f".inspection{number}")
        except BudgetSpent as error:
            await run.log(f"No repair: {error.detail}", "warning")
            return False
        if not is_written:
            return True
        checks = await assembly.check()
        found = await inspect(run, f"inspect {name} again", checks)
        if self._is_better(checks, found):
            self.checks, self.found = checks, found
            return True
        assembly.built = before
        await self.workspace.roll_back(green, f"the new {name} was not better")
        for check in self.checks:
            await run.say(EventType.CHECK, **check.model_dump())
        self.found = await inspect(run, f"inspect after {name}", self.checks)
        return True

    def _is_better(self, checks: Sequence[Check], found: Found) -> bool:
        is_green = all(one.passed for one in checks if one.is_required)
        is_seen = found.summary.state != "not_examined"
        is_less = len(found.grave) < len(self.found.grave)
        return is_green and is_seen and is_less and not turned_red(self.checks, checks)
