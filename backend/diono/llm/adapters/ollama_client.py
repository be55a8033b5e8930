"""Ollama's native chat API through its official client.

The native API, because only there the context length can be set on each call; Ollama cuts longer
prompts silently, so what it counted is compared with what was sent.
"""

import re
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx
from ollama import AsyncClient, ChatResponse, ProgressResponse, ResponseError, ShowResponse

from diono.llm.errors import ContextExceeded
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
from diono.llm.streaming import ChunkStream, estimate_tokens, prompt_characters

JsonObject = dict[str, Any]

_CONNECT_SECONDS = 5.0
# Memory for the context is taken in full at load: more than this helps little and costs much.
_LARGEST_CONTEXT_TOKENS = 8192
_SMALLEST_CONTEXT_TOKENS = 2048
# No tokenizer packs more characters of text or code into one token, on average.
_MOST_CHARACTERS_PER_TOKEN = 7
# Templates that leave a last assistant message open let the model go on with it.
_OPEN_LAST_MESSAGE = re.compile(r"\$last|\.Last|loop\.last|continue_final_message", re.IGNORECASE)


@dataclass(frozen=True)
class ModelFacts:
    profile: ModelProfile
    can_think: bool


class OllamaClient:
    """One Ollama server at a known address."""

    def __init__(self, url: str) -> None:
        self._place = Place("Ollama", url)
        self._facts: dict[str, ModelFacts] = {}
        timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS)
        self._clients = PerLoop(lambda: AsyncClient(host=url, timeout=timeout))

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

    async def facts(self, model: str) -> ModelFacts:
        """Return what the show call says of a model; asked once."""
        if model not in self._facts:
            with self._faults(model):
                self._facts[model] = _facts_of(await self._clients.get().show(model))
        return self._facts[model]

    async def chat(self, model: str, request: ChatRequest) -> ChunkStream:
        """Yield the raw pieces of one answer."""
        facts = await self.facts(model)
        sent_characters = prompt_characters(request)
        context_tokens = facts.profile.context_tokens
        if sent_characters / _MOST_CHARACTERS_PER_TOKEN > context_tokens:
            raise _too_long(model, estimate_tokens(sent_characters), context_tokens)
        with self._faults(model):
            client: Any = self._clients.get()
            answer = await client.chat(**_arguments(model, request, facts))
            stream = cast("AsyncGenerator[ChatResponse]", answer)
            async with aclosing(stream):
                async for event in stream:
                    if event.done:
                        _refuse_truncation(model, event, sent_characters, context_tokens)
                    yield _chunk_of(event)

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


def _facts_of(answer: ShowResponse) -> ModelFacts:
    info = cast("JsonObject", answer.modelinfo or {})
    context_tokens = next(
        (int(value) for name, value in info.items() if name.endswith(".context_length")),
        _SMALLEST_CONTEXT_TOKENS,
    )
    can_think = "thinking" in (answer.capabilities or ())
    profile = ModelProfile(
        context_tokens=min(context_tokens, _LARGEST_CONTEXT_TOKENS),
        supports_json_schema=True,
        supports_prefill=not can_think and bool(_OPEN_LAST_MESSAGE.search(answer.template or "")),
        is_local=True,
    )
    return ModelFacts(profile=profile, can_think=can_think)


def _arguments(model: str, request: ChatRequest, facts: ModelFacts) -> JsonObject:
    options: JsonObject = {
        "num_ctx": facts.profile.context_tokens,
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.seed is not None:
        options["seed"] = request.seed
    if request.stop:
        options["stop"] = list(request.stop)
    arguments: JsonObject = {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "stream": True,
        "options": options,
    }
    if request.json_schema is not None:
        arguments["format"] = request.json_schema
    if facts.can_think:
        arguments["think"] = False
    return arguments


def _chunk_of(event: ChatResponse) -> ChatChunk:
    text = event.message.content or ""
    if not event.done:
        return ChatChunk(text=text)
    usage = None
    if event.prompt_eval_count is not None and event.eval_count is not None:
        usage = Usage(prompt_tokens=event.prompt_eval_count, completion_tokens=event.eval_count)
    was_cut = event.done_reason == "length"
    finish = FinishReason.LENGTH if was_cut else FinishReason.STOP
    return ChatChunk(text=text, finish=finish, usage=usage)


def _refuse_truncation(
    model: str, event: ChatResponse, sent_characters: int, context_tokens: int
) -> None:
    """Raise if far fewer tokens were read than were sent, near the limit of the context."""
    counted = event.prompt_eval_count or 0
    estimate = estimate_tokens(sent_characters)
    is_implausible = 0 < counted < sent_characters / _MOST_CHARACTERS_PER_TOKEN
    if counted >= context_tokens or (is_implausible and estimate > context_tokens):
        raise _too_long(model, estimate, context_tokens)


def _too_long(model: str, estimate: int, context_tokens: int) -> ContextExceeded:
    return ContextExceeded(
        f"The prompt has about {estimate} tokens, the context of {model} in Ollama is "
        f"{context_tokens}, and Ollama would cut it silently. Shorten the request or choose a "
        "model with a longer context."
    )
