"""What the built-in roles do for a build, and what is known of it so far."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from diono.agents import product_manager
from diono.agents.approval import approve
from diono.agents.architect import plan_for
from diono.agents.assembly import Assembly
from diono.agents.blueprints import Blueprint, BlueprintCatalog
from diono.agents.crew import Crew
from diono.agents.errors import BlueprintBroken, WorkspaceBroken
from diono.agents.inspecting import Found, Mending, inspect
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject, Receipt
from diono.agents.repair import Repairs, repair
from diono.agents.roles.definition import Role
from diono.agents.roles.worker import RoleWorker
from diono.agents.scheduling.budgets import Budgets
from diono.agents.scheduling.items import Phase, WorkItem
from diono.agents.scheduling.scheduler import Outcome
from diono.agents.scheduling.states import AgentState
from diono.agents.spec import Plan, Spec
from diono.agents.workspace import Workspace
from diono.inspection.models import InspectionSummary
from diono.kernel.errors import DionoError
from diono.kernel.events import AgentRole, EventType

_NOTHING = Plan(items=())


class Stopped(DionoError):
    """The user did not want it, or did not say."""

    code = "stopped"

    def __init__(self, status: Literal["FAILED", "CANCELLED"], detail: str) -> None:
        super().__init__(detail)
        self.status: Literal["FAILED", "CANCELLED"] = status


@dataclass
class Build:
    """One build in progress. The parts run in the order of the workflow."""

    prompt: str
    run: Run
    catalog: BlueprintCatalog
    approval_seconds: float | None = None
    """How long the plan waits to be approved; None if nobody is asked."""
    crew: Crew | None = None
    budgets: Budgets | None = None
    spec: Spec | None = None
    blueprint: Blueprint | None = None
    workspace: Workspace | None = None
    files: Plan = _NOTHING
    assembly: Assembly | None = None
    player: RoleWorker | None = None
    installed: list[Check] = field(default_factory=list[Check])
    checks: list[Check] = field(default_factory=list[Check])
    unproven: list[str] = field(default_factory=list[str])
    found: Found | None = None
    found_in: Mapping[str, str] = field(default_factory=dict[str, str])
    """The digests of the files that ``found`` is about."""
    details: JsonObject = field(default_factory=dict[str, object])

    # --- before anybody is asked ---

    async def lay_out(self, blueprint: Blueprint, workspace: Workspace) -> None:
        """Get the untouched blueprint running, before the model is asked for anything."""
        await self.run.log(f"Blueprint: {blueprint.facts.title}")
        await workspace.write("the blueprint", dict(blueprint.skeleton))
        if blueprint.facts.packages:
            await self._install(blueprint)
        problem = await workspace.serve()
        if problem:
            raise BlueprintBroken(f"The blueprint {blueprint.name} did not start: {problem}")
        await self.run.progress(0.08, "the blueprint is in place")

    async def _install(self, blueprint: Blueprint) -> None:
        async def action() -> JsonObject:
            sandbox = await self.run.stage.sandbox()
            done = await sandbox.install(blueprint.facts.packages)
            return {"is_success": done.is_success, "detail": (done.stderr or done.stdout)[-300:]}

        result = await self.run.step("install packages", action)
        names = ", ".join(blueprint.facts.packages)
        detail = names if result["is_success"] else str(result["detail"])
        check = Check(
            name="packages install",
            kind="install",
            passed=bool(result["is_success"]),
            detail=detail,
        )
        self.installed.append(check)
        await self.run.say(EventType.CHECK, **check.model_dump())
        if not result["is_success"]:
            raise WorkspaceBroken(f"The packages {names} could not be installed: {detail}")

    # --- the built-in roles ---

    async def specify(self) -> None:
        blueprint, workspace = self._laid_out()
        self.spec = spec = await product_manager.write_spec(self.run, self.prompt, blueprint)
        await self._write_requirements(spec, workspace)
        await self.run.message(_summary(spec))

    async def _write_requirements(self, spec: Spec, workspace: Workspace) -> None:
        requirements = product_manager.product_requirements(self.prompt, spec, spec.shape)
        await workspace.write("PRD.md", {"PRD.md": requirements.encode()})

    async def plan(self) -> None:
        _, workspace = self._laid_out()
        spec = self._specified()
        self.files = plan_for(spec)
        await self._write_plan(spec, workspace)
        if self.approval_seconds is not None:
            await self._ask_for_approval(spec, workspace, self.approval_seconds)
        await self.run.message("Files: " + ", ".join(item.path for item in self.files.items))

    async def _write_plan(self, spec: Spec, workspace: Workspace) -> None:
        facts = {"spec": spec.model_dump(mode="json"), **self.files.model_dump(mode="json")}
        content = json.dumps(facts, indent=2)
        await workspace.write("plan.json", {"plan.json": content.encode()})

    async def _ask_for_approval(self, spec: Spec, workspace: Workspace, seconds: float) -> None:
        agent = self.crew.agent(AgentRole.ARCHITECT) if self.crew else None
        if self.crew and agent:
            await self.crew.to(agent, AgentState.WAITING)
        answer = await approve(self.run, spec, self.files, seconds)
        if answer.end:
            raise Stopped(answer.end, answer.reason)
        if self.crew and agent:
            await self.crew.to(agent, AgentState.PLANNING)
        if (answer.spec, answer.plan) != (spec, self.files):
            self.spec, self.files = answer.spec, answer.plan
            await self._write_requirements(answer.spec, workspace)
            await self._write_plan(answer.spec, workspace)

    async def write(self) -> None:
        _, workspace = self._laid_out()
        spec = self._specified()
        self.assembly = Assembly(self.run, self.catalog, workspace, self.prompt, spec)
        if self.crew is not None and self.budgets is not None:
            await self.assembly.write(self.files, self.crew, self.budgets)

    async def check(self) -> None:
        _, workspace = self._laid_out()
        assembly, budgets = self.assembly, self.budgets
        if assembly is None or budgets is None:
            return
        checks, repairs = await assembly.check(), Repairs()

        def allowance() -> str:
            return budgets.take(Phase.INTEGRATION)

        self.checks = await repair(self.run, assembly, workspace, checks, allowance, repairs)
        found = await inspect(self.run, "inspect the files", self.checks)
        mending = Mending(self.run, assembly, workspace, repairs, self.checks, found, allowance)
        await mending.work()
        self.checks, self.found = mending.checks, mending.found
        self.found_in = dict(workspace.files)

    # --- roles from files ---

    async def play(self, item: WorkItem, role: Role, hint: str, attempt: int) -> Outcome:
        _, workspace = self._laid_out()
        assembly = self.assembly
        if self.player is None:
            self.player = RoleWorker(
                self.run, workspace, self._specified(), self.prompt, self._prove_again
            )
        if assembly is not None and self.checks:
            self.player.green = self.checks
            shown = [f"$ python3 {one.detail}" for one in self.checks if _is_shown(one)]
            self.player.outputs = [one.replace(" -> ", "\n").replace("@", "") for one in shown]
        outcome = await self.player.work(item.name, role, item.depends_on, hint, attempt)
        if outcome.is_done and self.checks:
            self.checks = list(self.player.green)
        return outcome

    async def _prove_again(self, name: str) -> list[Check]:
        return await self.assembly.proving.again(name) if self.assembly is not None else []

    # --- what is known ---

    def _laid_out(self) -> tuple[Blueprint, Workspace]:
        if self.blueprint is None or self.workspace is None:
            raise WorkspaceBroken("The blueprint is not in place. Start the task again.")
        return self.blueprint, self.workspace

    def _specified(self) -> Spec:
        if self.spec is None:
            raise WorkspaceBroken("There is no spec. Start the task again.")
        return self.spec

    def reason(self) -> str:
        """Return why this is no success; empty if it is one."""
        if self.assembly is None:
            return "Nothing was written."
        self.unproven += self.assembly.unproven(self.checks)
        return self.assembly.reason([*self.installed, *self.checks])

    def proof_bytes(self) -> bytes:
        return self.assembly.proving.saved().to_bytes() if self.assembly is not None else b"{}\n"

    def _inspection(self) -> InspectionSummary | None:
        """What was found is said only of the files as they are: who comes after QA may write."""
        is_current = self.workspace is not None and dict(self.workspace.files) == self.found_in
        return self.found.summary if self.found is not None and is_current else None

    def receipt(self, status: str, reason: str = "") -> Receipt:
        workspace, blueprint, meter = self.workspace, self.blueprint, self.run.meter
        service = blueprint.facts.service if blueprint else None
        is_serving = workspace is not None and workspace.is_serving
        details = dict(self.details)
        checks = (*self.installed, *self.checks, *(self.player.own if self.player else ()))
        if self.assembly is not None:
            details |= self.assembly.proving.details(checks)
        if self.budgets is not None and self.crew is not None:
            phases = {phase.value: used for phase, used in self.budgets.used.items()}
            details |= {"iterations": phases, "agents": self.crew.facts()}
        values: Mapping[str, object] = {
            "status": status,
            "reason": reason,
            "spec": self.spec.model_dump(mode="json") if self.spec else {},
            "blueprint": blueprint.name if blueprint else "",
            "files": tuple(sorted(workspace.files)) if workspace else (),
            "checks": checks,
            "unproven": tuple(self.unproven),
            "attempts": meter.attempts,
            "tokens_in": meter.tokens_in,
            "tokens_out": meter.tokens_out,
            "seconds": round(meter.seconds, 1),
            "preview_port": service.port if service and is_serving else None,
            "commit": workspace.head if workspace else "",
            "details": details,
            "inspection": self._inspection(),
        }
        return Receipt.model_validate(values)


def _is_shown(check: Check) -> bool:
    is_call = check.kind == "cli" and " -> " in check.detail and "--help" not in check.detail
    return is_call and bool(check.passed) and "exit status" not in check.detail


def _summary(spec: Spec) -> str:
    parts = [f"{spec.title}: {spec.summary}"]
    if spec.functions:
        parts.append("It can " + ", ".join(one.name.replace("_", " ") for one in spec.functions))
    if spec.entity is not None:
        fields = ", ".join(one.name for one in spec.entity.fields)
        parts.append(f"It keeps {spec.entity.plural} with {fields}")
    return ". ".join(part.rstrip(".") for part in parts) + "."
