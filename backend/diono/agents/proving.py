"""Running the proof of a build, and saying honestly what it shows."""

from collections.abc import Sequence
from dataclasses import replace

from diono.agents import qa, text
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject
from diono.agents.proof import Proof, run_proof
from diono.agents.saved_proof import SavedProof
from diono.agents.spec import Built, FunctionSpec, Spec
from diono.agents.stubs import WORK, Findings, StubTrials, try_skeleton
from diono.agents.workspace import Workspace
from diono.kernel.events import EventType


class Proving:
    """The checks of one build: what they are, which of them can tell, how they ended."""

    def __init__(
        self, run: Run, catalog: BlueprintCatalog, workspace: Workspace, spec: Spec
    ) -> None:
        self._run = run
        self._catalog = catalog
        self._workspace = workspace
        self._spec = spec
        self._proof = Proof()
        self._trials = StubTrials(self._prove, spec, workspace.blueprint)
        self.findings = Findings()

    async def try_skeleton(self) -> None:
        """Find out what already passes on the untouched skeleton, before anything changes."""
        proof = qa.proof_for(self._spec, self._workspace.blueprint, [])
        self.findings = await try_skeleton(self._prove, proof)

    async def check(self, built: Sequence[Built]) -> list[Check]:
        """Run every check that can fail, and announce how it ended."""
        proof = qa.proof_for(self._spec, self._workspace.blueprint, list(built))
        if built:
            self.findings = await self._trials.findings(proof, built)
        self._proof = self.findings.sift(proof)
        return await self.again("checks")

    async def again(self, name: str) -> list[Check]:
        """Run the last proof again on the workspace as it is now."""
        checks = await self._prove(name, self._proof)
        for check in checks:
            await self._run.say(EventType.CHECK, **check.model_dump())
        return checks

    async def _prove(self, name: str, proof: Proof) -> list[Check]:
        async def action() -> JsonObject:
            sandbox = await self._run.stage.sandbox()
            checks = await run_proof(sandbox, self._catalog, proof)
            return {"checks": [one.model_dump(mode="json") for one in checks]}

        result = await self._run.step(name, action, is_alone=True)
        return [Check.model_validate(one) for one in result["checks"]]

    def saved(self) -> SavedProof:
        """Return the last proof in the form that is kept in the workspace."""
        cases = (*self._proof.cli, *self._proof.pages, *self._proof.properties, *self._proof.http)
        return SavedProof(
            spec=self._spec,
            proof=replace(self._proof, changes={}),
            optional=tuple(one.name for one in cases if not one.is_required),
            discarded=tuple(sorted(self.findings.discarded)),
        )

    # --- what to say about it ---

    def doubt(self, checks: Sequence[Check], built: Sequence[Built]) -> str:
        """Return why these checks do not prove the work; empty if they do."""
        failed = [one for one in checks if one.is_required and one.passed is not True]
        if failed:
            return f"{len(failed)} required checks failed, first: {failed[0].name}."
        telling = [
            one.name
            for one in checks
            if one.is_required and one.kind in WORK and one.name not in self.findings.frame
        ]
        for one in built:
            if not one.function.is_required or self._spec.shape != "functions":
                continue
            if not any(name.startswith(self._label(one.function)) for name in telling):
                return f"No check exercised {one.function.name}."
            stub = self.findings.weak.get(one.function.name)
            if stub:
                what = "always gives the same" if stub == "constant" else "gives its input back"
                return f"The checks of {one.function.name} cannot tell it from one that {what}."
        return "" if telling else "No check exercised the work."

    def _label(self, function: FunctionSpec) -> str:
        is_page = self._spec.blueprint == "static-web"
        return text.camel(function.name) if is_page else function.command

    def unproven(self, checks: Sequence[Check]) -> list[str]:
        """Return what was found wanting without standing in the way."""
        return [
            f"{one.name}: {one.detail}"[:200]
            for one in checks
            if not one.is_required and one.passed is False
        ]

    def details(self, checks: Sequence[Check]) -> JsonObject:
        """Return the facts of the proof for the receipt."""
        kinds = [one.kind for one in checks]
        depths = [one.depth or one.kind for one in checks]
        return {
            "checks_by_depth": {depth: depths.count(depth) for depth in dict.fromkeys(depths)},
            "checks_by_kind": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
            "discarded_checks": sorted(self.findings.discarded),
            "frame_checks": sorted(self.findings.frame),
            "indistinct": dict(self.findings.weak),
        }
