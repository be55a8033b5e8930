"""The task's model as a LangChain chat model."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from pydantic import BaseModel

from diono.agents.parsing import json_of
from diono.agents.runners.graphs.current import GraphRefused, OutOfTime, current, wait_for
from diono.kernel.events import EventType
from diono.llm.port import ChatRequest, Message, Reply, ToolCall, ToolSpec

MINIMUM_SECONDS = 5.0
Tools = Sequence[Mapping[str, Any] | type | Callable[..., Any] | BaseTool]


class DionoChatModel(BaseChatModel):
    """The model that the user chose for the task; it works inside a node of a graph only.

    Tools reach models that have native tool calls; for others ask for text or for a schema
    (``with_structured_output``), which the server enforces where it can.
    """

    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int | None = None

    @property
    def _llm_type(self) -> str:
        return "diono"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return wait_for(self._answer(messages, stop, kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await self._answer(messages, stop, kwargs)

    def bind_tools(
        self,
        tools: Tools,
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools for native calls. ``tool_choice`` is not passed on."""
        return self.bind(tools=[_spec(cast("Any", tool)) for tool in tools], **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Hold the model to a JSON schema or pydantic model and return what it says."""
        if include_raw or kwargs:
            raise GraphRefused("with_structured_output takes a schema only.")

        def parsed(message: AIMessage) -> Any:
            value = json_of(str(message.text))
            is_model = isinstance(schema, type) and issubclass(schema, BaseModel)
            return cast("type[BaseModel]", schema).model_validate(value) if is_model else value

        return self.bind(json_schema=convert_to_json_schema(schema)) | RunnableLambda(parsed)

    async def _answer(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, options: Mapping[str, Any]
    ) -> ChatResult:
        run = current()
        if run.stage.seconds_left() < MINIMUM_SECONDS:
            raise OutOfTime("The time budget is used up.")
        tools = tuple(cast("Sequence[ToolSpec]", options.get("tools", ())))
        if tools and not run.stage.fit.tools_ok:
            raise GraphRefused(
                f"The model {run.stage.model.name} has no working native tool calls. Choose one "
                "that has, or let the graph ask for text (with_structured_output)."
            )
        request = ChatRequest(
            messages=tuple(_message(one) for one in messages),
            max_tokens=int(options.get("max_tokens") or self.max_tokens),
            temperature=float(options.get("temperature", self.temperature)),
            seed=self.seed,
            stop=tuple(stop or ()),
            json_schema=options.get("json_schema"),
            tools=tools,
        )

        async def on_text(text: str) -> None:
            await run.say(EventType.THINKING, text=text)

        reply = await run.stage.model.ask(request, on_text)
        run.count(reply.usage)
        return ChatResult(
            generations=[ChatGeneration(message=_answered(reply, run.stage.model.name))]
        )


def _answered(reply: Reply, model: str) -> AIMessage:
    usage = reply.usage
    return AIMessage(
        content=reply.text,
        tool_calls=[
            tool_call(name=call.name, args=call.arguments, id=call.id) for call in reply.tool_calls
        ],
        usage_metadata=UsageMetadata(
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
            total_tokens=usage.prompt_tokens + usage.completion_tokens,
        ),
        response_metadata={
            "model_name": model,
            "finish_reason": "length" if reply.is_cut else "stop",
        },
    )


def _spec(tool: Any) -> ToolSpec:
    function: dict[str, Any] = convert_to_openai_tool(tool)["function"]
    return ToolSpec(
        name=function["name"],
        description=str(function.get("description", "")),
        parameters=function.get("parameters") or {"type": "object", "properties": {}},
    )


def _message(message: BaseMessage) -> Message:
    text = str(message.text)
    match message:
        case SystemMessage():
            return Message(role="system", content=text)
        case HumanMessage():
            return Message(role="user", content=text)
        case ToolMessage():
            return Message(role="tool", content=text, tool_call_id=message.tool_call_id)
        case AIMessage():
            calls = tuple(
                ToolCall(id=call["id"] or "", name=call["name"], arguments=call["args"])
                for call in message.tool_calls
            )
            return Message(role="assistant", content=text, tool_calls=calls)
        case ChatMessage(role="user" | "assistant" | "system" as role):
            return Message(role=role, content=text)
        case _:
            raise GraphRefused(
                f"A model cannot be told a {message.type} message: {json.dumps(text[:80])}."
            )
