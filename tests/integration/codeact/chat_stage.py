"""A stage for chats: a real sandbox, a scripted model, steps that remember, a user who answers."""

import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.codeact.runner import CodeActRunner
from diono.agents.errors import Cancelled
from diono.agents.port import Check, Decision, JsonObject, Memory, Question, Receipt, Said
from diono.agents.runner import Work
from diono.inspection.models import Inspection, not_examined
from diono.kernel.events import EventDraft, EventType
from diono.llm.adapters.scripted import Rule, Say, Script, ScriptedModels
from diono.llm.catalog import BoundModel, ChosenModel
from diono.llm.fit.report import ModelFit
from diono.llm.port import ChatRequest, Reply
from diono.llm.streaming import StreamLimits
from diono.sandbox.port import ExecRequest, Sandbox, Sandboxes, SandboxSpec

ROOT = Path(__file__).resolve().parents[3]
Answers = Sequence[str | Say]


class Tape:
    """Records steps; ``crash_after`` ends the process, so to speak, before a result is kept."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, JsonObject]] = []
        self.position = 0
        self.crash_after = ""

    async def run(self, name: str, action: Callable[[], Awaitable[JsonObject]]) -> JsonObject:
        if self.position < len(self.recorded):
            known, result = self.recorded[self.position]
            assert known == name
            self.position += 1
            return json.loads(json.dumps(result))
        result = json.loads(json.dumps(await action()))
        if self.crash_after and name.startswith(self.crash_after):
            self.crash_after = ""
            raise ProcessDied
        self.recorded.append((name, result))
        self.position += 1
        return result


class ProcessDied(BaseException):
    pass


class RecordingModel:
    """The bound scripted model, and what it was sent."""

    def __init__(self, bound: BoundModel) -> None:
        self._bound = bound
        self.name, self.profile = bound.name, bound.profile
        self.requests: list[ChatRequest] = []

    async def ask(
        self, request: ChatRequest, on_text: Callable[[str], Awaitable[None]] | None = None
    ) -> Reply:
        self.requests.append(request)
        return await self._bound.ask(request, on_text)


class ChatStage:
    def __init__(self, sandboxes: Sandboxes, fit: ModelFit, model: RecordingModel) -> None:
        self._sandboxes = sandboxes
        self.fit = fit
        self.model = model
        self.steps = Tape()
        self.drafts: list[EventDraft] = []
        self.questions: list[Question] = []
        self.decisions: dict[str, Decision] = {}
        self.said: list[Said] = []
        self.memory = Memory()
        self.checkpoints: list[str] = []
        self.saved: dict[str, bytes] = {}
        self.budget_seconds = 600.0

    async def sandbox(self) -> Sandbox:
        return await self._sandboxes.open(SandboxSpec(owner="chat", project="project"))

    async def side_sandbox(self, name: str, template: str = "base") -> Sandbox:
        spec = SandboxSpec(owner="chat", project=f"side-{name}", is_disposable=True)
        return await self._sandboxes.open(spec)

    async def end_side_sandbox(self, name: str) -> None:
        await self._sandboxes.kill("chat", f"side-{name}")

    async def decide(self, question: Question) -> Decision:
        self.questions.append(question)
        expired = Decision(is_approved=False, is_expired=True)
        return self.decisions.get(question.kind, expired)

    async def recall(self) -> tuple[Sequence[Said], Memory]:
        return list(self.said), self.memory

    async def remember(self, said: Sequence[Said], memory: Memory) -> None:
        self.said += said
        self.memory = memory

    async def checkpoint(self, title: str, commit: str) -> None:
        self.checkpoints.append(title)

    async def emit(self, draft: EventDraft) -> None:
        if draft.event_type is not EventType.THINKING:
            self.drafts.append(draft)

    def seconds_left(self) -> float:
        return self.budget_seconds

    async def save_file(self, path: str, content: bytes) -> None:
        self.saved[path] = content

    async def inspect(self, checks: Sequence[Check] = ()) -> Inspection:
        return not_examined("this stage has no analysers")

    def payloads(self, event_type: EventType) -> list[JsonObject]:
        return [one.payload for one in self.drafts if one.event_type is event_type]


class Chats:
    """Opens chats in one project whose files each test starts without."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self.sandboxes = sandboxes
        self.count = 0

    async def clean(self) -> None:
        spec = SandboxSpec(owner="chat", project="project")
        line = "find /work -mindepth 1 -delete"
        sandbox = await self.sandboxes.open(spec)
        await sandbox.execute(ExecRequest(argv=("sh", "-c", line)))

    async def stage(
        self, answers: Answers, protocol: str = "tags", is_endless: bool = False
    ) -> ChatStage:
        script = Script(
            rules=(Rule(after_tool="", reply=tuple(answers)), Rule(reply=tuple(answers)))
            if protocol == "native"
            else (Rule(reply=tuple(answers), is_endless=is_endless),)
        )
        models = ScriptedModels({"chat": script}, StreamLimits())
        chosen = ChosenModel(provider="scripted", model="chat", name="scripted/chat", reason="")
        profile = await models.profile("chat")
        assumed = ModelFit.assumed(profile, "scripted/chat")
        fit = assumed.model_copy(update={"protocol": protocol, "tools_ok": protocol == "native"})
        return ChatStage(
            self.sandboxes, fit, RecordingModel(BoundModel(models, chosen, profile, fit))
        )

    async def run(self, stage: ChatStage, prompt: str = "Do it.", **options: object) -> Receipt:
        self.count += 1
        work = Work(
            task_id=f"task{self.count}", project_id="p", kind="chat", prompt=prompt, options=options
        )
        return await self.runner().start(work, stage)

    def runner(self) -> CodeActRunner:
        catalog = BlueprintCatalog(ROOT / "workspace" / "blueprints")
        return CodeActRunner(ROOT / "workspace" / "tools", catalog)

    async def replay(self, stage: ChatStage) -> Receipt:
        """Run the last task again from its recorded steps, as after a restart."""
        stage.steps.position = 0
        work = Work(task_id=f"task{self.count}", project_id="p", kind="chat", prompt="Do it.")
        return await self.runner().start(work, stage)


__all__ = ["Cancelled", "ChatStage", "Chats", "ProcessDied", "Say"]


def call(name: str, **arguments: str) -> str:
    inner = "\n".join(f"<{key}>{value}</{key}>" for key, value in arguments.items())
    return f'<tool name="{name}">\n{inner}\n</tool>'
