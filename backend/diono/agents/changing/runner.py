"""The ``change`` runner: a request for a built app ends proven, or the app is as it was."""

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.changing.app import App, look
from diono.agents.changing.change import Change
from diono.agents.changing.free import FreeChange
from diono.agents.changing.interpreting import interpret
from diono.agents.changing.operations import OPERATIONS, Operation, describe
from diono.agents.errors import Cancelled, ChangeRefused
from diono.agents.meter import Run
from diono.agents.port import JsonObject, Question, Receipt, Stage
from diono.agents.runner import Work
from diono.agents.running import BaseRunner, End
from diono.agents.saved_proof import SavedProof
from diono.kernel.errors import DionoError
from diono.kernel.events import AgentRole, EventType

TITLE = "Changing the app"


class ChangeRunner(BaseRunner):
    """Options: ``approval`` = "plan" asks the user before anything is changed."""

    name = "change"

    def __init__(self, catalog: BlueprintCatalog) -> None:
        super().__init__()
        self._catalog = catalog

    async def work(self, work: Work, stage: Stage) -> Receipt:
        run = Run(stage, AgentRole.ENGINEER)
        await run.say(EventType.AGENT_START, title=TITLE)
        await run.progress(0.05, "looking at the app")
        app = await look(run)
        if app.saved is None:
            raise ChangeRefused(
                "There is no built app with checks in this project. Build one first, or ask the "
                "project's chat for free changes."
            )
        await run.progress(0.15, "reading the request")
        operations = await interpret(run, work.prompt, app.saved.spec)
        if operations:
            operations = await _approved(work, stage, operations)
            receipt = await self._planned(run, work, app, app.saved, operations)
        else:
            receipt = await self._free(run, work, app, app.saved)
        await run.say(EventType.AGENT_COMPLETE, title=TITLE)
        return receipt

    async def _planned(
        self,
        run: Run,
        work: Work,
        app: App,
        saved: SavedProof,
        operations: tuple[Operation, ...],
    ) -> Receipt:
        plan = "; ".join(describe(one) for one in operations)
        await run.message(f"I will {plan}.")
        await run.progress(0.3, "changing the app")
        change = Change(run, self._catalog, work.prompt, app, saved)
        try:
            problem = await change.make(operations)
        except Cancelled:
            if change.is_touched:
                await change.restore("the task was cancelled")
            raise
        except DionoError as error:
            if change.is_touched:
                await change.take_back(error.detail)
            raise
        return self._receipt(saved, change, problem, plan)

    def _receipt(
        self,
        saved: SavedProof,
        change: Change,
        problem: str,
        plan: str,
        unproven: tuple[str, ...] = (),
    ) -> Receipt:
        service = change.workspace.blueprint.facts.service
        look = ("the look of the page in a real browser",) if service else ()
        status: End = "FAILED" if problem else "SUCCEEDED"
        was = "was rolled back" if change.is_moved else "was not made"
        reason = f"The change {was}: {problem}" if problem else ""
        details: JsonObject = {
            "operations": plan,
            "is_rolled_back": bool(problem) and change.is_moved,
            "retired_checks": change.retired,
        }
        return self.receipt(
            status,
            reason,
            spec=(saved.spec if problem else change.spec).model_dump(mode="json"),
            blueprint=saved.spec.blueprint,
            files=tuple(sorted(change.workspace.files)),
            checks=tuple(change.checks),
            unproven=(*look, *unproven),
            preview_port=service.port if service and change.workspace.is_serving else None,
            commit=change.head,
            answer=reason or f"Done: {plan}.",
            details=details,
        )

    async def _free(self, run: Run, work: Work, app: App, saved: SavedProof) -> Receipt:
        await run.progress(0.3, "writing a test for the change")
        free = FreeChange(run, self._catalog, work.prompt, app, saved)
        problem = await free.make()
        doubt = f"that {free.test_path} asks for what you meant: the model wrote it"
        unproven = () if problem else (doubt,)
        return self._receipt(saved, free.change, problem, "a change by test and file", unproven)


async def _approved(
    work: Work, stage: Stage, operations: tuple[Operation, ...]
) -> tuple[Operation, ...]:
    """Return the operations as the user approved or edited them."""
    if work.options.get("approval") != "plan":
        return operations
    answer = await stage.decide(
        Question(
            key="plan",
            kind="plan",
            text="Shall I " + "; ".join(describe(one) for one in operations) + "?",
            details={"operations": [one.model_dump(mode="json") for one in operations]},
        )
    )
    if not answer.is_approved:
        why = "nobody answered in time" if answer.is_expired else answer.text or "you refused"
        raise ChangeRefused(f"The change was not made: {why}.")
    edited = answer.details.get("operations")
    try:
        return OPERATIONS.validate_python(edited) if edited else operations
    except ValueError as error:
        first = str(error).splitlines()[0]
        raise ChangeRefused(f"The edited plan cannot be read: {first}.") from error
