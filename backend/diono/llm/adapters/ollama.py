"""Ollama, found on the machine or named by OLLAMA_HOST; its client is imported once one answers."""

import asyncio
import importlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from diono.llm.access import ON_ITS_OWN, Access
from diono.llm.errors import ProviderUnreachable
from diono.llm.port import ChatChunk, ChatRequest, Embeddings, ModelInfo, ModelProfile, PullProgress
from diono.llm.probe import as_url, places_for, probe_ollama
from diono.llm.providers import LlmConfig
from diono.llm.streaming import ChunkStream, StreamLimits, deliver

if TYPE_CHECKING:
    from diono.llm.adapters.ollama_client import OllamaClient

_CLIENT_MODULE = "diono.llm.adapters.ollama_client"

_RECOMMENDED = ModelInfo(
    name="ollama/qwen2.5-coder:7b",
    provider="ollama",
    size_bytes=4_700_000_000,
    is_available=False,
    note="this Ollama has no model yet; recommended, needs 8 GB of memory",
)


class OllamaModels:
    """The models of one Ollama server."""

    provider = "ollama"

    def __init__(
        self, host: str, limits: StreamLimits, access: Access = ON_ITS_OWN, api_key: str = ""
    ) -> None:
        self._host = host
        self._access = access
        self._api_key = api_key
        self._limits = limits
        self._client: OllamaClient | None = None

    async def list(self) -> Sequence[ModelInfo]:
        found = await (await self._connected()).list()
        return found or ([] if self._access.is_guarded else [_RECOMMENDED])

    async def profile(self, model: str) -> ModelProfile:
        return await (await self._connected()).profile(model)

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        return deliver(lambda: self._stream(model, request), request, self._limits)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        return await (await self._connected()).embed(model, texts)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        client = await self._connected()
        async with aclosing(client.pull(model)) as stream:
            async for progress in stream:
                yield progress

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _stream(self, model: str, request: ChatRequest) -> ChunkStream:
        client = await self._connected()
        async with aclosing(client.chat(model, request)) as stream:
            async for chunk in stream:
                yield chunk

    async def _connected(self) -> "OllamaClient":
        if self._client is not None:
            return self._client
        url = await self._find()
        module = await asyncio.to_thread(importlib.import_module, _CLIENT_MODULE)
        client: OllamaClient = module.OllamaClient(url, self._access, self._api_key)
        self._client = client
        return client

    async def _find(self) -> str:
        if self._access.is_guarded:
            # Looking around would go past the guard.
            return as_url(self._host)
        results = await probe_ollama(self._host)
        for result in results:
            if result.version:
                return result.url
        looked_at = ", ".join(url for _, url in places_for(self._host))
        raise ProviderUnreachable(
            f"No Ollama answers at {looked_at}. Start it (ollama serve), or set OLLAMA_HOST."
        )


def build(config: LlmConfig) -> OllamaModels:
    """Build the provider from the configuration."""
    limits = StreamLimits(idle_seconds=config.idle_seconds, attempts=config.attempts)
    access = Access(config.label, config.transport)
    return OllamaModels(config.ollama_host, limits, access, config.ollama_api_key)
