"""A runner that writes one file as the model says, waits until the file ``options.gate`` exists,
and checks what was written: a test decides how long it works."""

import asyncio
from pathlib import Path

from diono.agents.meter import Run, speaking
from diono.agents.port import Check, JsonObject, Receipt, Stage
from diono.agents.runner import AgentRunner, Work
from diono.agents.running import BaseRunner
from diono.kernel.events import EventType
from diono.llm.port import ChatRequest, Message

CHECK = "it prints"
LOOK_SECONDS = 0.02


class GatedRunner(BaseRunner):
    name = "custom:gated"

    async def work(self, work: Work, stage: Stage) -> Receipt:
        run = Run(stage)
        gate = Path(work.options["gate"])

        async def write() -> JsonObject:
            question = Message(role="user", content=work.prompt)
            reply = await stage.model.ask(ChatRequest(messages=(question,), max_tokens=40))
            await stage.save_file("main.py", reply.text.encode())
            usage = {
                "tokens_in": reply.usage.prompt_tokens,
                "tokens_out": reply.usage.completion_tokens,
            }
            return {"code": reply.text, **usage}

        async def wait() -> JsonObject:
            await run.log("At the gate")
            while not _is_open(gate):  # noqa: ASYNC110  a file, no event
                await asyncio.sleep(LOOK_SECONDS)
            return {}

        async def check() -> JsonObject:
            return {"passed": code.startswith("print(")}

        with speaking("Engineer", run.meter):
            await run.say(EventType.AGENT_START, title="Write the file")
            code = str((await stage.steps.run("write", write))["code"])
            await stage.steps.run("wait", wait)
            await run.say(EventType.AGENT_COMPLETE, title="Write the file")
        with speaking("QA", run.meter):
            passed = bool((await stage.steps.run("check", check))["passed"])
            await run.say(EventType.CHECK, name=CHECK, kind="unit", passed=passed)
        return self.receipt(
            "SUCCEEDED" if passed else "FAILED",
            "" if passed else "It prints nothing.",
            blueprint="one-file",
            files=("main.py",),
            checks=(Check(name=CHECK, kind="unit", passed=passed),),
            unproven=(),
        )


def _is_open(gate: Path) -> bool:
    return gate.exists()


def make(_resources: object, _detail: str) -> AgentRunner:
    return GatedRunner()
