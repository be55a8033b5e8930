"""An example runner: answer in one sentence, and say that nothing was proven.

Try it: DIONO_RUNNERS_DIR=workspace/runners ./diono up, then make a task with the runner
`custom:example`. Everything that takes time or talks to something is a step: it is recorded, so
that a run goes on after a crash without asking twice.
"""

from diono.agents.port import JsonObject, Receipt, Stage
from diono.agents.runner import AgentRunner, Work
from diono.agents.runners.resources import Resources
from diono.agents.running import BaseRunner
from diono.kernel.events import EventDraft, EventType
from diono.llm.port import ChatRequest, Message


class OneSentence(BaseRunner):
    name = "custom:example"

    async def work(self, work: Work, stage: Stage) -> Receipt:
        async def ask() -> JsonObject:
            question = Message(role="user", content=f"Answer in one sentence: {work.prompt}")
            reply = await stage.model.ask(ChatRequest(messages=(question,), max_tokens=100))
            return {
                "text": reply.text.strip(),
                "tokens_in": reply.usage.prompt_tokens,
                "tokens_out": reply.usage.completion_tokens,
            }

        answer = str((await stage.steps.run("ask", ask))["text"])
        await stage.emit(EventDraft(event_type=EventType.MESSAGE, payload={"text": answer}))
        return self.receipt("SUCCEEDED", answer=answer, unproven=("The answer was not checked.",))


def make(_resources: Resources, _detail: str) -> AgentRunner:
    return OneSentence()
