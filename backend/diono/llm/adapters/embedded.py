"""llama.cpp inside this process (xllamacpp): GGUF files, no server, no event loop blocked."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from diono.llm.acquire import ensure_model
from diono.llm.adapters.llama_engine import EngineOptions, JsonObject, LlamaEngine
from diono.llm.errors import (
    ContextExceeded,
    ModelNotFound,
    ProviderFailed,
    RequestRefused,
)
from diono.llm.gguf_facts import GgufFacts, gguf_facts
from diono.llm.known_models import KNOWN_MODELS
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
from diono.llm.threads import Reporter, reports_of
from diono.llm.wire import CallPieces, wire_messages, wire_tools

EMBEDDED_TEXT_TOKENS = 2048


@dataclass(frozen=True)
class EmbeddedOptions:
    """``context_tokens`` is per slot; slots share one CPU, so more of them gain little."""

    models_dir: Path
    extra_files: Mapping[str, Path]
    is_offline: bool = False
    context_tokens: int = 4096
    slots: int = 1
    unload_after_seconds: float = 600.0
    limits: StreamLimits = field(default_factory=StreamLimits)


class EmbeddedModels:
    """The known models and the user's own GGUF files, one of them loaded at a time."""

    provider = "embedded"

    def __init__(self, options: EmbeddedOptions) -> None:
        self._options = options
        self._engine = LlamaEngine(
            EngineOptions(
                context_tokens=options.context_tokens,
                slots=options.slots,
                # A thread on every core makes decoding collapse as soon as anything else runs.
                threads=max(1, len(os.sched_getaffinity(0)) - 1),
                unload_after_seconds=options.unload_after_seconds,
            )
        )
        self._embedding = LlamaEngine(
            EngineOptions(
                context_tokens=EMBEDDED_TEXT_TOKENS,
                slots=1,
                threads=max(1, len(os.sched_getaffinity(0)) - 1),
                unload_after_seconds=options.unload_after_seconds,
                is_for_embeddings=True,
            )
        )
        self._executor = ThreadPoolExecutor(options.slots, thread_name_prefix="llama")
        self._pulls = ThreadPoolExecutor(1, thread_name_prefix="pull")
        self._facts: dict[Path, GgufFacts] = {}

    @property
    def generating(self) -> int:
        """Number of generations that llama.cpp works on at this moment."""
        return self._engine.active

    async def list(self) -> Sequence[ModelInfo]:
        infos = [
            ModelInfo(name=f"embedded/{name}", provider="embedded", size_bytes=file.stat().st_size)
            for name, file in self._options.extra_files.items()
            if file.is_file()
        ]
        for known in KNOWN_MODELS.values():
            is_here = (self._options.models_dir / known.file_name).is_file()
            note = f"{known.licence}; needs {known.memory_bytes / 1e9:.1f} GB of memory"
            infos.append(
                ModelInfo(
                    name=f"embedded/{known.name}",
                    provider="embedded",
                    size_bytes=known.size_bytes,
                    is_available=is_here,
                    note=f"{note}. Better: {known.better}",
                )
            )
        return infos

    async def profile(self, model: str) -> ModelProfile:
        file = self._file_of(model)
        facts = await asyncio.to_thread(self._facts_of, file)
        context_tokens = self._options.context_tokens
        return ModelProfile(
            context_tokens=min(context_tokens, facts.trained_tokens or context_tokens),
            supports_json_schema=True,
            supports_prefill=not facts.supports_thinking,
            supports_tools=facts.supports_tools,
            supports_thinking=facts.supports_thinking,
            is_local=True,
            digest=_digest_of(model, file),
        )

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        return deliver(lambda: self._stream(model, request), request, self._options.limits)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """Return mean-pooled vectors, one text at a time: whatever asks beside gets its turn."""
        file = self._file_of(model)
        loop = asyncio.get_running_loop()
        vectors: list[tuple[float, ...]] = []
        tokens = 0
        for text in texts:
            told = await loop.run_in_executor(self._executor, self._embedding.embed, file, [text])
            if "error" in told or "data" not in told:
                _raise(told.get("error", told))
            vectors.append(tuple(told["data"][0]["embedding"]))
            tokens += int(told.get("usage", {}).get("prompt_tokens", 0))
        usage = Usage(prompt_tokens=tokens, completion_tokens=0)
        return Embeddings(vectors=tuple(vectors), usage=usage)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        known = KNOWN_MODELS.get(model)
        if known is None:
            raise ModelNotFound(
                f"Diono knows no weights for {model}. It can fetch: {', '.join(KNOWN_MODELS)}."
            )

        def work(report: Reporter[PullProgress]) -> None:
            def tell(status: str, done_bytes: int, total_bytes: int | None) -> None:
                report(PullProgress(status=status, done_bytes=done_bytes, total_bytes=total_bytes))

            ensure_model(self._options.models_dir, tell, self._options.is_offline, known)

        async with aclosing(reports_of(self._pulls, work)) as reports:
            async for progress in reports:
                if progress is not None:
                    yield progress
        yield PullProgress(
            status="ready", done_bytes=known.size_bytes, total_bytes=known.size_bytes
        )

    async def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._pulls.shutdown(wait=False, cancel_futures=True)
        self._engine.close()
        self._embedding.close()

    def _file_of(self, model: str) -> Path:
        known = KNOWN_MODELS.get(model)
        file = self._options.extra_files.get(model)
        if known is not None:
            file = self._options.models_dir / known.file_name
        if file is None:
            names = ", ".join([*self._options.extra_files, *KNOWN_MODELS])
            raise ModelNotFound(f"There is no embedded model {model}. There are: {names}.")
        if not file.is_file():
            raise ModelNotFound(
                f"The weights of {model} are not here. Fetch them: ./diono models pull "
                f"embedded/{model}, or set DIONO_GGUF to a GGUF file."
            )
        return file

    def _facts_of(self, file: Path) -> GgufFacts:
        if file not in self._facts:
            self._facts[file] = gguf_facts(file)
        return self._facts[file]

    async def _stream(self, model: str, request: ChatRequest) -> ChunkStream:
        file = self._file_of(model)
        facts = await asyncio.to_thread(self._facts_of, file)
        body = _body_of(request, facts)
        calls = CallPieces()

        def work(report: Reporter[JsonObject]) -> None:
            self._engine.generate(file, body, report)

        async with aclosing(reports_of(self._executor, work)) as reports:
            async for event in reports:
                yield ChatChunk() if event is None else _chunk_of(event, calls)


def _digest_of(model: str, file: Path) -> str:
    """Name the weights: by the pinned hash, or by what changes when a user's file does."""
    known = KNOWN_MODELS.get(model)
    if known is not None:
        return f"sha256:{known.sha256}"
    status = file.stat()
    return f"gguf:{file.name[-60:]}:{status.st_size}:{status.st_mtime_ns}"


def _body_of(request: ChatRequest, facts: GgufFacts) -> JsonObject:
    body: JsonObject = {
        "messages": wire_messages(request),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
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
    if request.thinking is not None and facts.supports_thinking:
        body["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    return body


def _chunk_of(event: JsonObject, calls: CallPieces) -> ChatChunk:
    if "error" in event:
        _raise(event["error"])
    usage: Usage | None = None
    if counts := event.get("usage"):
        usage = Usage(
            prompt_tokens=counts["prompt_tokens"], completion_tokens=counts["completion_tokens"]
        )
    if not event.get("choices"):
        return ChatChunk(usage=usage)
    choice = event["choices"][0]
    delta: JsonObject = choice["delta"]
    for piece in delta.get("tool_calls") or ():
        function: JsonObject = piece.get("function") or {}
        calls.add(
            int(piece.get("index") or 0),
            str(piece.get("id") or ""),
            str(function.get("name") or ""),
            str(function.get("arguments") or ""),
        )
    reason = choice.get("finish_reason")
    return ChatChunk(
        text=delta.get("content") or "",
        thinking=delta.get("reasoning_content") or "",
        tool_calls=calls.take() if reason else (),
        finish=FinishReason(reason) if reason in set(FinishReason) else None,
        usage=usage,
    )


def _raise(fault: JsonObject) -> None:
    message = str(fault.get("message", "unknown error"))
    if fault.get("type") == "exceed_context_size_error":
        raise ContextExceeded(
            f"The prompt has {fault.get('n_prompt_tokens')} tokens, the model's context is "
            f"{fault.get('n_ctx')}. Shorten the request or choose a model with a longer context."
        )
    if fault.get("code") == 400:
        raise RequestRefused(f"llama.cpp refuses the request: {message}")
    raise ProviderFailed(f"llama.cpp failed: {message}. Try again, or another model.")


def build(config: LlmConfig) -> EmbeddedModels:
    """Build the provider from the configuration."""
    return EmbeddedModels(
        EmbeddedOptions(
            models_dir=config.models_dir,
            extra_files={config.gguf_name: config.gguf} if config.gguf else {},
            is_offline=config.is_offline,
            unload_after_seconds=config.unload_after_seconds,
            limits=StreamLimits(idle_seconds=config.idle_seconds),
        )
    )
