"""A runner that writes and checks one file as the model says, without a sandbox.

The model's answer is the file; an answer with the word "wrong" fails its check. The receipt has
what the run was told of its model.
"""

import hashlib

from diono.agents.meter import Run, speaking
from diono.agents.port import Check, JsonObject, Receipt, Stage
from diono.agents.runner import AgentRunner, Work
from diono.agents.runners.resources import Resources
from diono.agents.running import BaseRunner
from diono.kernel.events import EventType
from diono.llm.port import ChatRequest, Message


class OneFile(BaseRunner):
    name = "custom:onefile"

    async def work(self, work: Work, stage: Stage) -> Receipt:
        run = Run(stage)
        with speaking("Engineer", run.meter):
            await run.say(EventType.AGENT_START, title="Write the file")
            await run.progress(0.3, "writing")
            code = await self._write(work, stage, run)
            await run.message(f"I wrote main.py: {code}")
            await run.say(EventType.AGENT_COMPLETE, title="Write the file")
        with speaking("QA", run.meter):
            await run.say(EventType.AGENT_START, title="Check the file")
            is_right = "wrong" not in code
            await run.say(EventType.CHECK, name="it is right", passed=is_right)
        return self.receipt(
            "SUCCEEDED" if is_right else "FAILED",
            "" if is_right else "The check did not pass.",
            blueprint="one-file",
            files=("main.py",),
            checks=(Check(name="it is right", kind="unit", passed=is_right),),
            unproven=(),
            details={"fit": stage.fit.model_dump(mode="json")},
        )

    async def _write(self, work: Work, stage: Stage, run: Run) -> str:
        async def action() -> JsonObject:
            question = Message(role="user", content=work.prompt)
            reply = await stage.model.ask(ChatRequest(messages=(question,), max_tokens=60))
            await stage.save_file("main.py", reply.text.encode())
            usage = reply.usage
            return {
                "code": reply.text,
                "tokens_in": usage.prompt_tokens,
                "tokens_out": usage.completion_tokens,
            }

        code = str((await stage.steps.run("write", action))["code"])
        data = code.encode()
        await run.say(
            EventType.FILE,
            path="main.py",
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            action="written",
            commit="c0ffee",
        )
        return code


def make(_resources: Resources, _detail: str) -> AgentRunner:
    return OneFile()
