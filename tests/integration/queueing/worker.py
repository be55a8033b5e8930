"""Worker processes to be killed: a parent that has imported everything, forks some workers, and
forks another one whenever one dies, as a service manager would.

python worker.py DATABASE_URL WORKFLOWS FOLDER COUNT

FOLDER/journal says what the runs did; FOLDER/points/TASK lists the points that a task's run has
passed. At the point whose number is in FOLDER/points/TASK.kill, the worker dies of SIGKILL, once.
"""

import asyncio
import inspect
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NoReturn

from diono.agents.port import JsonObject, Memory, Question, Receipt, Said, Stage
from diono.agents.runner import AgentRunner, Work
from diono.agents.running import BaseRunner
from diono.features.accounts.service import Accounts
from diono.features.checkpoints.service import Checkpoints
from diono.features.conversations.service import Conversations
from diono.features.tasks.jobs import AssumedFits, Dispatcher, House, Prices, Staff, TaskJob
from diono.features.tasks.ledger import Ledger
from diono.features.tasks.queue import Queue, QueueLimits
from diono.infra.blobs import FolderBlobs
from diono.infra.bus import PollingBus
from diono.infra.clock import SystemClock
from diono.infra.database import Database
from diono.infra.heartbeats import Heartbeats
from diono.infra.workflows import WorkflowEngine
from diono.kernel.errors import Unavailable
from diono.kernel.events import EventDraft, EventType
from diono.llm.catalog import ModelCatalog
from diono.llm.port import ChatRequest, Message
from diono.llm.providers import LlmConfig, provider_factories
from diono.sandbox.port import EngineHealth, Sandbox, SandboxSpec

# The queue's rows refer to its tables.
assert Accounts
SCRIPT = "rules:\n  - when: ''\n    reply: one two three\n"
WATCHED = {
    "ledger": ("append", "ask", "save_file", "set_model", "spend"),
    "queue": ("begin", "end", "note_side_project", "rest"),
    "engine": ("park", "start", "step", "steps_together"),
    "conversations": ("remember",),
    "checkpoints": ("keep",),
    "sandboxes": ("kill", "open"),
}
current_run: ContextVar[str] = ContextVar("current_run", default="")


class Journal:
    """What runs do, in files that outlive their process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, line: str) -> None:
        (self._folder / "holder").write_text(str(os.getpid()))
        with (self._folder / "journal").open("a") as file:
            file.write(line + "\n")

    def reach(self, name: str, run: str) -> None:
        """Note a point of a run; die if it is the wanted one."""
        file = self._folder / "points" / run
        with file.open("a") as points:
            points.write(f"{name}\t{time.time():.3f} {os.getpid()}\n")
        wanted = file.with_suffix(".kill")
        if wanted.exists() and len(file.read_text().splitlines()) == int(wanted.read_text()):
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """Anything, with a point before and after each of its watched calls."""

    def __init__(self, inner: Any, label: str, journal: Journal) -> None:
        self._inner = inner
        self._label = label
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in WATCHED[self._label] or not inspect.iscoroutinefunction(found):
            return found

        async def call(*arguments: Any, **options: Any) -> Any:
            # A run is started from outside.
            run = current_run.get() or str(arguments[0])
            point = f"{self._label}.{name}"
            if name == "step":
                point += f" {arguments[0]}"
            self._journal.reach(f"before {point}", run)
            result = await found(*arguments, **options)
            self._journal.reach(f"after {point}", run)
            return result

        return call


class FolderSandboxes:
    """A sandbox service that has only names: a file for each sandbox that is open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sandboxes"

    async def open(self, spec: SandboxSpec) -> Sandbox:
        (self._folder / spec.project).touch()
        raise Unavailable("No sandboxes here.")

    async def find(self, owner: str, project: str) -> Sandbox | None:
        return None

    async def kill(self, owner: str, project: str) -> None:
        (self._folder / project).unlink(missing_ok=True)

    async def pause(self, owner: str, project: str) -> bool:
        return False

    async def delete_workspace(self, owner: str, project: str) -> None: ...

    async def health(self) -> EngineHealth:
        return EngineHealth(is_ready=False)

    async def close(self) -> None: ...


class WalkRunner(BaseRunner):
    """Walks through everything that a stage offers; options say how far and how fast."""

    name = "walk"

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    async def work(self, work: Work, stage: Stage) -> Receipt:
        self._seconds = float(work.options.get("seconds", 0.0))
        told = [await self._step(stage, name) for name in work.options.get("before", ["first"])]
        answer = await self._ask(stage)
        await stage.emit(EventDraft(event_type=EventType.MESSAGE, payload={"text": answer}))
        if work.options.get("is_long"):
            told += await self._together(stage)
            await self._side(stage)
            said = [Said(role="assistant", content=answer)]
            await stage.remember(said, Memory(phase="walking"))
            await stage.checkpoint("Half way", "c" * 40)
        if work.options.get("asks"):
            question = Question(key="plan", kind="plan", text="So?", **work.options["asks"])
            decision = await stage.decide(question)
            told.append("expired" if decision.is_expired else f"said {decision.text}")
            if not decision.is_approved:
                return self.receipt("FAILED", "nobody approved it", answer=" ".join(told))
        told += [await self._step(stage, name) for name in work.options.get("after", ["last"])]
        return self.receipt("SUCCEEDED", answer=" ".join(told))

    async def _step(self, stage: Stage, name: str) -> str:
        async def action() -> JsonObject:
            return await self._act(stage, name)

        return str((await stage.steps.run(name, action))["told"])

    async def _act(self, stage: Stage, name: str) -> JsonObject:
        self._journal.write(f"begin {name}")
        self._journal.reach(f"in {name}", current_run.get())
        await stage.emit(EventDraft(event_type=EventType.LOG, payload={"text": name}))
        await asyncio.sleep(self._seconds)  # the window in which the test acts
        await stage.save_file(f"{name}.txt", name.encode())
        if name == "poison":
            die()
        self._journal.write(f"end {name}")
        return {"told": name}

    async def _together(self, stage: Stage) -> list[str]:
        async def left() -> JsonObject:
            return await self._act(stage, "left")

        async def right() -> JsonObject:
            return await self._act(stage, "right")

        branches = [("left", left), ("right", right)]
        return [str(each["told"]) for each in await stage.steps.run_together(branches)]

    async def _ask(self, stage: Stage) -> str:
        async def action() -> JsonObject:
            self._journal.write("begin ask")
            request = ChatRequest(messages=(Message(role="user", content="Say it"),), max_tokens=50)
            reply = await stage.model.ask(request)
            self._journal.write("end ask")
            return {"text": reply.text, "tokens_out": reply.usage.completion_tokens}

        return str((await stage.steps.run("ask", action))["text"])

    async def _side(self, stage: Stage) -> None:
        async def action() -> JsonObject:
            try:
                await stage.side_sandbox("candidate")
            except Unavailable:
                return {}
            return {}

        await stage.steps.run("side", action)


class Runners:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def of(self, name: str) -> AgentRunner:
        return WalkRunner(self._journal)


def make_job(database: Database, engine: WorkflowEngine, bus: PollingBus, folder: Path) -> TaskJob:
    """Compose what runs tasks, as the server does."""
    clock, journal = SystemClock(), Journal(folder)
    script = folder / "script.yaml"
    config: Mapping[str, Any] = {"models_dir": folder, "script": script, "ollama_host": "off"}
    catalog = ModelCatalog(provider_factories(LlmConfig(**config)), "scripted/script")
    sandboxes: Any = Watched(FolderSandboxes(folder), "sandboxes", journal)
    conversations = Conversations(database, clock)
    checkpoints = Checkpoints(database, sandboxes, conversations, clock)
    ledger = Ledger(database, bus, FolderBlobs(folder / "blobs"), clock)
    watched: dict[str, Any] = {
        "ledger": ledger,
        "queue": Queue(database, bus, clock, QueueLimits(3, 3)),
        "engine": engine,
        "conversations": conversations,
        "checkpoints": checkpoints,
    }
    parts: dict[str, Any] = {
        label: Watched(part, label, journal) for label, part in watched.items()
    }
    house = House(sandboxes=sandboxes, clock=clock, **parts)
    staff = Staff(Runners(journal), catalog, AssumedFits(), Prices(folder / "prices.yaml", {}))
    return TaskJob(house, staff)


async def serve(database_url: str, workflows: str, folder: Path) -> None:
    database, bus = Database(database_url), PollingBus(0.1)
    await bus.start()
    is_shared = "://" in workflows
    executor_id = f"worker-{os.getpid()}" if is_shared else "local"
    engine = WorkflowEngine(workflows if is_shared else Path(workflows), executor_id, 3)
    job = make_job(database, engine, bus, folder)
    heartbeats = Heartbeats(database, executor_id, SystemClock(), 0.3, 2.0)
    await heartbeats.beat()

    async def body(run_id: str) -> None:
        current_run.set(run_id)
        await job.run(run_id)

    await engine.launch(body)
    dispatcher = Dispatcher(job, bus)
    await dispatcher.reconcile()
    await asyncio.gather(heartbeats.keep(engine), dispatcher.keep())


def main() -> None:
    database_url, workflows, folder, count = sys.argv[1:]
    for name in ("points", "sandboxes"):
        (Path(folder) / name).mkdir()
    (Path(folder) / "script.yaml").write_text(SCRIPT)
    children: set[int] = set()

    def start() -> None:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            asyncio.run(serve(database_url, workflows, Path(folder)))
        children.add(pid)

    def end(*_: object) -> NoReturn:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    for _ in range(int(count)):
        start()
    print("ready", flush=True)
    while True:
        pid, _ = os.wait()
        with (Path(folder) / "deaths").open("a") as deaths:
            deaths.write(f"{pid}\n")
        children.discard(pid)
        start()


if __name__ == "__main__":
    main()
