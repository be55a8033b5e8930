"""The team at work: ProductManager, Architect, Engineer, QA, one after another.

``build`` is the body of a durable run: everything that touches a model, a sandbox or a clock is a
recorded step, and what is said between steps follows from recorded results only.
"""

import json
from collections.abc import Mapping

from diono.agents import product_manager, saved_proof
from diono.agents.architect import plan_for
from diono.agents.assembly import Assembly
from diono.agents.blueprints import Blueprint, BlueprintCatalog
from diono.agents.errors import BlueprintBroken, Cancelled, WorkspaceBroken
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject, Receipt, Stage
from diono.agents.repair import repair
from diono.agents.spec import Spec
from diono.agents.workspace import Workspace
from diono.kernel.errors import DionoError
from diono.kernel.events import AgentRole, EventType


async def build(prompt: str, stage: Stage, blueprints: BlueprintCatalog) -> Receipt:
    """Build a program for a request. Always returns a receipt; it never claims more than ran.

    The host announces the receipt and the task's last state.
    """
    team = _Team(prompt, Run(stage), blueprints)
    try:
        return await team.work()
    except Cancelled:
        return team.receipt("CANCELLED", "The task was cancelled.")
    except DionoError as error:
        await team.run.say(EventType.ERROR, code=error.code, detail=error.detail)
        return team.receipt("FAILED", error.detail)


class _Team:
    def __init__(self, prompt: str, run: Run, catalog: BlueprintCatalog) -> None:
        self.prompt = prompt
        self.run = run
        self.catalog = catalog
        self.spec: Spec | None = None
        self.blueprint: Blueprint | None = None
        self.workspace: Workspace | None = None
        self.checks: list[Check] = []
        self.unproven: list[str] = []

    async def work(self) -> Receipt:
        await self.run.progress(0.02, "choosing a blueprint")
        blueprint = await product_manager.choose_blueprint(self.run, self.prompt, self.catalog)
        self.blueprint = blueprint
        self.workspace = workspace = Workspace(self.run, blueprint)
        await self._lay_out(blueprint, workspace)
        spec = await self._specify(blueprint, workspace)
        assembly = Assembly(self.run, self.catalog, workspace, self.prompt, spec)
        await self._plan(spec, workspace)
        await self._begin(AgentRole.ENGINEER, "Writing the program", 0.3)
        await assembly.write()
        await self._end("Writing the program")
        await self._begin(AgentRole.QA, "Checking the program", 0.85)
        checks = await assembly.check()
        self.checks += await repair(self.run, assembly, workspace, checks)
        self.unproven += assembly.unproven()
        await self._end("Checking the program")
        self.run.role = AgentRole.SYSTEM
        reason = assembly.reason(self.checks)
        receipt = self.receipt("FAILED" if reason else "SUCCEEDED", reason)
        content = receipt.model_dump_json(indent=2).encode()
        proof = assembly.saved_proof().to_bytes()
        await workspace.write("receipt", {"receipt.json": content, saved_proof.PATH: proof})
        return receipt.model_copy(
            update={"commit": workspace.head, "files": tuple(sorted(workspace.files))}
        )

    async def _begin(self, role: AgentRole, title: str, progress: float) -> None:
        self.run.role = role
        self._started_seconds = self.run.meter.seconds
        await self.run.say(EventType.AGENT_START, title=title)
        await self.run.progress(progress, title)

    async def _end(self, title: str) -> None:
        seconds = round(self.run.meter.seconds - self._started_seconds, 1)
        await self.run.say(EventType.AGENT_COMPLETE, title=title, seconds=seconds)

    async def _lay_out(self, blueprint: Blueprint, workspace: Workspace) -> None:
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
        self.checks.append(check)
        await self.run.say(EventType.CHECK, **check.model_dump())
        if not result["is_success"]:
            raise WorkspaceBroken(f"The packages {names} could not be installed: {detail}")

    async def _specify(self, blueprint: Blueprint, workspace: Workspace) -> Spec:
        await self._begin(AgentRole.PRODUCT_MANAGER, "Writing the spec", 0.1)
        self.spec = spec = await product_manager.write_spec(self.run, self.prompt, blueprint)
        requirements = product_manager.product_requirements(self.prompt, spec, spec.shape)
        await workspace.write("PRD.md", {"PRD.md": requirements.encode()})
        await self.run.message(_summary(spec))
        await self._end("Writing the spec")
        return spec

    async def _plan(self, spec: Spec, workspace: Workspace) -> None:
        await self._begin(AgentRole.ARCHITECT, "Planning the files", 0.25)
        plan = plan_for(spec)
        content = json.dumps(
            {"spec": spec.model_dump(mode="json"), **plan.model_dump(mode="json")}, indent=2
        )
        await workspace.write("plan.json", {"plan.json": content.encode()})
        await self.run.message("Files: " + ", ".join(item.path for item in plan.items))
        await self._end("Planning the files")

    def receipt(self, status: str, reason: str = "") -> Receipt:
        workspace, blueprint, meter = self.workspace, self.blueprint, self.run.meter
        service = blueprint.facts.service if blueprint else None
        is_serving = workspace is not None and workspace.is_serving
        values: Mapping[str, object] = {
            "status": status,
            "reason": reason,
            "spec": self.spec.model_dump(mode="json") if self.spec else {},
            "blueprint": blueprint.name if blueprint else "",
            "files": tuple(sorted(workspace.files)) if workspace else (),
            "checks": tuple(self.checks),
            "unproven": tuple(self.unproven),
            "attempts": meter.attempts,
            "tokens_in": meter.tokens_in,
            "tokens_out": meter.tokens_out,
            "seconds": round(meter.seconds, 1),
            "preview_port": service.port if service and is_serving else None,
            "commit": workspace.head if workspace else "",
        }
        return Receipt.model_validate(values)


def _summary(spec: Spec) -> str:
    parts = [f"{spec.title}: {spec.summary}"]
    if spec.functions:
        parts.append("It can " + ", ".join(one.name.replace("_", " ") for one in spec.functions))
    if spec.entity is not None:
        fields = ", ".join(one.name for one in spec.entity.fields)
        parts.append(f"It keeps {spec.entity.plural} with {fields}")
    return ". ".join(part.rstrip(".") for part in parts) + "."
