"""The live try of a provider: its address, its models, a few words, and what is wrong if any."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from diono.features.providers.errors import ProviderKeyUnreadable
from diono.features.providers.schemas import ProviderTest
from diono.features.providers.service.building import Builder
from diono.features.providers.tables import Provider
from diono.infra.outbound import AddressRefused, AddressUnknown, Outbound
from diono.infra.redaction import SECRETS
from diono.kernel.errors import DionoError
from diono.llm.errors import (
    BadProviderReply,
    CredentialsRefused,
    ModelError,
    ModelNotFound,
    ProviderTimeout,
    RateLimited,
)
from diono.llm.further import NamedModels
from diono.llm.port import ChatRequest, LanguageModels, Message, ModelInfo
from diono.llm.preference import by_preference
from diono.llm.streaming import ChunkStream

LIST_SECONDS = 10.0
CHAT_SECONDS = 20.0
_SHOWN_MODELS = 200
_SHOWN_CHARACTERS = 200
_ASKED = ChatRequest(
    messages=(Message(role="user", content="Answer with the one word: ready"),), max_tokens=16
)


class NothingToUse(ModelError):
    code = "provider_has_no_models"


@dataclass
class _Findings:
    models: Sequence[str] = ()
    model: str | None = None
    answer: str = ""
    list_seconds: float | None = None
    chat_seconds: float | None = None


async def try_provider(
    row: Provider, builder: Builder, outbound: Outbound, model: str | None
) -> ProviderTest:
    """Try it within half a minute. Never raises for what the server does."""
    found = _Findings()
    code = detail = ""
    try:
        await outbound.check(row.base_url)
        built = await asyncio.to_thread(builder.builder(row, attempts=1))
        models = NamedModels(row.name, built, row.models)
        try:
            await _list(models, found, _named(row, model))
            await _chat(models, found, row, model)
        finally:
            await models.close()
    except DionoError as error:
        code, detail = error.code, _plain_words(row, error, found)
    return ProviderTest(
        is_ok=not code,
        code=code,
        detail=SECRETS.hide(detail),
        warnings=_warnings(row),
        models=list(found.models[:_SHOWN_MODELS]),
        model=found.model,
        answer=SECRETS.hide(found.answer[:_SHOWN_CHARACTERS]),
        list_seconds=found.list_seconds,
        chat_seconds=found.chat_seconds,
    )


def _named(row: Provider, model: str | None) -> str | None:
    """Return the model to ask if somebody named one: the caller, or a filter without a `*`."""
    plain = [one for one in row.models if not set(one) & set("*?[")]
    return model or (plain[0] if plain else None)


async def _list(models: LanguageModels, found: _Findings, named: str | None) -> None:
    started = time.monotonic()
    try:
        async with asyncio.timeout(LIST_SECONDS):
            infos = await models.list()
    except TimeoutError as error:
        raise ProviderTimeout(f"It did not list its models within {LIST_SECONDS:g} s.") from error
    except ModelNotFound:
        # Some servers have no list; a model that is named can still be asked.
        if named is None:
            raise
        return
    found.list_seconds = round(time.monotonic() - started, 2)
    found.models = [info.name.partition("/")[2] for info in infos]


async def _chat(models: LanguageModels, found: _Findings, row: Provider, model: str | None) -> None:
    found.model = _named(row, model) or _best(row.name, found.models)
    if found.model is None:
        raise NothingToUse("It offers no model for chatting.")
    started = time.monotonic()
    try:
        async with asyncio.timeout(CHAT_SECONDS):
            stream = cast("ChunkStream", models.chat(found.model, _ASKED))
            async with aclosing(stream):
                async for chunk in stream:
                    found.answer += chunk.text or chunk.thinking
    except TimeoutError as error:
        raise ProviderTimeout(f"{found.model} did not answer within {CHAT_SECONDS:g} s.") from error
    found.chat_seconds = round(time.monotonic() - started, 2)


def _best(name: str, models: Sequence[str]) -> str | None:
    infos = by_preference(
        name, [ModelInfo(name=f"{name}/{model}", provider=name) for model in models]
    )
    return infos[0].name.partition("/")[2] if infos else None


def _plain_words(row: Provider, error: DionoError, found: _Findings) -> str:
    was_listed = found.list_seconds is not None
    match error:
        case AddressRefused() | AddressUnknown() | ProviderKeyUnreadable():
            return error.detail
        case CredentialsRefused():
            said = "The server answers but refuses the key"
            way = "Make a new key there and enter it, or check that this one may use the models."
        case RateLimited():
            said = "The key is good, but its limit or its credit is used up"
            way = "Wait, or raise the limit in your account there."
        case ModelNotFound() if was_listed:
            said, way = "The server does not have this model", "Choose one of those it lists."
        case ModelNotFound() | BadProviderReply() if not was_listed:
            said = f"Something answers at {row.base_url}, but not as {row.kind} does"
            way = "Check the kind and the address" + (
                ", which mostly ends in /v1." if row.kind == "openai-compatible" else "."
            )
        case ProviderTimeout():
            said, way = "The server is too slow", "Try again; a large model may have to load first."
        case NothingToUse():
            said, way = "The server can be reached", "Load a model there, or change the filter."
        case _:
            said, way = "The server does not work as it should", "Check that it runs."
    return f"{said}. {way} ({error.detail})"


def _warnings(row: Provider) -> list[str]:
    if row.base_url.startswith("http://") and row.sealed_key is not None:
        return ["The key travels unencrypted: use https:// unless the server is on a safe network."]
    return []
