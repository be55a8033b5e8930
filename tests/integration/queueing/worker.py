"""Worker processes to be killed: a parent that has imported everything and forks one on demand.

python worker.py DATABASE_URL WORKFLOWS FOLDER, then one executor's name a line on standard input;
it prints each worker's pid. A worker appends to FOLDER/journal what it does.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

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
BRANCHES = ("left", "middle", "right")


class Journal:
    def __init__(self, folder: Path, executor_id: str) -> None:
        self._file = folder / "journal"
        self._holder = folder / "holder"
        self._executor_id = executor_id

    def write(self, line: str) -> None:
        self._holder.write_text(self._executor_id)
        with self._file.open("a") as file:
            file.write(line + "\n")


class JournalSandboxes:
    """A sandbox service that is away, and whose releases are noted."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def open(self, spec: SandboxSpec) -> Sandbox:
        self._journal.write(f"open {spec.project}")
        raise Unavailable("No sandboxes here.")

    async def find(self, owner: str, project: str) -> Sandbox | None:
        return None

    async def kill(self, owner: str, project: str) -> None:
        self._journal.write(f"release {project}")

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
        self._seconds = float(work.options.get("seconds", 0.03))
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
        await stage.emit(EventDraft(event_type=EventType.LOG, payload={"text": name}))
        await asyncio.sleep(self._seconds)  # the window in which the test acts
        await stage.save_file(f"{name}.txt", name.encode())
        self._journal.write(f"end {name}")
        return {"told": name}

    async def _together(self, stage: Stage) -> list[str]:
        def branch(name: str) -> JsonObject:
            async def action() -> JsonObject:
                return await self._act(stage, name)

            return {"action": action}

        results = await stage.steps.run_together(
            [(name, branch(name)["action"]) for name in BRANCHES], at_once=3
        )
        return [str(result["told"]) for result in results]

    async def _ask(self, stage: Stage) -> str:
        async def action() -> JsonObject:
            self._journal.write("begin ask")
            request = ChatRequest(messages=(Message(role="user", content="Say it"),), max_tokens=50)
            reply = await stage.model.ask(request)
            await asyncio.sleep(self._seconds)
            self._journal.write("end ask")
            return {"text": reply.text, "tokens_out": reply.usage.completion_tokens}

        return str((await stage.steps.run("ask", action))["text"])

    async def _side(self, stage: Stage) -> None:
        async def action() -> JsonObject:
            self._journal.write("begin side")
            await asyncio.sleep(self._seconds)
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


def make_job(
    database: Database, engine: WorkflowEngine, bus: PollingBus, folder: Path, journal: Journal
) -> TaskJob:
    """Compose what runs tasks, as the server does."""
    clock = SystemClock()
    script = folder / "script.yaml"
    script.write_text(SCRIPT)
    config: Mapping[str, object] = {"models_dir": folder, "script": script, "ollama_host": "off"}
    catalog = ModelCatalog(provider_factories(LlmConfig(**config)), "scripted/script")
    sandboxes, conversations = JournalSandboxes(journal), Conversations(database, clock)
    house = House(
        ledger=Ledger(database, bus, FolderBlobs(folder / "blobs"), clock),
        queue=Queue(database, bus, clock, QueueLimits(4, 4)),
        engine=engine,
        sandboxes=sandboxes,
        conversations=conversations,
        checkpoints=Checkpoints(database, sandboxes, conversations, clock),
        clock=clock,
    )
    staff = Staff(Runners(journal), catalog, AssumedFits(), Prices(folder / "prices.yaml", {}))
    return TaskJob(house, staff)


async def serve(database_url: str, workflows: str, folder: Path, executor_id: str) -> None:
    database, bus = Database(database_url), PollingBus(0.1)
    await bus.start()
    place = workflows if "://" in workflows else Path(workflows)
    engine = WorkflowEngine(place, executor_id, 4)
    job = make_job(database, engine, bus, folder, Journal(folder, executor_id))
    heartbeats = Heartbeats(database, executor_id, SystemClock(), 0.2, 1.0)
    await heartbeats.beat()
    await engine.launch(job.run)
    dispatcher = Dispatcher(job, bus)
    await dispatcher.reconcile()
    await asyncio.gather(heartbeats.keep(engine), dispatcher.keep())


def main() -> None:
    database_url, workflows, folder = sys.argv[1:]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asyncio.run(serve(database_url, workflows, Path(folder), line.strip()))
        print(pid, flush=True)


if __name__ == "__main__":
    main()
