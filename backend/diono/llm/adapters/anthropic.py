"""Anthropic's Messages API through its official client."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, cast

import anthropic as sdk
import httpx2
from anthropic import AsyncAnthropic, AsyncStream
from anthropic.types import RawMessageStreamEvent

from diono.llm.access import ON_ITS_OWN, Access
from diono.llm.adapters.anthropic_wire import body_of, chunks_of
from diono.llm.counting import refuse_cut
from diono.llm.faults import bad_reply, fault_of_status, unreachable
from diono.llm.per_loop import PerLoop
from diono.llm.port import (
    ChatChunk,
    ChatRequest,
    ModelInfo,
    ModelProfile,
    PullProgress,
)
from diono.llm.providers import LlmConfig
from diono.llm.streaming import ChunkStream, StreamLimits, deliver
from diono.llm.wire import remote_digest

_URL = "https://api.anthropic.com"
_CONNECT_SECONDS = 10.0
_CONTEXT_TOKENS = 200_000
_LISTED_MODELS = 100


class AnthropicModels:
    """Claude models. The API takes no seed and its newer models no temperature: neither is sent."""

    provider = "anthropic"

    def __init__(
        self, base_url: str, api_key: str, limits: StreamLimits, access: Access = ON_ITS_OWN
    ) -> None:
        self._url = (base_url or _URL).rstrip("/")
        self._place = access.place("Anthropic", self._url, "ANTHROPIC_API_KEY")
        self._limits = limits
        self._profiles: dict[str, ModelProfile] = {}
        timeout = httpx2.Timeout(None, connect=_CONNECT_SECONDS)
        self._clients = PerLoop(
            lambda: AsyncAnthropic(
                base_url=self._url,
                api_key=api_key,
                max_retries=0,
                timeout=timeout,
                http_client=access.client(httpx2, timeout),
            )
        )

    async def list(self) -> Sequence[ModelInfo]:
        with self._faults(""):
            page = await self._clients.get().models.list(limit=_LISTED_MODELS)
            return [
                ModelInfo(name=f"anthropic/{model.id}", provider="anthropic") for model in page.data
            ]

    async def profile(self, model: str) -> ModelProfile:
        if model not in self._profiles:
            with self._faults(model):
                info = await self._clients.get().models.retrieve(model)
            can_think = info.capabilities is not None and info.capabilities.thinking.supported
            self._profiles[model] = ModelProfile(
                context_tokens=info.max_input_tokens or _CONTEXT_TOKENS,
                supports_json_schema=True,
                supports_prefill=False,
                supports_tools=True,
                supports_thinking=can_think,
                is_local=False,
                digest=remote_digest(self.provider, self._url, model),
            )
        return self._profiles[model]

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        return deliver(lambda: self._stream(model, request), request, self._limits)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        await self.profile(model)
        yield PullProgress(status="ready")

    async def close(self) -> None:
        if client := self._clients.take():
            await client.close()

    async def _stream(self, model: str, request: ChatRequest) -> ChunkStream:
        with self._faults(model):
            call: Any = self._clients.get().messages.create
            can_think = bool(request.thinking) and await self._can_think(model)
            answer = await call(**body_of(model, request, can_think=can_think))
            stream = cast("AsyncStream[RawMessageStreamEvent]", answer)
            async with stream, aclosing(chunks_of(stream)) as chunks:
                async for chunk in chunks:
                    if chunk.usage is not None:
                        refuse_cut(request, chunk.usage.prompt_tokens, self._url)
                    yield chunk

    async def _can_think(self, model: str) -> bool:
        return bool((await self.profile(model)).supports_thinking)

    @contextmanager
    def _faults(self, model: str) -> Generator[None]:
        try:
            yield
        except sdk.APIStatusError as error:
            status = _status_of(error)
            raise fault_of_status(self._place, model, status, error.message) from error
        except (sdk.APIConnectionError, httpx2.ConnectError) as error:
            raise unreachable(self._place, error) from error
        except (
            sdk.APIError, httpx2.TransportError, ValueError, TypeError, AttributeError,
        ) as error:  # fmt: skip
            # The SDK builds its objects unchecked, so an answer of another shape fails anywhere.
            raise bad_reply(self._place, error) from error


def _status_of(error: sdk.APIStatusError) -> int:
    """Return the status; an error event inside a stream comes with the stream's 200."""
    if error.status_code >= 400:
        return error.status_code
    return 429 if "rate_limit" in str(error.body) else 500


def build(config: LlmConfig) -> AnthropicModels:
    """Build the provider from the configuration."""
    limits = StreamLimits(idle_seconds=config.idle_seconds, attempts=config.attempts)
    access = Access(config.label, config.transport)
    return AnthropicModels(config.anthropic_base_url, config.anthropic_api_key, limits, access)
