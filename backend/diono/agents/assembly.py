"""Putting a build together: the model's functions, the generated files around them."""

from collections.abc import Sequence
from dataclasses import replace

from diono.agents import cleaning, examples, inverse, limits, qa
from diono.agents.architect import ROLES
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.crew import Crew
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
from diono.agents.known import lookup
from diono.agents.meter import Run
from diono.agents.port import Check
from diono.agents.proving import Proving
from diono.agents.scheduling.budgets import Budgets
from diono.agents.scheduling.items import Phase, WorkItem
from diono.agents.scheduling.lockstep import AT_ONCE, Lane
from diono.agents.scheduling.scheduler import Ending, Outcome, schedule
from diono.agents.scheduling.states import AgentState
from diono.agents.spec import Built, Example, FunctionSpec, Plan, Spec
from diono.agents.workspace import Workspace
from diono.kernel.events import AgentRole

ENOUGH_ROUND_TRIPS = 3


class Assembly:
    """Writes the files of one plan, and holds them against their proof."""

    def __init__(
        self, run: Run, catalog: BlueprintCatalog, workspace: Workspace, prompt: str, spec: Spec
    ) -> None:
        self._run = run
        self._catalog = catalog
        self._workspace = workspace
        self._prompt = prompt
        self._spec = spec
        self._examples_of: dict[str, tuple[Example, ...]] = {}
        self._budgets: Budgets | None = None
        self.proving = Proving(run, catalog, workspace, spec)
        self.built: list[Built] = []
        self.failures: list[Failure] = []
        self.endings: list[Ending] = []

    @property
    def _is_page(self) -> bool:
        return self._spec.blueprint == "static-web"

    def path_of(self, function: FunctionSpec) -> str:
        """Return the file that this function alone is in."""
        return (static_web if self._is_page else python_cli).path_of(function)

    async def write(self, plan: Plan, crew: Crew, budgets: Budgets) -> None:
        """Write what the plan names: functions by the schedule, then what surrounds them."""
        self._budgets = budgets
        if self._spec.shape in ("records", "local_records"):
            await self.proving.try_skeleton()
            is_page = self._spec.shape == "local_records"
            await (self._write_shell() if is_page else self._write_records())
            return
        await self._write_functions(plan, crew, budgets)
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

    async def _write_functions(self, plan: Plan, crew: Crew, budgets: Budgets) -> None:
        functions = {one.name: one for one in self._spec.functions}
        chosen = [one for one in plan.items if one.function in functions]
        of_path = {one.path: functions[one.function] for one in chosen}
        items = [
            WorkItem(
                name=one.path,
                role=one.role,
                phase=one.phase,
                depends_on=tuple(path for path in one.depends_on if path in of_path),
                priority=one.priority,
                # Its partner's examples help, but it can do without.
                is_tolerant=True,
            )
            for one in chosen
        ]

        async def work(item: WorkItem, lane: Lane, hint: str) -> Outcome:
            agent = AgentRole.ENGINEER + (f" {lane.number + 1}" if lane.number else "")
            async with crew.at_work(agent, item.name) as one:
                outcome = await self._write_function(of_path[item.name], item.phase)
                await crew.to(one, AgentState.DONE if outcome.is_done else AgentState.FAILED)
                return outcome

        async def end(ending: Ending) -> None:
            function = of_path[ending.item.name]
            if ending.end != "done" and not any(f.function is function for f in self.failures):
                self.failures.append(Failure(function, ending.reason, ending.tries))
            share = (len(plan_of_work.endings)) / max(len(items), 1)
            await self._run.progress(0.3 + 0.5 * share, f"{function.name} is done")

        plan_of_work = schedule(items, ROLES, work, budgets)
        # A local model answers one question at a time: two at once only wait for each other.
        plan_of_work.at_once = 1 if self._run.stage.fit.is_local else AT_ONCE
        plan_of_work.on_end = end
        self.endings = await plan_of_work.run(self._run.steps)

    async def _write_function(self, function: FunctionSpec, phase: Phase) -> Outcome:
        assignment = await self._assignment(function, phase)
        result = await write_function(self._run, self._catalog, assignment)
        if isinstance(result, Failure):
            result = await self._by_search(assignment) or result
        if isinstance(result, Failure):
            self.failures.append(result)
            await self._run.log(f"{function.name} was not built: {result.problem}", "warning")
            return Outcome(False, result.problem)
        self._keep(result)
        await self._write_source(result, assignment.path)
        if self._is_page:
            await self._write_shell()
        return Outcome(True, result.proof)

    async def _write_source(self, one: Built, path: str, note: str = "") -> None:
        source = cleaning.with_global(one.source, one.function) if self._is_page else one.source
        await self._workspace.write(f"{one.function.name}{note}", {path: source.encode()})

    def _keep(self, result: Built) -> None:
        """The order of the spec is that of the commands, whoever was ready first."""
        others = [one for one in self.built if one.function.name != result.function.name]
        names = [one.name for one in self._spec.functions]
        self.built = sorted([*others, result], key=lambda one: names.index(one.function.name))

    async def _assignment(self, function: FunctionSpec, phase: Phase) -> Assignment:
        language = self._workspace.blueprint.facts.language
        known = lookup.known(function, language)
        found, vote = (known.examples, None) if known else await self._examples(function)
        self._examples_of[function.name] = found
        fit, budgets = self._run.stage.fit, self._budgets
        tries = TRIES if fit.is_assumed else fit.tries
        is_full = function.is_required and not (known and known.source)
        return Assignment(
            prompt=self._prompt,
            function=function,
            language=language,
            path=self.path_of(function),
            examples=found,
            tries=tries if is_full else min(tries, TRIES_FOR_EXTRAS),
            vote=vote,
            at_once=1 if fit.is_local else AT_ONCE,
            allowance=(lambda: budgets.take(phase)) if budgets else None,
            known=known,
        )

    async def _examples(self, function: FunctionSpec) -> tuple[tuple[Example, ...], Voter | None]:
        if self._spec.shape == "ticker":
            return qa.ticker_examples(function, self._spec.counts_down), None
        turned = await self._round_trips(function)
        if len(turned) >= ENOUGH_ROUND_TRIPS:
            return turned, None
        derived = examples.from_partner(function, self.built)
        if len(derived) >= ENOUGH_ROUND_TRIPS:
            own = self._examples_of.get(function.name, ())
            return (*derived, *(one for one in own if one.is_unanimous)), None
        if function.name in self._examples_of:
            return self._examples_of[function.name], None
        found = await examples.own(self._run, self._prompt, function)
        return found.examples, found.vote

    async def _round_trips(self, function: FunctionSpec) -> tuple[Example, ...]:
        """Texts are proposed better than numbers: their examples serve an inverse as well."""
        for other in self._spec.functions:
            if other is function or not examples.are_inverse(function, other):
                continue
            if other.name not in self._examples_of and other.parameters[0].type == "str":
                found = await examples.own(self._run, self._prompt, other)
                self._examples_of[other.name] = found.examples
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

    # --- checks and repair ---

    async def check(self) -> list[Check]:
        checks = await self.proving.check(self.built)
        if self.built and not self._is_page:
            shown = qa.shown_commands(checks)
            readme = python_cli.readme(self._spec, self.built, shown)
            await self._workspace.write("README.md", {"README.md": readme.encode()})
        return checks

    async def rewrite(self, function: FunctionSpec, hint: str, name: str) -> bool:
        """Write a function again, told what went wrong; False if no candidate passed."""
        assignment = await self._assignment(function, Phase.INTEGRATION)
        tries = min(assignment.tries, TRIES_FOR_EXTRAS)
        assignment = replace(assignment, tries=tries, round=name, vote=None)
        result = await write_function(self._run, self._catalog, assignment, hint)
        if isinstance(result, Failure):
            return False
        self._keep(result)
        await self._write_source(result, assignment.path, " again")
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
        if self._spec.shape in ("records", "local_records") and self._spec.origin == "default":
            return "The model gave no usable plan; the app was generated from the request's words."
        return self.proving.doubt(checks, self.built)

    def _why(self, function: FunctionSpec) -> str:
        for one in self.failures:
            if one.function.name == function.name:
                return f"{one.attempts} attempts; the last problem: {one.problem}."
        return ""

    def unproven(self, checks: Sequence[Check]) -> list[str]:
        notes = limits.of_build(self._prompt, self._spec, self.built, self.failures)
        return [*notes, *self.proving.unproven(checks)]
