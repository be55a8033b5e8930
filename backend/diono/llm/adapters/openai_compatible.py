"""OpenAI and every server that speaks its chat API: vLLM, LM Studio, llama.cpp, OpenRouter."""

import ipaddress
import re
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta

from diono.llm.access import ON_ITS_OWN, Access
from diono.llm.counting import refuse_cut
from diono.llm.errors import BadProviderReply, ModelNotFound
from diono.llm.faults import bad_reply, fault_of_status, unreachable
from diono.llm.per_loop import PerLoop
from diono.llm.port import (
    ChatChunk,
    ChatRequest,
    Embeddings,
    FinishReason,
    ModelInfo,
    ModelProfile,
    PullProgress,
    Usage,
)
from diono.llm.providers import LlmConfig
from diono.llm.streaming import ChunkStream, StreamLimits, deliver
from diono.llm.wire import CallPieces, remote_digest, wire_messages, wire_tools

JsonObject = dict[str, Any]

_OPENAI_URL = "https://api.openai.com/v1"
_CONNECT_SECONDS = 10.0
_CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")
_UNKNOWN_CONTEXT_TOKENS = 8192
_OPENAI_CONTEXT_TOKENS = 128_000
# Parameters that some servers or models refuse: they are left out once refused.
_OPTIONAL = (
    "temperature", "seed", "stop", "stream_options", "max_tokens", "chat_template_kwargs",
    "reasoning_effort",
)  # fmt: skip


class OpenAiCompatibleModels:
    """Any base URL; an empty key is fine where the server asks for none."""

    provider = "openai"

    def __init__(
        self, base_url: str, api_key: str, limits: StreamLimits, access: Access = ON_ITS_OWN
    ) -> None:
        self._url = (base_url or _OPENAI_URL).rstrip("/")
        self._place = access.place("The OpenAI-compatible server", self._url, "OPENAI_API_KEY")
        self._limits = limits
        self._refused: dict[str, set[str]] = {}
        timeout = httpx2.Timeout(None, connect=_CONNECT_SECONDS)
        self._clients = PerLoop(
            lambda: AsyncOpenAI(
                base_url=self._url,
                api_key=api_key or "none",
                max_retries=0,
                timeout=timeout,
                http_client=access.client(httpx2, timeout),
            )
        )

    async def list(self) -> Sequence[ModelInfo]:
        with self._faults(""):
            page = await self._clients.get().models.list()
            return [
                ModelInfo(name=f"openai/{model.id}", provider="openai")
                for model in sorted(page.data, key=lambda model: model.id)
            ]

    async def profile(self, model: str) -> ModelProfile:
        with self._faults(model):
            page = await self._clients.get().models.list()
            facts = next((entry for entry in page.data if entry.id == model), None)
            if facts is None:
                raise ModelNotFound(
                    f"{self._url} does not list a model {model[:100]!r}. See: ./diono models list"
                )
            context_tokens = _context_of(facts.model_extra or {}) or self._usual_context()
        return ModelProfile(
            context_tokens=context_tokens,
            supports_json_schema=True,
            supports_prefill=None if self._is_foreign() else False,
            supports_tools=None if self._is_foreign() else True,
            is_local=_is_local(self._url),
            digest=remote_digest(self.provider, self._url, model),
        )

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        return deliver(lambda: self._stream(model, request), request, self._limits)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        with self._faults(model):
            told = await self._clients.get().embeddings.create(
                model=model, input=list(texts), encoding_format="float"
            )
            ordered = sorted(told.data, key=lambda one: one.index)
            return Embeddings(
                vectors=tuple(tuple(one.embedding) for one in ordered),
                usage=Usage(prompt_tokens=told.usage.prompt_tokens, completion_tokens=0),
            )

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        await self.profile(model)
        yield PullProgress(status="ready")

    async def close(self) -> None:
        if client := self._clients.take():
            await client.close()

    def _is_foreign(self) -> bool:
        """Whether it is another server than OpenAI's own, with the extras that those share."""
        return not self._url.startswith("https://api.openai.com")

    def _usual_context(self) -> int:
        return _UNKNOWN_CONTEXT_TOKENS if self._is_foreign() else _OPENAI_CONTEXT_TOKENS

    async def _stream(self, model: str, request: ChatRequest) -> ChunkStream:
        body = _body_of(model, request)
        if request.thinking is not None:
            body |= _thinking_switch(request.thinking, is_foreign=self._is_foreign())
        with self._faults(model):
            stream = await self._open(model, body)
            async with stream, aclosing(_chunks(stream)) as chunks:
                try:
                    async for chunk in chunks:
                        if chunk.usage is not None:
                            refuse_cut(request, chunk.usage.prompt_tokens, self._url)
                        yield chunk
                except openai.APIConnectionError as error:
                    raise bad_reply(self._place, error.__cause__ or error) from error

    async def _open(self, model: str, body: JsonObject) -> AsyncStream[ChatCompletionChunk]:
        refused = self._refused.setdefault(model, set())
        while True:
            call: Any = self._clients.get().chat.completions.create
            try:
                stream = await call(**_without(body, refused))
            except openai.BadRequestError as error:
                name = next((name for name in _OPTIONAL if _is_about(name, error)), "")
                if not name or name in refused:
                    raise
                refused.add(name)
            else:
                return cast("AsyncStream[ChatCompletionChunk]", stream)

    @contextmanager
    def _faults(self, model: str) -> Generator[None]:
        try:
            yield
        except openai.APIStatusError as error:
            raise fault_of_status(self._place, model, error.status_code, str(error)) from error
        except (openai.APIConnectionError, httpx2.ConnectError) as error:
            raise unreachable(self._place, error) from error
        except openai.APIError as error:
            # The server reported an error inside a stream that began with status 200.
            raise fault_of_status(self._place, model, 500, error.message) from error
        except (httpx2.TransportError, ValueError, TypeError, AttributeError) as error:
            # The SDK builds its objects unchecked, so an answer of another shape fails anywhere.
            raise bad_reply(self._place, error) from error


async def _chunks(stream: AsyncStream[ChatCompletionChunk]) -> ChunkStream:
    calls = CallPieces()
    async for event in stream:
        if "choices" not in event.model_fields_set:
            raise BadProviderReply(f"Not a piece of a chat answer: {str(event)[:200]}")
        usage = None
        if event.usage is not None:
            usage = Usage(
                prompt_tokens=event.usage.prompt_tokens,
                completion_tokens=event.usage.completion_tokens,
            )
        if not event.choices:
            yield ChatChunk(usage=usage)
            continue
        choice = event.choices[0]
        _collect(choice.delta, calls)
        finish = _finish(choice.finish_reason)
        yield ChatChunk(
            text=choice.delta.content or "",
            thinking=_thought(choice.delta),
            tool_calls=calls.take() if finish else (),
            finish=finish,
            usage=usage,
        )


def _collect(delta: ChoiceDelta, calls: CallPieces) -> None:
    for piece in delta.tool_calls or ():
        name = piece.function.name if piece.function else ""
        arguments = piece.function.arguments if piece.function else ""
        calls.add(piece.index, piece.id or "", name or "", arguments or "")


def _thought(delta: ChoiceDelta) -> str:
    """Return the thinking, which is outside OpenAI's protocol and has two names."""
    extra = delta.model_extra or {}
    said: object = extra.get("reasoning_content") or extra.get("reasoning")
    return said if isinstance(said, str) else ""


def _thinking_switch(is_on: bool, *, is_foreign: bool) -> JsonObject:
    if is_foreign:
        return {"extra_body": {"chat_template_kwargs": {"enable_thinking": is_on}}}
    return {"reasoning_effort": "medium" if is_on else "minimal"}


def _finish(reason: str | None) -> FinishReason | None:
    if reason is None:
        return None
    return FinishReason(reason) if reason in set(FinishReason) else FinishReason.STOP


def _body_of(model: str, request: ChatRequest) -> JsonObject:
    body: JsonObject = {
        "model": model,
        "messages": wire_messages(request),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = list(request.stop)
    if request.json_schema is not None:
        schema = {"name": "answer", "schema": request.json_schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.tools:
        body["tools"] = wire_tools(request.tools)
    return body


def _without(body: JsonObject, refused: set[str]) -> JsonObject:
    kept = {name: value for name, value in body.items() if name not in refused}
    if "chat_template_kwargs" in refused:
        kept.pop("extra_body", None)
    if "max_tokens" in refused:
        kept["max_completion_tokens"] = body["max_tokens"]
    return kept


def _is_about(name: str, error: openai.BadRequestError) -> bool:
    if error.param is not None:
        return error.param == name
    says_unsupported = re.search(r"unsupported|not support|unrecognized", error.message, re.I)
    return bool(says_unsupported) and f"{name}" in error.message


def _context_of(extra: JsonObject) -> int | None:
    nested = extra.get("meta")
    places: list[JsonObject] = [extra]
    if isinstance(nested, dict):
        places.append(cast("JsonObject", nested))
    for place in places:
        for name in (*_CONTEXT_FIELDS, "n_ctx", "n_ctx_train"):
            value = place.get(name)
            if isinstance(value, int) and value > 0:
                return value
    return None


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".local", ".internal"))


def build(config: LlmConfig) -> OpenAiCompatibleModels:
    """Build the provider from the configuration."""
    limits = StreamLimits(idle_seconds=config.idle_seconds, attempts=config.attempts)
    access = Access(config.label, config.transport)
    return OpenAiCompatibleModels(config.openai_base_url, config.openai_api_key, limits, access)
