"""Ollama's native chat API through its official client.

The native API, because only there the context length can be set on each call; Ollama cuts longer
prompts silently, so what it counted is compared with what was sent.
"""

import re
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, cast

import httpx
from ollama import AsyncClient, ChatResponse, ProgressResponse, ResponseError, ShowResponse

from diono.llm.access import ON_ITS_OWN, Access
from diono.llm.counting import estimated_prompt_tokens, least_tokens, prompt_text, refuse_cut
from diono.llm.errors import ContextExceeded, PromptCut
from diono.llm.faults import bad_reply, fault_of_status, unreachable
from diono.llm.per_loop import PerLoop
from diono.llm.port import (
    ChatChunk,
    ChatRequest,
    Embeddings,
    FinishReason,
    Message,
    ModelInfo,
    ModelProfile,
    PullProgress,
    Usage,
)
from diono.llm.streaming import ChunkStream
from diono.llm.wire import call_id_of, read_call, tool_name_of, wire_tools

JsonObject = dict[str, Any]

_CONNECT_SECONDS = 5.0
# Memory for the context is taken in full at load: more than this helps little and costs much.
_LARGEST_CONTEXT_TOKENS = 8192
_SMALLEST_CONTEXT_TOKENS = 2048
_NEAR_LIMIT = 0.8
# Templates that leave a last assistant message open let the model go on with it.
_OPEN_LAST_MESSAGE = re.compile(r"\$last|\.Last|loop\.last|continue_final_message", re.IGNORECASE)


class OllamaClient:
    """One Ollama server at a known address."""

    def __init__(self, url: str, access: Access = ON_ITS_OWN, api_key: str = "") -> None:
        self._place = access.place("Ollama", url)
        self._profiles: dict[str, ModelProfile] = {}
        timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS)
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._clients = PerLoop(
            lambda: AsyncClient(
                host=url, timeout=timeout, headers=headers, **access.options("httpx")
            )
        )

    async def list(self) -> Sequence[ModelInfo]:
        with self._faults(""):
            answer = await self._clients.get().list()
        return [
            ModelInfo(
                name=f"ollama/{entry.model}",
                provider="ollama",
                size_bytes=int(entry.size) if entry.size is not None else None,
                note=(entry.details.parameter_size or "") if entry.details else "",
            )
            for entry in answer.models
            if entry.model
        ]

    async def profile(self, model: str) -> ModelProfile:
        """Return what the server says of a model; asked once."""
        if model not in self._profiles:
            with self._faults(model):
                shown = await self._clients.get().show(model)
                listed = await self._clients.get().list()
            digests = {entry.model: entry.digest or "" for entry in listed.models}
            digest = digests.get(model) or digests.get(f"{model}:latest") or ""
            self._profiles[model] = _profile_of(shown, f"ollama:{digest}" if digest else "")
        return self._profiles[model]

    async def chat(self, model: str, request: ChatRequest) -> ChunkStream:
        """Yield the raw pieces of one answer."""
        profile = await self.profile(model)
        context_tokens = profile.context_tokens
        sent = estimated_prompt_tokens(request)
        if least_tokens(prompt_text(request)) > context_tokens:
            raise ContextExceeded(
                f"The prompt has about {sent} tokens, the context of {model} in Ollama is "
                f"{context_tokens}, and Ollama would cut it silently. Shorten the request or "
                "choose a model with a longer context."
            )
        with self._faults(model):
            client: Any = self._clients.get()
            answer = await client.chat(**_arguments(model, request, profile))
            stream = cast("AsyncGenerator[ChatResponse]", answer)
            async with aclosing(stream):
                calls = 0
                async for event in stream:
                    if event.done:
                        _refuse_truncation(model, event, request, context_tokens)
                    yield _chunk_of(event, calls)
                    calls += len(event.message.tool_calls or ())

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """Return vectors; a text beyond the model's window is refused, not cut."""
        with self._faults(model):
            told = await self._clients.get().embed(model, list(texts), truncate=False)
            return Embeddings(
                vectors=tuple(tuple(vector) for vector in told.embeddings),
                usage=Usage(prompt_tokens=told.prompt_eval_count or 0, completion_tokens=0),
            )

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        """Yield the progress of a download by the server."""
        with self._faults(model):
            answer: Any = await self._clients.get().pull(model, stream=True)
            stream = cast("AsyncGenerator[ProgressResponse]", answer)
            async with aclosing(stream):
                async for event in stream:
                    yield PullProgress(
                        status=event.status or "",
                        done_bytes=event.completed or 0,
                        total_bytes=event.total,
                    )

    async def close(self) -> None:
        if client := self._clients.take():
            await client.close()

    @contextmanager
    def _faults(self, model: str) -> Generator[None]:
        try:
            yield
        except ResponseError as error:
            status = error.status_code if error.status_code >= 400 else 500
            raise fault_of_status(self._place, model, status, error.error) from error
        except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise unreachable(self._place, error) from error
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            # The client reads fields of whatever JSON it gets: a list has none of them.
            raise bad_reply(self._place, error) from error


def _profile_of(answer: ShowResponse, digest: str) -> ModelProfile:
    info = cast("JsonObject", answer.modelinfo or {})
    context_tokens = next(
        (int(value) for name, value in info.items() if name.endswith(".context_length")),
        _SMALLEST_CONTEXT_TOKENS,
    )
    capabilities = answer.capabilities or ()
    can_think = "thinking" in capabilities
    return ModelProfile(
        context_tokens=min(context_tokens, _LARGEST_CONTEXT_TOKENS),
        supports_json_schema=True,
        supports_prefill=not can_think and bool(_OPEN_LAST_MESSAGE.search(answer.template or "")),
        supports_tools="tools" in capabilities,
        supports_thinking=can_think,
        is_local=True,
        digest=digest,
    )


def _arguments(model: str, request: ChatRequest, profile: ModelProfile) -> JsonObject:
    options: JsonObject = {
        "num_ctx": profile.context_tokens,
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.seed is not None:
        options["seed"] = request.seed
    if request.stop:
        options["stop"] = list(request.stop)
    arguments: JsonObject = {
        "model": model,
        "messages": [_wire_message(request, message) for message in request.messages],
        "stream": True,
        "options": options,
    }
    if request.json_schema is not None:
        arguments["format"] = request.json_schema
    if request.tools:
        arguments["tools"] = wire_tools(request.tools)
    if profile.supports_thinking:
        arguments["think"] = bool(request.thinking)
    return arguments


def _wire_message(request: ChatRequest, message: Message) -> JsonObject:
    """Ollama knows no ids of calls: a result names its tool, arguments are an object."""
    body: JsonObject = {"role": message.role, "content": message.content}
    if message.role == "tool":
        body["tool_name"] = tool_name_of(request, message.tool_call_id)
    if message.tool_calls:
        body["tool_calls"] = [
            {"function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return body


def _chunk_of(event: ChatResponse, calls_before: int) -> ChatChunk:
    message = event.message
    calls = tuple(
        read_call(call_id_of(number), call.function.name, call.function.arguments)
        for number, call in enumerate(message.tool_calls or (), start=calls_before)
    )
    said = ChatChunk(text=message.content or "", thinking=message.thinking or "", tool_calls=calls)
    if not event.done:
        return said
    usage = None
    if event.prompt_eval_count is not None and event.eval_count is not None:
        usage = Usage(prompt_tokens=event.prompt_eval_count, completion_tokens=event.eval_count)
    finish = FinishReason.TOOLS if calls_before or calls else FinishReason.STOP
    if event.done_reason == "length":
        finish = FinishReason.LENGTH
    return said.model_copy(update={"finish": finish, "usage": usage})


def _refuse_truncation(
    model: str, event: ChatResponse, request: ChatRequest, context_tokens: int
) -> None:
    """Raise PromptCut if the context is full of prompt, or holds fewer tokens than words sent."""
    read = event.prompt_eval_count or 0
    if read >= context_tokens:
        raise PromptCut(
            f"The prompt fills the whole context of {model} in Ollama ({context_tokens} tokens), "
            "and Ollama cuts longer ones silently. Shorten the request or choose a model with a "
            "longer context.",
            read_tokens=read,
        )
    # Older servers count only what they had not read before: near the limit alone it is a cut.
    if estimated_prompt_tokens(request) > context_tokens * _NEAR_LIMIT:
        refuse_cut(request, read, f"Ollama ({model})")
