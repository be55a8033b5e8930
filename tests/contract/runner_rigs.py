"""Stages and scripted answers for every runner."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unit.agents.host_stage import ROOT, FolderSandbox, HostStage, ScriptedModel, Tape

from diono.agents.port import Action, Decision, JsonObject, Memory, Question, Said
from diono.agents.runner import Kind, Work
from diono.agents.runners.registry import Runners
from diono.agents.runners.resources import Resources
from diono.kernel.events import EventDraft, EventType
from diono.llm.fit.report import ModelFit
from diono.llm.port import ChatRequest
from diono.sandbox.errors import FileMissing
from diono.sandbox.port import ExecRequest, ExecResult, FileEntry, ServiceStatus, SnippetRequest

RESOURCES = Resources(
    blueprints=ROOT / "workspace" / "blueprints",
    graphs=ROOT / "workspace" / "graphs",
    custom=ROOT / "workspace" / "runners",
)
RUNNERS = Runners(RESOURCES)
Answerer = Callable[[ChatRequest], str]


class RigSandbox(FolderSandbox):
    """A scratch folder that runs snippets and lists its files too."""

    async def run_python(self, request: SnippetRequest) -> ExecResult:
        argv = ("python3", "-c", request.code)
        return await self.execute(ExecRequest(argv=argv, stdin=request.stdin.encode()))

    async def read_file(self, path: str, limit_bytes: int = 1_000_000) -> bytes:
        try:
            return await super().read_file(path, limit_bytes)
        except FileNotFoundError as error:
            raise FileMissing(f"There is no file {path}. Write it first.") from error

    async def list_files(self, path: str = ".", depth: int = 8) -> Sequence[FileEntry]:
        found = sorted((self.root / path).rglob("*"))
        return [
            FileEntry(
                path=str(file.relative_to(self.root)), is_dir=file.is_dir(), size=0, mode=0o644
            )
            for file in found
            if ".git" not in file.parts
        ]

    async def list_services(self) -> Sequence[ServiceStatus]:
        return ()


class RunnerTape(Tape):
    """Also runs branches, in their order."""

    async def run_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int = 2
    ) -> list[JsonObject]:
        return [await self.run(name, action) for name, action in branches]


class RunnerStage(HostStage):
    """A whole stage; ``thoughts`` are the transient events."""

    def __init__(self, root: Path, answer: Answerer, tape: RunnerTape | None = None) -> None:
        super().__init__(root, ScriptedModel(answer), tape or RunnerTape())
        self.box = RigSandbox(root)
        self.fit = ModelFit.assumed(self.model.profile, self.model.name)
        self.thoughts: list[EventDraft] = []
        self.said: list[Said] = []
        self.memory = Memory()
        self.points: list[tuple[str, str]] = []
        self.decision = Decision(is_approved=True)

    async def emit(self, draft: EventDraft) -> None:
        if draft.event_type is EventType.THINKING:
            self.thoughts.append(draft)
        await super().emit(draft)

    async def side_sandbox(self, name: str, template: str = "base") -> object:
        return self.box

    async def decide(self, question: Question) -> Decision:
        return self.decision

    async def recall(self) -> tuple[Sequence[Said], Memory]:
        return tuple(self.said), self.memory

    async def remember(self, said: Sequence[Said], memory: Memory) -> None:
        self.said += said
        self.memory = memory

    async def checkpoint(self, title: str, commit: str) -> None:
        self.points.append((title, commit))


@dataclass(frozen=True)
class Rig:
    """One runner, work for it, and answers that let it succeed. ``needs_app``: it works on what
    the team built."""

    runner: str
    kind: Kind
    prompt: str
    answer: Answerer
    options: JsonObject = field(default_factory=dict)
    needs_app: bool = False

    @property
    def work(self) -> Work:
        return Work(
            task_id="tsk_1",
            project_id="prj_1",
            kind=self.kind,
            prompt=self.prompt,
            options=self.options,
        )


def _team(request: ChatRequest) -> str:
    """What an able model says, for doubling and for tripling numbers."""
    asked = request.messages[1].content
    name, factor = ("triple_number", 3) if "triple" in asked else ("double_number", 2)
    if "Write this function" in asked:
        return f"    return number * {factor}\n"
    if "List the Python functions" in asked:
        parameters = [{"name": "number", "type": "int"}]
        words = name.replace("_", " ").capitalize()
        function = {"name": name, "description": f"{words}.", "parameters": parameters}
        return json.dumps({"functions": [{**function, "returns": "int"}]})
    if "assert lines" in asked:
        lines = [f"{name}({number}) == {number * factor}" for number in (2, 5, -3)]
        return "\nassert ".join(lines).removeprefix(f"{name}(") + "\n"
    if "Write the assert line" in asked:
        call = asked.rsplit("for ", 1)[1].rstrip(".")
        return f" {factor * int(call.split('(')[1].rstrip(')'))}"
    return json.dumps({"title": "Doubler", "summary": "Doubles numbers."})


SIGNATURE = """Solve it.
```python
def double(number: int) -> int:
    \"\"\"Twice a number.
    >>> double(2)
    4
    >>> double(5)
    10
    \"\"\"
```"""


TEAM = Rig("team", "build", "A command-line program that doubles a number", _team)
RIGS = (
    TEAM,
    Rig("change", "change", "Add a command that triples a number", _team, needs_app=True),
    Rig("solve", "solve", SIGNATURE, lambda _: "    return number * 2\n"),
    Rig("codeact", "chat", "Say hello.", lambda _: "Hello. Nothing had to be done."),
    Rig("langgraph:example", "build", "print 1", lambda _: "```python\nprint(1)\n```"),
    Rig("custom:example", "chat", "What is two?", lambda _: "Two is a number."),
)
