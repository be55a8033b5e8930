"""``langgraph:NAME``: a compiled LangGraph graph that the operator installed, on our models, tools
and events. The file NAME.py of the folder DIONO_GRAPHS_DIR has it as ``graph``."""

import json
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from diono.agents.meter import Run
from diono.agents.port import JsonObject, Memory, Receipt, Said, Stage
from diono.agents.runner import AgentRunner, Work
from diono.agents.runners.graphs.current import GraphRefused
from diono.agents.runners.graphs.drive import Drive, Graph, checked
from diono.agents.runners.resources import Resources
from diono.agents.runners.trusted import load_trusted
from diono.agents.running import BaseRunner
from diono.agents.workspace import commit

ITERATIONS = 25
MOST_ITERATIONS = 200
ANSWER_CHARACTERS = 32_000
PROMPT_KEYS = ("prompt", "task", "request", "question", "input")
ANSWER_KEYS = ("answer", "output", "result", "response")


class LangGraphRunner(BaseRunner):
    """Options: ``input`` (further keys of the graph's input), ``iterations`` (default 25)."""

    def __init__(self, name: str, graph: Graph) -> None:
        super().__init__()
        self.name = name
        self._graph = graph

    async def work(self, work: Work, stage: Stage) -> Receipt:
        drive = Drive(self._graph, stage)
        await Run(stage).progress(0.05, self.name)
        values = await self._input(work, stage)
        wanted = work.options.get("iterations", ITERATIONS)
        limit = (
            min(wanted, MOST_ITERATIONS) if isinstance(wanted, int) and wanted > 0 else ITERATIONS
        )
        output = await drive.run(values, limit)
        answer = _answer(output)[:ANSWER_CHARACTERS]
        head = await self._commit(work, stage) if drive.files else ""
        if work.kind == "chat":
            said = (Said(role="user", content=work.prompt), Said(role="assistant", content=answer))
            await stage.remember(said, await self._memory(stage))
        return self._receipt(drive, answer, head)

    def _receipt(self, drive: Drive, answer: str, head: str) -> Receipt:
        checks = tuple(drive.checks.values())
        red = [check.name for check in checks if check.passed is not True]
        reason = f"These checks of the graph did not pass: {', '.join(red)}." if red else ""
        unproven = () if checks else ("The graph ran no check, so nothing but its end was proven.",)
        return self.receipt(
            "FAILED" if red else "SUCCEEDED",
            reason,
            files=tuple(sorted(drive.files)),
            checks=checks,
            unproven=unproven,
            answer=answer,
            commit=head,
        )

    async def _input(self, work: Work, stage: Stage) -> JsonObject:
        builder: Any = self._graph.builder
        keys: list[str] = list(builder.schemas[builder.input_schema])
        given = work.options.get("input")
        values: JsonObject = dict(cast("JsonObject", given)) if isinstance(given, dict) else {}
        if "messages" in keys:
            past = await self._past(stage) if work.kind == "chat" else []
            values.setdefault("messages", [*past, HumanMessage(content=work.prompt, id="request")])
        for key in PROMPT_KEYS:
            if key in keys:
                values.setdefault(key, work.prompt)
        if not values:
            raise GraphRefused(
                f"The input of the graph {self.name} has the keys {', '.join(keys) or '(none)'}; "
                f"the request needs one of: messages, {', '.join(PROMPT_KEYS)}."
            )
        return values

    async def _past(self, stage: Stage) -> list[BaseMessage]:
        async def action() -> JsonObject:
            said, _ = await stage.recall()
            return {"said": [one.model_dump(mode="json") for one in said]}

        result = await stage.steps.run("recall", action)
        return [
            AIMessage(content=one["content"], id=f"past{index}")
            if one["role"] == "assistant"
            else HumanMessage(content=one["content"], id=f"past{index}")
            for index, one in enumerate(result["said"])
            if one["role"] != "tool"
        ]

    async def _memory(self, stage: Stage) -> Memory:
        async def action() -> JsonObject:
            _, memory = await stage.recall()
            return memory.model_dump(mode="json")

        memory = Memory.model_validate(await stage.steps.run("recall memory", action))
        return memory.model_copy(
            update={
                "tokens_in": memory.tokens_in + self.watch.tokens_in,
                "tokens_out": memory.tokens_out + self.watch.tokens_out,
            }
        )

    async def _commit(self, work: Work, stage: Stage) -> str:
        async def action() -> JsonObject:
            return {"commit": await commit(await stage.sandbox(), work.prompt.splitlines()[0][:72])}

        head = str((await stage.steps.run("commit", action))["commit"])
        await stage.checkpoint(f"{self.name}: {work.prompt.splitlines()[0][:60]}", head)
        return head


def _answer(output: JsonObject) -> str:
    for key in ANSWER_KEYS:
        if isinstance(output.get(key), str):
            return output[key]
    messages: Any = output.get("messages")
    if isinstance(messages, list) and messages:
        last: Any = cast("list[Any]", messages)[-1]
        return str(last.text) if isinstance(last, BaseMessage) else str(last)
    return json.dumps(output, default=str, ensure_ascii=False)


def make(resources: Resources, detail: str) -> AgentRunner:
    """Raises ExtensionRefused, GraphRefused."""
    module = load_trusted(resources.graphs, detail)
    return LangGraphRunner(f"langgraph:{detail}", checked(getattr(module, "graph", None), detail))
