"""Anthropic's Messages API through its official client."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, cast

import anthropic as sdk
import httpx2
from anthropic import AsyncAnthropic, AsyncStream
from anthropic.types import RawMessageStreamEvent

from diono.llm.faults import Place, bad_reply, fault_of_status, unreachable
from diono.llm.per_loop import PerLoop
from diono.llm.port import (
    ChatChunk,
    ChatRequest,
    FinishReason,
    ModelInfo,
    ModelProfile,
    PullProgress,
    Usage,
)
from diono.llm.providers import LlmConfig
from diono.llm.streaming import ChunkStream, StreamLimits, deliver

JsonObject = dict[str, Any]

_URL = "https://api.anthropic.com"
_CONNECT_SECONDS = 10.0
_CONTEXT_TOKENS = 200_000
_LISTED_MODELS = 100


class AnthropicModels:
    """Claude models. The API takes no seed and its newer models no temperature: neither is sent."""

    provider = "anthropic"

    def __init__(self, base_url: str, api_key: str, limits: StreamLimits) -> None:
        self._url = (base_url or _URL).rstrip("/")
        self._place = Place("Anthropic", self._url, "ANTHROPIC_API_KEY")
        self._limits = limits
        timeout = httpx2.Timeout(None, connect=_CONNECT_SECONDS)
        self._clients = PerLoop(
            lambda: AsyncAnthropic(
                base_url=self._url, api_key=api_key, max_retries=0, timeout=timeout
            )
        )

    async def list(self) -> Sequence[ModelInfo]:
        with self._faults(""):
            page = await self._clients.get().models.list(limit=_LISTED_MODELS)
            return [
                ModelInfo(name=f"anthropic/{model.id}", provider="anthropic") for model in page.data
            ]

    async def profile(self, model: str) -> ModelProfile:
        with self._faults(model):
            await self._clients.get().models.retrieve(model)
        return ModelProfile(
            context_tokens=_CONTEXT_TOKENS,
            supports_json_schema=True,
            supports_prefill=False,
            is_local=False,
        )

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
            answer = await call(**_body_of(model, request))
            stream = cast("AsyncStream[RawMessageStreamEvent]", answer)
            async with stream, aclosing(_chunks(stream)) as chunks:
                async for chunk in chunks:
                    yield chunk

    @contextmanager
    def _faults(self, model: str) -> Generator[None]:
        try:
            yield
        except sdk.APIStatusError as error:
            status = _status_of(error)
            raise fault_of_status(self._place, model, status, error.message) from error
        except (sdk.APIConnectionError, httpx2.ConnectError) as error:
            raise unreachable(self._place, error) from error
        except (sdk.APIError, httpx2.TransportError, ValueError) as error:
            raise bad_reply(self._place, error) from error


async def _chunks(stream: AsyncStream[RawMessageStreamEvent]) -> ChunkStream:
    prompt_tokens = 0
    finish: FinishReason | None = None
    async for event in stream:
        if event.type == "message_start":
            prompt_tokens = event.message.usage.input_tokens
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            yield ChatChunk(text=event.delta.text)
        elif event.type == "message_delta":
            was_cut = event.delta.stop_reason in {"max_tokens", "model_context_window_exceeded"}
            finish = FinishReason.LENGTH if was_cut else FinishReason.STOP
            yield ChatChunk(
                usage=Usage(
                    prompt_tokens=prompt_tokens, completion_tokens=event.usage.output_tokens
                )
            )
        elif event.type == "message_stop":
            yield ChatChunk(finish=finish)
        else:
            yield ChatChunk()


def _body_of(model: str, request: ChatRequest) -> JsonObject:
    system = [message.content for message in request.messages if message.role == "system"]
    body: JsonObject = {
        "model": model,
        "max_tokens": request.max_tokens,
        "messages": [
            {"role": message.role, "content": message.content}
            for message in request.messages
            if message.role != "system"
        ],
        "stream": True,
    }
    if system:
        body["system"] = "\n\n".join(system)
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    if request.json_schema is not None:
        schema = sdk.transform_schema(request.json_schema)
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body


def _status_of(error: sdk.APIStatusError) -> int:
    """Return the status; an error event inside a stream comes with the stream's 200."""
    if error.status_code >= 400:
        return error.status_code
    return 429 if "rate_limit" in str(error.body) else 500


def build(config: LlmConfig) -> AnthropicModels:
    """Build the provider from the configuration."""
    limits = StreamLimits(idle_seconds=config.idle_seconds)
    return AnthropicModels(config.anthropic_base_url, config.anthropic_api_key, limits)
