"""The language-model port: what Diono asks of any provider.

Adapters live in ``llm/adapters`` (embedded, ollama, openai_compatible, anthropic, scripted) and
pass one conformance suite, ``tests/contract/test_llm_conformance.py``.
"""

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ToolSpec(_Frozen):
    """A tool that the model may call; ``parameters`` is the JSON schema of its arguments."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})


class ToolCall(_Frozen):
    """One call that the model asks for. What it wrote is data: check it before doing it."""

    id: str
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    unreadable: str = Field(
        default="", description="What the model wrote, where that was no JSON object."
    )


class Message(_Frozen):
    """A turn. An assistant's turn may carry calls; a ``tool`` turn answers one of them."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = Field(default="", description="Of a tool turn: the call it answers.")


class ChatRequest(_Frozen):
    """One chat completion. A trailing assistant message is a begun answer (prefill).

    ``thinking`` switches the model's thinking on or off; None leaves it to the provider. It is
    sent only to models that have the switch.
    """

    messages: tuple[Message, ...]
    max_tokens: int = Field(default=1024, ge=1)
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    seed: int | None = None
    stop: tuple[str, ...] = ()
    json_schema: dict[str, Any] | None = None
    tools: tuple[ToolSpec, ...] = ()
    thinking: bool | None = None


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOLS = "tool_calls"


class Usage(_Frozen):
    prompt_tokens: int
    completion_tokens: int
    is_estimate: bool = Field(default=False, description="The server did not count.")


class ChatChunk(_Frozen):
    """A piece of the answer. The last chunk has ``finish`` and ``usage`` (counted or estimated).

    Thinking comes apart from the text; tool calls come whole.
    """

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: FinishReason | None = None
    usage: Usage | None = None


class Reply(_Frozen):
    """A whole answer, without the begun part that the request carried."""

    text: str
    is_cut: bool = Field(description="The token limit ended the answer.")
    usage: Usage
    seconds: float
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


class ModelProfile(_Frozen):
    """What a provider says of one model, so that no code branches on a model's name.

    None means that the provider does not say; ``ModelFit`` has what was measured.
    """

    context_tokens: int = 4096
    supports_json_schema: bool = False
    supports_prefill: bool | None = False
    supports_tools: bool | None = None
    supports_thinking: bool | None = None
    is_local: bool = True
    is_measurable: bool = Field(default=True, description="A script has nothing to measure.")
    digest: str = Field(default="", description="Names these very weights; empty: not known.")


class ModelInfo(_Frozen):
    name: str = Field(description="Full name: provider/model.")
    provider: str
    size_bytes: int | None = None
    is_available: bool = True
    note: str = ""


class PullProgress(_Frozen):
    status: str
    done_bytes: int = 0
    total_bytes: int | None = None


class Embeddings(_Frozen):
    """One vector a text, in their order; all have the same number of dimensions."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage


@runtime_checkable
class Embeds(Protocol):
    """What a provider can do besides that makes vectors of texts. Raises what ``chat`` raises."""

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings: ...


class LanguageModels(Protocol):
    """One provider of models.

    Errors (``llm/errors.py``): ModelNotFound, ProviderUnreachable, ProviderTimeout (idle),
    RateLimited, ProviderFailed, BadProviderReply, ContextExceeded (PromptCut if the server cut the
    prompt silently), CredentialsRefused.
    Closing the iterator of ``chat`` cancels the generation.
    """

    provider: str

    async def list(self) -> Sequence[ModelInfo]: ...

    async def profile(self, model: str) -> ModelProfile: ...

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[ChatChunk]: ...

    def pull(self, model: str) -> AsyncIterator[PullProgress]: ...

    async def close(self) -> None: ...
