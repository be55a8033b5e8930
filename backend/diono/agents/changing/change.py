"""One change of a built app: planned, made, proven, or taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from diono.agents import examples
from diono.agents.blueprints import Blueprint, BlueprintCatalog
from diono.agents.changing import appearance
from diono.agents.changing.app import HISTORY, App, Keepsake, prove, prove_saved
from diono.agents.changing.evidence import evidence_for
from diono.agents.changing.following import (
    CORE_TESTS,
    files_for,
    path_of,
    proof_after,
    readme_for,
    removed_functions,
    tests_path,
    without_functions,
)
from diono.agents.changing.operations import AddFunction, Operation, apply, describe
from diono.agents.engineer import Assignment, Failure, write_function
from diono.agents.errors import ChangeRefused
from diono.agents.known import lookup
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject
from diono.agents.proof import Proof
from diono.agents.saved_proof import PATH as PROOF_PATH
from diono.agents.saved_proof import SavedProof, turned_red
from diono.agents.spec import Built, FunctionSpec, Spec
from diono.agents.workspace import Workspace
from diono.kernel.events import EventType
from diono.sandbox.errors import FileMissing
from diono.sandbox.repository import Repository

_PAGE_BYTES = 200_000


class Change:
    """``checks`` and ``notes`` say what was proven; ``reason`` why the change was taken back."""

    def __init__(
        self, run: Run, catalog: BlueprintCatalog, request: str, app: App, saved: SavedProof
    ) -> None:
        self._run = run
        self._catalog = catalog
        self._request = request
        self._app = app
        self._saved = saved
        self._blueprint: Blueprint = catalog.get(saved.spec.blueprint)
        self.workspace = Workspace(run, self._blueprint)
        self.checks: list[Check] = []
        self.retired: list[str] = []
        self.is_touched = False
        self.head = app.head
        self.spec = saved.spec

    @property
    def is_moved(self) -> bool:
        """Whether anything was committed, the change or its taking back."""
        return self.head != self._app.head

    async def make(self, operations: Sequence[Operation]) -> str:
        """Make the change. Returns why it was taken back, or nothing if it is proven. Raises
        ChangeRefused before anything is touched."""
        after = apply(self._saved.spec, operations)
        keepsake = Keepsake(self._run, self._catalog, self._saved.spec)
        await self.workspace.serve()
        before = await prove_saved(
            self._run, self._catalog, "checks before the change", self._saved
        )
        added = [one.function for one in operations if isinstance(one, AddFunction)]
        built = [await self._write(one) for one in added]
        evidence = self._served(evidence_for(operations, after, built))
        shown = await prove(self._run, self._catalog, "evidence before the change", evidence)
        proof = proof_after(self._saved.proof, after, self._blueprint, operations, built)
        saved = SavedProof(spec=after, proof=proof, optional=self._saved.optional)
        await keepsake.put()
        title = "; ".join(describe(one) for one in operations)
        self.is_touched = True
        await self._take_away(operations)
        files = files_for(after, built) | readme_for(after, proof) | self._records(title, saved)
        files |= await self._looks(after, files)
        await self.workspace.write(title, files)
        now = await prove(self._run, self._catalog, "evidence after the change", evidence)
        again = await prove_saved(self._run, self._catalog, "checks after the change", saved)
        kept = await keepsake.check(operations, "the row after the change")
        self.checks = [*self._marked(shown, now), *([kept] if kept else []), *again]
        self.retired = sorted({one.name for one in before} - {one.name for one in again})
        for check in self.checks:
            await self._run.say(EventType.CHECK, **check.model_dump())
        applicable = [one for one in before if one.name not in self.retired]
        problem = self._problem(turned_red(applicable, again))
        if problem:
            await self.take_back(problem)
            return problem
        self.head = self.workspace.head
        self.spec = after
        return ""

    def _served(self, evidence: Proof) -> Proof:
        service = self._blueprint.facts.service if evidence.requests else None
        return replace(evidence, service=service)

    async def _write(self, function: FunctionSpec) -> Built:
        language = self._blueprint.facts.language
        known = lookup.known(function, language)
        found = (
            examples.Own(known.examples, None)
            if known
            else await examples.own(self._run, self._request, function)
        )
        assignment = Assignment(
            prompt=self._request,
            function=function,
            language=language,
            path=path_of(self._saved.spec, function),
            examples=found.examples,
            vote=found.vote,
            known=known,
        )
        result = await write_function(self._run, self._catalog, assignment)
        if isinstance(result, Failure):
            raise ChangeRefused(
                f"{function.name} could not be written: {result.problem} "
                f"({result.attempts} attempts). Nothing was changed."
            )
        return result

    def _records(self, title: str, saved: SavedProof) -> dict[str, bytes]:
        request = " ".join(self._request.split())[:300]
        history = self._app.history or "# Changes\n\n"
        entry = f"- {request} ({title})\n"
        return {HISTORY: (history + entry).encode(), PROOF_PATH: saved.to_bytes()}

    async def _looks(self, after: Spec, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the page and its style sheet with what was asked of them, now or earlier."""
        spec = self._saved.spec
        if not (after.texts or after.style or spec.texts or spec.style):
            return {}
        stage, paths = self._run.stage, appearance.PAGE_PATHS[after.blueprint]

        async def action() -> JsonObject:
            sandbox = await stage.sandbox()
            read = [await sandbox.read_file(path, _PAGE_BYTES) for path in paths]
            return {"read": [one.decode(errors="replace") for one in read]}

        page, style = (await self._run.step("read the page", action))["read"]
        # A generated page is made anew; a template stays as it is.
        made = files.get(paths[0])
        return appearance.files_with(after, made.decode() if made else page, style)

    async def _take_away(self, operations: Sequence[Operation]) -> None:
        names = removed_functions(operations)
        gone = [one for one in self._saved.spec.functions if one.name in names]
        if not gone:
            return
        stage = self._run.stage
        paths = [path_of(self._saved.spec, one) for one in gone]
        paths += [tests_path(one) for one in gone]

        async def action() -> JsonObject:
            sandbox = await stage.sandbox()
            for path in paths:
                if path in self._app.files:
                    await sandbox.remove(path)
            try:
                tests = (await sandbox.read_file(CORE_TESTS, 1_000_000)).decode()
            except FileMissing:
                return {}
            await sandbox.write_file(CORE_TESTS, without_functions(tests, names).encode())
            return {}

        await self._run.step("take the removed functions away", action)

    def _marked(self, before: Sequence[Check], now: Sequence[Check]) -> list[Check]:
        """What passed already before the change does not show that it was made."""
        passed = {one.name for one in before if one.passed}
        return [
            one.model_copy(
                update={"is_required": False, "detail": f"{one.detail} (also before the change)"}
            )
            if one.name in passed
            else one
            for one in now
            if one.kind != "start"
        ]

    def _problem(self, red: Sequence[Check]) -> str:
        if red:
            return f"{red[0].name} passed before the change and does not any more: {red[0].detail}"
        failed = [one for one in self.checks if one.is_required and one.passed is not True]
        if failed:
            return f"{failed[0].name}: {failed[0].detail}"
        fresh = [one for one in self.checks if one.is_required and one.passed]
        return "" if fresh else "No check shows that the change was made."

    async def take_back(self, why: str) -> None:
        """Bring the app back to where it was, as a new commit; nothing of the history is lost."""
        await self._run.log(f"Rolled back: {why}", "warning")

        async def action() -> JsonObject:
            return {"commit": await self.restore(why)}

        self.head = str((await self._run.step("take the change back", action))["commit"])
        await self._run.stage.checkpoint("back to the last green state", self.head)
        await self.workspace.serve(restart=True)

    async def restore(self, why: str) -> str:
        """Take the change back at once, outside of any step: for a run that may take no more."""
        repository = Repository(await self._run.stage.sandbox())
        title = f"Back to the last green state: {why}"[:200]
        restored = await repository.restore(self._app.head, "The change that did not hold", title)
        return restored.after
