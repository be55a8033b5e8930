"""A role from a file at work: asked, read, checked; taken back where it breaks what was green."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import Template

from diono.agents.asking import ask
from diono.agents.meter import Run
from diono.agents.parsing import fingerprint
from diono.agents.port import Check, JsonObject
from diono.agents.roles.definition import Role, display_name
from diono.agents.roles.output import files_of, problem_of
from diono.agents.roles.prompting import begun_text, material_of, role_request
from diono.agents.saved_proof import turned_red
from diono.agents.scheduling.scheduler import Outcome
from diono.agents.spec import Spec
from diono.agents.workspace import Workspace, execute
from diono.kernel.events import EventType

COMMAND_SECONDS = 60
_FILE_BYTES = 20_000
Prove = Callable[[str], Awaitable[list[Check]]]


@dataclass
class RoleWorker:
    """Plays the roles that are files. ``prove`` runs the build's proof again; ``green`` are the
    checks as they were last seen."""

    run: Run
    workspace: Workspace
    spec: Spec
    request: str
    prove: Prove
    green: Sequence[Check] = ()
    outputs: Sequence[str] = ()
    notes: dict[str, str] = field(default_factory=dict[str, str])
    own: list[Check] = field(default_factory=list[Check])
    """The roles' own checks of what was kept."""

    async def work(
        self, item: str, role: Role, depends_on: Sequence[str], hint: str, attempt: int
    ) -> Outcome:
        """Do one try of an item of the workflow."""
        name = f"{item}.{attempt}"
        answer = await self._answer(name, role, depends_on, hint, attempt)
        if not answer.strip():
            return Outcome(False, "the model gave no answer")
        if role.produces.notes:
            self.notes[item] = answer.strip()[:8000]
            path = f"docs/notes/{item}.md"
            await self.workspace.write(f"{item}: notes", {path: f"{self.notes[item]}\n".encode()})
            return Outcome(True)
        files = files_of(answer, role.produces.files)
        problem = await self._refusal(role, files)
        if problem:
            return Outcome(False, problem, fingerprint(answer))
        return await self._keep(name, role, files)

    async def _answer(
        self, name: str, role: Role, depends_on: Sequence[str], hint: str, attempt: int
    ) -> str:
        files = await self._read(name, role.reads)
        notes = "\n\n".join(self.notes[one] for one in depends_on if one in self.notes)
        material = material_of(self.spec, self.request, self.outputs, files, notes)
        begun = begun_text(role, material)
        supports_prefill = bool(self.run.stage.model.profile.supports_prefill)
        request = role_request(role, material, begun if supports_prefill else "", hint, attempt)
        answer = await ask(self.run, f"{role.name} {name}", request, role.name)
        is_repeated = answer.text.lstrip().startswith(begun.strip()[:40]) if begun.strip() else True
        return answer.text if is_repeated or not answer.text else begun + answer.text

    async def _read(self, name: str, paths: Sequence[str]) -> Mapping[str, str]:
        wanted = [path for path in paths if path in self.workspace.files]
        if not wanted:
            return {}

        async def action() -> JsonObject:
            sandbox = await self.run.stage.sandbox()
            found = [await sandbox.read_file(path, _FILE_BYTES) for path in wanted]
            return {"contents": [one.decode("utf-8", "replace") for one in found]}

        result = await self.run.step(f"read for {name}", action)
        return dict(zip(wanted, result["contents"], strict=True))

    async def _refusal(self, role: Role, files: Mapping[str, str]) -> str:
        missing = [path for path in role.produces.files if path not in files]
        if missing:
            return f"the answer has no {missing[0]}"
        for path, content in files.items():
            previous = self.workspace.text_of(path)
            problem = problem_of(path, content, previous)
            if problem:
                return problem
        return ""

    async def _keep(self, name: str, role: Role, files: Mapping[str, str]) -> Outcome:
        snapshot = self.workspace.snapshot()
        encoded = {path: content.encode() for path, content in files.items()}
        await self.workspace.write(f"{role.name}: {', '.join(files)}", encoded)
        own = await self._own_checks(name, role, files)
        for check in own:
            await self.run.say(EventType.CHECK, **check.model_dump())
        problem = next((f"{one.name}: {one.detail}" for one in own if not one.passed), "")
        after: list[Check] = []
        if not problem and self.green:
            after = await self.prove(f"checks after {name}")
            red = turned_red(self.green, after)
            problem = f"{red[0].name} does not pass any more: {red[0].detail}" if red else ""
        if problem:
            await self.workspace.roll_back(snapshot, f"{role.name} broke something")
            return Outcome(False, problem, fingerprint("".join(files.values())))
        self.green = after or self.green
        self.own += own
        return Outcome(True)

    async def _own_checks(self, name: str, role: Role, files: Mapping[str, str]) -> Sequence[Check]:
        checks: list[Check] = []
        values = material_of(self.spec, self.request, self.outputs, {}, "")
        for rule in role.checks:
            if rule.contains is not None:
                wanted = Template(rule.contains.text).safe_substitute(values)
                content = files.get(rule.contains.path) or self.workspace.text_of(
                    rule.contains.path
                )
                checks.append(
                    Check(
                        name=f"{display_name(role.name)}: {rule.contains.path} has {wanted[:60]!r}",
                        kind="unit",
                        passed=wanted in content,
                        detail="" if wanted in content else "the text is not in it",
                    )
                )
        commands = [rule.command for rule in role.checks if rule.command]
        return [*checks, *(await self._commands(name, role, commands))] if commands else checks

    async def _commands(
        self, name: str, role: Role, commands: Sequence[tuple[str, ...]]
    ) -> Sequence[Check]:
        async def action() -> JsonObject:
            sandbox = await self.run.stage.sandbox()
            done = [await execute(sandbox, *one, seconds=COMMAND_SECONDS) for one in commands]
            seen = [(one.is_success, (one.stderr or one.stdout)[-200:]) for one in done]
            return {"seen": [{"is_success": good, "tail": tail} for good, tail in seen]}

        result = await self.run.step(f"commands of {name}", action, is_alone=True)
        return [
            Check(
                name=f"{display_name(role.name)}: {' '.join(command)}"[:120],
                kind="unit",
                passed=bool(one["is_success"]),
                detail="" if one["is_success"] else str(one["tail"]),
            )
            for command, one in zip(commands, result["seen"], strict=True)
        ]
