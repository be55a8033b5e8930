"""The language-model port: what Diono asks of any provider.

Adapters live in ``llm/adapters`` (embedded, ollama, openai_compatible, anthropic, scripted) and
pass one conformance suite, ``tests/contract/test_llm_conformance.py``.
"""

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Message(_Frozen):
    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(_Frozen):
    """One chat completion. A trailing assistant message is a begun answer (prefill)."""

    messages: tuple[Message, ...]
    max_tokens: int = Field(default=1024, ge=1)
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    seed: int | None = None
    stop: tuple[str, ...] = ()
    json_schema: dict[str, Any] | None = None


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"


class Usage(_Frozen):
    prompt_tokens: int
    completion_tokens: int
    is_estimate: bool = Field(default=False, description="The server did not count.")


class ChatChunk(_Frozen):
    """A piece of the answer. The last chunk has ``finish`` and ``usage`` (counted or estimated)."""

    text: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None


class Reply(_Frozen):
    """A whole answer, without the begun part that the request carried."""

    text: str
    is_cut: bool = Field(description="The token limit ended the answer.")
    usage: Usage
    seconds: float


class ModelProfile(_Frozen):
    """Facts about one model, so that no code branches on a model's name."""

    context_tokens: int = 4096
    supports_json_schema: bool = False
    supports_prefill: bool = False
    is_local: bool = True


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


class LanguageModels(Protocol):
    """One provider of models.

    Errors (``llm/errors.py``): ModelNotFound, ProviderUnreachable, ProviderTimeout (idle),
    RateLimited, ProviderFailed, BadProviderReply, ContextExceeded, CredentialsRefused.
    Closing the iterator of ``chat`` cancels the generation.
    """

    provider: str

    async def list(self) -> Sequence[ModelInfo]: ...

    async def profile(self, model: str) -> ModelProfile: ...

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[ChatChunk]: ...

    def pull(self, model: str) -> AsyncIterator[PullProgress]: ...

    async def close(self) -> None: ...
