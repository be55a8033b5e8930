"""A runner whose steps wait at gates, so that a test decides when they go on.

Options: ``folder`` (of the gates and the journal), ``steps`` (their names; a step ``NAME!`` waits
until FOLDER/NAME exists), ``calls`` (so many calls to the model), ``asks`` (a question).
"""

import asyncio
import os
from pathlib import Path

from diono.agents.port import JsonObject, Question, Receipt, Stage
from diono.agents.runner import AgentRunner, Work
from diono.agents.running import BaseRunner
from diono.kernel.events import EventDraft, EventType
from diono.llm.port import ChatRequest, Message

LOOK_SECONDS = 0.02


class GatedRunner(BaseRunner):
    name = "custom:gated"

    async def work(self, work: Work, stage: Stage) -> Receipt:
        folder = Path(work.options["folder"])
        for name in work.options.get("steps", ()):
            await self._step(stage, folder, name)
        if work.options.get("asks"):
            decision = await stage.decide(Question(key="go", kind="plan", text="Shall I?"))
            if not decision.is_approved:
                return self.receipt("FAILED", "You said no.")
        for number in range(work.options.get("calls", 0)):
            await self._call(stage, folder, number)
        return self.receipt("SUCCEEDED", answer=work.prompt)

    async def _step(self, stage: Stage, folder: Path, name: str) -> None:
        gate = folder / name.rstrip("!")

        async def action() -> JsonObject:
            _write(folder, f"begin {name}")
            await stage.emit(EventDraft(event_type=EventType.LOG, payload={"text": name}))
            while name.endswith("!") and not gate.exists():  # noqa: ASYNC110  a file, no event
                await asyncio.sleep(LOOK_SECONDS)
            _write(folder, f"end {name}")
            return {}

        await stage.steps.run(name, action)

    async def _call(self, stage: Stage, folder: Path, number: int) -> None:
        async def action() -> JsonObject:
            request = ChatRequest(messages=(Message(role="user", content="Say it"),), max_tokens=40)
            reply = await stage.model.ask(request)
            _write(folder, f"called {number}")
            return {"text": reply.text, "tokens_out": reply.usage.completion_tokens}

        await stage.steps.run(f"call {number}", action)


def _write(folder: Path, line: str) -> None:
    (folder / "holder").write_text(str(os.getpid()))
    with (folder / "journal").open("a") as file:
        file.write(line + "\n")


def make(_resources: object, _detail: str) -> AgentRunner:
    return GatedRunner()
