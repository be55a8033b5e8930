"""What OpenAI's clients send and get; of a request, what is not named here is ignored."""

from typing import Any, Literal

from pydantic import BaseModel, Field

JsonObject = dict[str, Any]


class Part(BaseModel):
    type: str
    text: str = ""


class Function(BaseModel):
    name: str
    arguments: str = ""


class Call(BaseModel):
    id: str
    type: Literal["function"] = "function"
    function: Function


class ChatMessage(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None


class ToolFunction(BaseModel):
    name: str
    description: str = ""
    parameters: JsonObject | None = None


class Tool(BaseModel):
    type: Literal["function"]
    function: ToolFunction


class StreamOptions(BaseModel):
    include_usage: bool = False


class JsonSchema(BaseModel):
    schema_: JsonObject = Field(default_factory=dict, alias="schema")


class ResponseFormat(BaseModel):
    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None


class ChatCompletionRequest(BaseModel):
    """A chat completion, by a model (`provider/model`) or an agent (`diono/codeact`, …)."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"model": "diono/codeact", "messages": [{"role": "user", "content": "Hello"}]}
            ]
        }
    }

    model: str = Field(min_length=1, max_length=200)
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stop: str | list[str] | None = None
    seed: int | None = None
    n: int | None = None
    response_format: ResponseFormat | None = None
    tools: list[Tool] | None = None
    metadata: JsonObject | None = Field(
        default=None, description="`project_id`: the project in which an agent works."
    )


class OpenAIModel(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str


class OpenAIModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[OpenAIModel]
