"""A stage for tests: scripted answers, steps that remember, a sandbox that is a scratch folder.

The sandbox runs commands on this machine, so only answers written in the tests may come here.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from diono.agents.errors import Cancelled
from diono.agents.port import Check, Decision, JsonObject, Memory, Question, Said
from diono.inspection.models import Inspection, not_examined
from diono.kernel.events import EventDraft, EventType
from diono.llm.fit.report import ModelFit
from diono.llm.port import ChatRequest, ModelProfile, Reply, Usage
from diono.sandbox.port import (
    ExecRequest,
    ExecResult,
    ExitReason,
    FileEntry,
    ServiceSpec,
    ServiceStatus,
)

ROOT = Path(__file__).resolve().parents[3]
Answerer = Callable[[ChatRequest], str]
Action = Callable[[], Awaitable[JsonObject]]


class FolderSandbox:
    sandbox_id = "folder"

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    async def execute(self, request: ExecRequest) -> ExecResult:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        process = await asyncio.create_subprocess_exec(
            *request.argv,
            cwd=self.root / request.cwd,
            # The plugins of our own tests would be loaded by each run of an app's tests.
            env={**os.environ, "PATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **request.env},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(
            process.communicate(request.stdin), request.timeout_seconds
        )
        return ExecResult(
            reason=ExitReason.EXITED,
            exit_code=process.returncode,
            stdout=out.decode(),
            stderr=err.decode(),
            seconds=0.0,
        )

    async def read_file(self, path: str, limit_bytes: int = 1_000_000) -> bytes:
        return (self.root / path).read_bytes()[:limit_bytes]

    async def write_file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(mode)

    async def write_files(self, files: Mapping[str, bytes]) -> None:
        for path, content in files.items():
            await self.write_file(path, content)

    async def list_files(self, path: str = ".", depth: int = 8) -> Sequence[FileEntry]:
        raise NotImplementedError

    async def remove(self, path: str) -> None:
        (self.root / path).unlink()

    async def install(self, packages: Sequence[str], timeout_seconds: float = 120) -> ExecResult:
        raise NotImplementedError

    async def start_service(self, spec: ServiceSpec) -> ServiceStatus:
        raise NotImplementedError

    async def service_status(self, name: str) -> ServiceStatus:
        raise NotImplementedError

    async def stop_service(self, name: str) -> None:
        raise NotImplementedError

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise NotImplementedError


class ScriptedModel:
    name = "scripted/test"

    def __init__(self, answerer: Answerer, supports_prefill: bool = True) -> None:
        self.profile = ModelProfile(
            context_tokens=8192, supports_json_schema=True, supports_prefill=supports_prefill
        )
        self._answerer = answerer
        self.requests: list[ChatRequest] = []

    async def ask(
        self, request: ChatRequest, on_text: Callable[[str], Awaitable[None]] | None = None
    ) -> Reply:
        self.requests.append(request)
        text = self._answerer(request)
        if on_text is not None:
            await on_text(text)
        usage = Usage(prompt_tokens=10, completion_tokens=5)
        return Reply(text=text, is_cut=False, usage=usage, seconds=0.1)


class Tape:
    """Records steps; given an earlier recording, it plays it back for as long as it lasts."""

    def __init__(self, recorded: list[tuple[str, JsonObject]] | None = None) -> None:
        self.recorded = list(recorded or [])
        self.names: list[str] = []
        self.actions_run = 0
        self.cancel_at = ""

    async def run(self, name: str, action: Callable[[], Awaitable[JsonObject]]) -> JsonObject:
        index = len(self.names)
        self.names.append(name)
        if self.cancel_at and name.startswith(self.cancel_at):
            raise Cancelled("The task was cancelled.")
        if index < len(self.recorded):
            assert self.recorded[index][0] == name
            return json.loads(json.dumps(self.recorded[index][1]))
        self.actions_run += 1
        result = json.loads(json.dumps(await action()))
        self.recorded.append((name, result))
        return result

    async def run_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int = 2
    ) -> list[JsonObject]:
        """Recorded one by one: what counts here is the order of the results."""
        return [await self.run(name, action) for name, action in branches]


class HostStage:
    def __init__(self, root: Path, model: ScriptedModel, tape: Tape | None = None) -> None:
        self.model = model
        self.steps = tape or Tape()
        self.box = FolderSandbox(root)
        self.drafts: list[EventDraft] = []
        self.saved: dict[str, bytes] = {}
        self.fit = ModelFit.assumed(model.profile)
        self.budget_seconds = 600.0
        self.decisions: list[Decision] = []
        self.questions: list[Question] = []
        self.checkpoints: list[tuple[str, str]] = []
        self.inspect_files: Callable[[Path], Inspection] | None = None

    async def sandbox(self) -> FolderSandbox:
        return self.box

    async def emit(self, draft: EventDraft) -> None:
        if draft.event_type is not EventType.THINKING:
            self.drafts.append(draft)

    def seconds_left(self) -> float:
        return self.budget_seconds

    async def save_file(self, path: str, content: bytes) -> None:
        self.saved[path] = content

    async def inspect(self, checks: Sequence[Check] = ()) -> Inspection:
        if self.inspect_files is None:
            return not_examined("this stage has no analysers")
        return self.inspect_files(self.box.root)

    async def side_sandbox(self, name: str, template: str = "base") -> FolderSandbox:
        return FolderSandbox(self.box.root.with_name(f"{self.box.root.name}-{name}"))

    async def decide(self, question: Question) -> Decision:
        self.questions.append(question)
        if not self.decisions:
            return Decision(is_approved=False, is_expired=True)
        return self.decisions[min(len(self.questions), len(self.decisions)) - 1]

    async def recall(self) -> tuple[Sequence[Said], Memory]:
        return (), Memory()

    async def remember(self, said: Sequence[Said], memory: Memory) -> None:
        return None

    async def checkpoint(self, title: str, commit: str) -> None:
        self.checkpoints.append((title, commit))
