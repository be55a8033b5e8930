"""The team at work: a workflow of roles, from the request to a proven program.

``build`` is the body of a durable run: everything that touches a model, a sandbox or a clock is a
recorded step, and what is said between steps follows from recorded results only.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diono.agents import product_manager, saved_proof
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.crew import Crew
from diono.agents.errors import Cancelled
from diono.agents.meter import Run
from diono.agents.parts import Build, Stopped
from diono.agents.port import JsonObject, Receipt, Stage
from diono.agents.roles.definition import BUILT_IN, Cast, display_name
from diono.agents.roles.library import BUILD, DEFAULT, RoleLibrary, work_items
from diono.agents.scheduling.budgets import MAX_ITERATIONS, Budgets
from diono.agents.scheduling.items import WorkItem
from diono.agents.scheduling.lockstep import Lane
from diono.agents.scheduling.scheduler import Ending, Outcome, schedule
from diono.agents.scheduling.states import AgentState
from diono.agents.workspace import Workspace
from diono.kernel.errors import DionoError, InvalidInput
from diono.kernel.events import EventType

APPROVAL_SECONDS = 24 * 3600.0


class TeamOptions(BaseModel):
    """The options of a build; others are somebody else's."""

    model_config = ConfigDict(frozen=True)

    workflow: str = DEFAULT
    approval: Literal["none", "plan"] = "none"
    approval_seconds: float = Field(default=APPROVAL_SECONDS, ge=1, le=30 * APPROVAL_SECONDS)
    max_iterations: int = Field(default=MAX_ITERATIONS, ge=1, le=200)


async def build(
    prompt: str,
    stage: Stage,
    blueprints: BlueprintCatalog,
    options: Mapping[str, Any] | None = None,
    library: RoleLibrary | None = None,
) -> Receipt:
    """Build a program for a request. Always returns a receipt; it never claims more than ran.

    The host announces the receipt and the task's last state.
    """
    team = _Team(Build(prompt, Run(stage), blueprints))
    try:
        return await team.work(_options_of(options or {}), library)
    except Cancelled:
        await team.crew.dismiss()
        return team.build.receipt("CANCELLED", "The task was cancelled.")
    except Stopped as stopped:
        await team.crew.dismiss()
        return team.build.receipt(stopped.status, stopped.detail)
    except DionoError as error:
        await team.crew.dismiss()
        await team.run.say(EventType.ERROR, code=error.code, detail=error.detail)
        return team.build.receipt("FAILED", error.detail)


def _options_of(raw: Mapping[str, Any]) -> TeamOptions:
    try:
        return TeamOptions.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"options.{where}: {first['msg']}. Change it and try again.") from error


class _Team:
    def __init__(self, build: Build) -> None:
        self.build = build
        self.run = build.run
        self.crew = Crew(build.run)
        self.build.crew = self.crew
        self._tries: dict[str, int] = {}
        self._stopped: DionoError | None = None
        self._cast = BUILD
        self._shown: dict[str, dict[str, object]] = {}

    async def work(self, options: TeamOptions, library: RoleLibrary | None) -> Receipt:
        build, run = self.build, self.run
        build.approval_seconds = options.approval_seconds if options.approval == "plan" else None
        self._cast = await self._load(options.workflow, library)
        await run.progress(0.02, "choosing a blueprint")
        blueprint = await product_manager.choose_blueprint(run, build.prompt, build.catalog)
        build.blueprint = blueprint
        build.workspace = Workspace(run, blueprint)
        await build.lay_out(blueprint, build.workspace)
        meter = run.meter
        budgets = Budgets(await self._seconds(), lambda: meter.seconds, options.max_iterations)
        build.budgets = budgets
        items = work_items(self._cast)
        plan = schedule(items, {*BUILT_IN, *self._cast.roles}, self._work, budgets)
        plan.on_end = self._ended
        self._show(plan.items)
        endings = await plan.run(run.steps)
        if self._stopped is not None:
            raise self._stopped
        return await self._conclude(endings)

    async def _load(self, workflow: str, library: RoleLibrary | None) -> Cast:
        """Read the workflow once: a replay plays the roles as they were."""
        if library is None:
            if workflow != DEFAULT:
                raise InvalidInput(f"There is no workflow {workflow!r} here, only {DEFAULT}.")
            return BUILD

        async def action() -> JsonObject:
            cast = await asyncio.to_thread(library.load, workflow)
            return {"cast": cast.model_dump(mode="json")}

        result = await self.run.step("read the workflow", action)
        return Cast.model_validate(result["cast"])

    async def _seconds(self) -> float:
        async def action() -> JsonObject:
            return {"seconds": self.run.stage.seconds_left()}

        spent = self.run.meter.seconds
        return spent + float((await self.run.step("time for the work", action))["seconds"])

    # --- one item ---

    async def _work(self, item: WorkItem, lane: Lane, hint: str) -> Outcome:
        attempt = self._tries[item.name] = self._tries.get(item.name, 0) + 1
        name = display_name(item.role)
        state, title, progress = _LOOK.get(item.role, (AgentState.WORKING, item.name, 0.92))
        self.run.board["team_phase"] = item.phase.value
        self._shown[item.name]["state"] = "working"
        meter = self.crew.agent(name) and self.crew.meters[name]
        before = meter.seconds, meter.tokens_in + meter.tokens_out
        async with self.crew.at_work(name, item.name, state) as agent:
            await self.run.say(EventType.AGENT_START, title=title, item=item.name)
            await self.run.progress(progress, title)
            outcome = await self._guarded(item, hint, attempt)
            await self.run.say(
                EventType.AGENT_COMPLETE,
                title=title,
                item=item.name,
                is_done=outcome.is_done,
                reason=outcome.reason,
                seconds=round(meter.seconds - before[0], 1),
                tokens=meter.tokens_in + meter.tokens_out - before[1],
            )
            if not outcome.is_done:
                await self.crew.to(agent, AgentState.FAILED)
        return outcome

    async def _guarded(self, item: WorkItem, hint: str, attempt: int) -> Outcome:
        """An error of a built-in role ends the run; that of a role from a file, its item."""
        if item.role not in BUILT_IN:
            role = self._cast.roles[item.role]
            return await self.build.play(item, role, hint, attempt)
        parts = {
            "product_manager": self.build.specify,
            "architect": self.build.plan,
            "engineer": self.build.write,
            "qa": self.build.check,
        }
        try:
            await parts[item.role]()
        except Cancelled:
            raise
        except DionoError as error:
            self._stopped = error
            return Outcome(False, error.detail, may_retry=False)
        return Outcome(True)

    def _show(self, items: Sequence[WorkItem]) -> None:
        """Put the whole schedule on the board, also what has not begun."""
        for one in items:
            self._shown[one.name] = {
                "item": one.name,
                "role": display_name(one.role),
                "phase": one.phase.value,
                "depends_on": list(one.depends_on),
                "state": "queued",
            }
        self.run.board["schedule"] = list(self._shown.values())

    async def _ended(self, ending: Ending) -> None:
        self._shown[ending.item.name]["state"] = ending.end
        if ending.end in ("failed", "skipped") and self._stopped is None:
            await self.run.log(f"{ending.item.name}: {ending.end}: {ending.reason}", "warning")

    # --- the end ---

    async def _conclude(self, endings: list[Ending]) -> Receipt:
        build = self.build
        required = {one.name for one in self._cast.workflow.items if one.is_required}
        wanting = [one for one in endings if one.end != "done"]
        reason = build.reason()
        for one in wanting:
            note = f"{one.item.name} ({one.item.role}) was not done: {one.reason}"
            build.unproven.append(note)
            if one.item.name in required:
                reason = reason or f"{note}."
        build.details["schedule"] = [
            {"item": one.item.name, "role": one.item.role, "phase": one.item.phase.value,
             "end": one.end, "tries": one.tries, "reason": one.reason}
            for one in endings
        ]  # fmt: skip
        receipt = build.receipt("FAILED" if reason else "SUCCEEDED", reason)
        workspace = build.workspace
        if workspace is None:
            return receipt
        content = receipt.model_dump_json(indent=2).encode()
        proof = build.proof_bytes()
        await workspace.write("receipt", {"receipt.json": content, saved_proof.PATH: proof})
        return receipt.model_copy(
            update={"commit": workspace.head, "files": tuple(sorted(workspace.files))}
        )


_LOOK = {
    "product_manager": (AgentState.PLANNING, "Writing the spec", 0.1),
    "architect": (AgentState.PLANNING, "Planning the files", 0.25),
    "engineer": (AgentState.WORKING, "Writing the program", 0.3),
    "qa": (AgentState.CHECKING, "Checking the program", 0.85),
}
