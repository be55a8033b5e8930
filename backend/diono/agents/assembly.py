"""Putting a build together: the model's functions, the generated files around them, the checks."""

from collections.abc import Sequence
from dataclasses import replace

from diono.agents import cleaning, examples, inverse, qa, text
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.engineer import (
    TRIES,
    TRIES_FOR_EXTRAS,
    Assignment,
    Failure,
    Voter,
    check_candidate,
    write_function,
)
from diono.agents.generators import fastapi_app, python_cli, static_web
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject
from diono.agents.proof import Proof, run_proof
from diono.agents.saved_proof import SavedProof
from diono.agents.spec import Built, Example, FunctionSpec, Spec
from diono.agents.workspace import Workspace
from diono.kernel.events import EventType

ENOUGH_ROUND_TRIPS = 3
_WORK = ("cli", "http", "page")


class Assembly:
    """Writes the files of one plan and proves them."""

    def __init__(
        self, run: Run, catalog: BlueprintCatalog, workspace: Workspace, prompt: str, spec: Spec
    ) -> None:
        self._run = run
        self._catalog = catalog
        self._workspace = workspace
        self._prompt = prompt
        self._spec = spec
        self.built: list[Built] = []
        self.failures: list[Failure] = []
        self._baseline: set[str] = set()
        self._proof = Proof()
        self._examples_of: dict[str, tuple[Example, ...]] = {}

    @property
    def _is_page(self) -> bool:
        return self._spec.blueprint == "static-web"

    async def write(self) -> None:
        if self._spec.shape == "records":
            # What already passes on the untouched skeleton is found before anything changes.
            await self._find_baseline(qa.proof_for(self._spec, self._workspace.blueprint, []))
            await self._write_records()
            return
        if self._spec.shape == "local_records":
            await self._find_baseline(qa.proof_for(self._spec, self._workspace.blueprint, []))
            await self._write_shell()
            return
        count = max(len(self._spec.functions), 1)
        # Functions of whole numbers come first: an inverse can be searched once they are proven.
        ordered = sorted(self._spec.functions, key=lambda one: one.parameters[0].type != "int")
        for index, function in enumerate(ordered):
            await self._write_function(function)
            await self._run.progress(0.3 + 0.5 * (index + 1) / count, f"{function.name} is done")
        await self._write_shell()

    # --- records ---

    async def _write_records(self) -> None:
        entity = self._spec.entity
        if entity is None:
            return
        module = fastapi_app.entities_module(self._spec, entity)
        readme = fastapi_app.readme(self._spec, entity)
        await self._workspace.write(
            f"{entity.plural} with their fields",
            {fastapi_app.PATH: module.encode(), "README.md": readme.encode()},
        )

    # --- functions ---

    async def _write_function(self, function: FunctionSpec) -> None:
        assignment = await self._assignment(function)
        result = await write_function(self._run, self._catalog, assignment)
        if isinstance(result, Failure):
            result = await self._by_search(assignment) or result
        await self._accept(assignment, result)

    async def _accept(self, assignment: Assignment, result: Built | Failure) -> None:
        function = assignment.function
        if isinstance(result, Failure):
            self.failures.append(result)
            await self._run.log(f"{function.name} was not built: {result.problem}", "warning")
            return
        self.built.append(result)
        source = result.source
        if self._is_page:
            source = cleaning.with_global(source, function)
        await self._workspace.write(function.name, {assignment.path: source.encode()})
        if self._is_page:
            await self._write_shell()

    async def _assignment(self, function: FunctionSpec) -> Assignment:
        path_of = static_web.path_of if self._is_page else python_cli.path_of
        found, vote = await self._examples(function)
        self._examples_of[function.name] = found
        return Assignment(
            prompt=self._prompt,
            function=function,
            language=self._workspace.blueprint.facts.language,
            path=path_of(function),
            examples=found,
            tries=TRIES if function.is_required else TRIES_FOR_EXTRAS,
            vote=vote,
        )

    async def _examples(self, function: FunctionSpec) -> tuple[tuple[Example, ...], Voter | None]:
        if self._spec.shape == "ticker":
            return qa.ticker_examples(function, self._spec.counts_down), None
        turned = await self._round_trips(function)
        if len(turned) >= ENOUGH_ROUND_TRIPS:
            return turned, None
        if function.name in self._examples_of:
            return self._examples_of[function.name], None
        return await self._own_examples(function)

    async def _own_examples(
        self, function: FunctionSpec
    ) -> tuple[tuple[Example, ...], Voter | None]:
        proposed = await examples.propose(self._run, self._prompt, function)

        async def vote() -> tuple[Example, ...]:
            return await examples.put_to_vote(self._run, function, proposed)

        if examples.may_be_chance(function):
            return examples.unvoted(proposed), vote
        return await vote(), None

    async def _round_trips(self, function: FunctionSpec) -> tuple[Example, ...]:
        """Texts are proposed better than numbers: their examples serve an inverse as well."""
        for other in self._spec.functions:
            if other is function or not examples.are_inverse(function, other):
                continue
            if other.name not in self._examples_of and other.parameters[0].type == "str":
                found, _ = await self._own_examples(other)
                self._examples_of[other.name] = found
            return examples.round_trip(function, other, self._examples_of.get(other.name, ()))
        return ()

    async def _by_search(self, assignment: Assignment) -> Built | None:
        """Where the model failed, an inverse that was proven can be searched."""
        function = assignment.function
        for other in self.built:
            is_pair = examples.are_inverse(function, other.function)
            if self._is_page or not is_pair or not inverse.can_search(function, other):
                continue
            module = inverse.searched(function, other.function)
            tested = inverse.standalone(module, other)
            built = await check_candidate(self._run, self._catalog, assignment, tested)
            if built is not None:
                note = f"generated: a search over {other.function.name}; {built.proof}"
                return built.model_copy(update={"source": module, "proof": note})
        return None

    async def _write_shell(self) -> None:
        """Write what surrounds the functions that were built; without any, the skeleton stays."""
        functions = [one.function for one in self.built]
        if self._is_page:
            if functions or self._spec.shape == "local_records":
                if self._spec.shape == "ticker" and self.missing():
                    return
                page = static_web.page(self._spec, functions)
                readme = static_web.readme(self._spec)
                await self._workspace.write(
                    "the page", {"index.html": page.encode(), "README.md": readme.encode()}
                )
            return
        if functions:
            files = {
                "main.py": python_cli.main_module(self._spec, functions),
                "tests/test_core.py": python_cli.unit_tests(self.built),
            }
            await self._workspace.write(
                "the commands", {path: content.encode() for path, content in files.items()}
            )

    def missing(self) -> list[FunctionSpec]:
        names = {one.function.name for one in self.built}
        return [one for one in self._spec.functions if one.is_required and one.name not in names]

    # --- checks ---

    async def _find_baseline(self, proof: Proof) -> None:
        """Remember which checks pass without the work: they prove nothing."""
        found = await self._prove("baseline", proof)
        self._baseline = {one.name for one in found if one.passed and one.kind in _WORK}

    async def check(self) -> list[Check]:
        proof = qa.proof_for(self._spec, self._workspace.blueprint, self.built)
        if self.built:
            stubs = qa.stubs_for(self._spec, self.built)
            await self._find_baseline(Proof(cli=proof.cli, pages=proof.pages, changes=stubs))
        self._proof = proof
        checks = [self._marked(one) for one in await self._prove("checks", proof)]
        for check in checks:
            await self._run.say(EventType.CHECK, **check.model_dump())
        if self.built and not self._is_page:
            await self._write_readme(checks)
        return checks

    def saved_proof(self) -> SavedProof:
        """Return the last proof in the form that is kept in the workspace."""
        optional = tuple(sorted(self._baseline))
        return SavedProof(spec=self._spec, proof=self._proof, optional=optional)

    def _marked(self, check: Check) -> Check:
        if check.name not in self._baseline or not check.is_required:
            return check
        detail = f"{check.detail} (also passes without the work)"
        return check.model_copy(update={"is_required": False, "detail": detail})

    async def _prove(self, name: str, proof: Proof) -> list[Check]:
        async def action() -> JsonObject:
            sandbox = await self._run.stage.sandbox()
            checks = await run_proof(sandbox, self._catalog, proof)
            return {"checks": [one.model_dump(mode="json") for one in checks]}

        result = await self._run.step(name, action)
        return [Check.model_validate(one) for one in result["checks"]]

    async def _write_readme(self, checks: Sequence[Check]) -> None:
        shown = [
            one.detail.removeprefix("main.py ").partition(" -> ")
            for one in checks
            if one.kind == "cli" and one.passed and one.is_required and " -> " in one.detail
        ]
        lines = [(command, output.partition(" (expected")[0]) for command, _, output in shown]
        lines = [(command.replace("@", ""), output) for command, output in lines]
        useful = [one for one in lines if "--help" not in one[0]][:4]
        readme = python_cli.readme(self._spec, self.built, useful)
        await self._workspace.write("README.md", {"README.md": readme.encode()})

    # --- repair ---

    async def rewrite(self, function: FunctionSpec, hint: str, name: str) -> bool:
        """Write a function again, told what went wrong; False if no candidate passed."""
        assignment = replace(
            await self._assignment(function), tries=TRIES_FOR_EXTRAS, round=name, vote=None
        )
        result = await write_function(self._run, self._catalog, assignment, hint)
        if isinstance(result, Failure):
            return False
        self.built = [result if one.function.name == function.name else one for one in self.built]
        source = cleaning.with_global(result.source, function) if self._is_page else result.source
        await self._workspace.write(f"{function.name} again", {assignment.path: source.encode()})
        await self._write_shell()
        return True

    # --- what to say about it ---

    def reason(self, checks: Sequence[Check]) -> str:
        """Return why this is no success; empty if it is one."""
        missing = self.missing()
        if self._spec.shape in ("functions", "ticker") and not self._spec.functions:
            return "The model gave no usable plan; only the blueprint itself runs."
        if missing:
            names = ", ".join(one.name for one in missing)
            return f"Not built: {names}. {self._why(missing[0])}".strip()
        if self._spec.shape in ("records", "local_records") and self._spec.origin != "model":
            return "The model gave no usable plan; the app was generated from the request's words."
        failed = [one for one in checks if one.is_required and one.passed is not True]
        if failed:
            return f"{len(failed)} required checks failed, first: {failed[0].name}."
        proven = [one for one in checks if one.is_required and one.kind in _WORK]
        names = tuple(one.name for one in proven)
        for one in self.built:
            name = text.camel(one.function.name) if self._is_page else one.function.command
            is_shown = any(check.startswith(name) for check in names)
            if one.function.is_required and self._spec.shape == "functions" and not is_shown:
                return f"No check exercised {one.function.name}."
        return "" if proven else "No check exercised the work."

    def _why(self, function: FunctionSpec) -> str:
        for one in self.failures:
            if one.function.name == function.name:
                return f"{one.attempts} attempts; the last problem: {one.problem}."
        return ""

    def unproven(self) -> list[str]:
        notes = [f"{one.function.name} was not built ({one.problem})" for one in self.failures]
        for one in self.built:
            if one.proof.startswith("generated"):
                notes.append(f"{one.function.name} is not the model's work ({one.proof})")
            if one.is_random:
                notes.append(f"{one.function.name} works by chance: its values cannot be foretold")
            elif any(not example.votes for example in one.examples):
                notes.append(f"{one.function.name}: some results rest on agreement ({one.proof})")
        if self._spec.shape == "records":
            notes.append("the look of the page in a real browser")
        elif self._is_page:
            notes.append("the look of the page: it was run in a small document, not a browser")
        return notes
