"""The model: one that is there and usable already, else the recommended one, fetched."""

import asyncio
from collections.abc import Awaitable, Callable

from diono.llm.acquire import ensure_model, is_verified
from diono.llm.known_models import DEFAULT_MODEL
from diono.settings import Settings
from diono.setup.libraries import OPENMP, ensure_library, has_library
from diono.setup.python_environment import Checkout
from diono.setup.stamps import digest_of

_STEP = "model"

Progress = Callable[[str, float | None], None]
FindModel = Callable[[], Awaitable[str]]


def is_model_ready(checkout: Checkout, settings: Settings) -> bool:
    """Whether the recommended model is here, or these settings were found to give another."""
    is_here = is_verified(settings.models_dir / DEFAULT_MODEL.file_name, DEFAULT_MODEL)
    if is_here and has_library(OPENMP):
        return True
    return checkout.stamps.is_current(_STEP, _key(checkout, settings))


async def ensure_some_model(
    checkout: Checkout,
    settings: Settings,
    find_model: FindModel,
    progress: Progress,
    *,
    is_offline: bool,
) -> str:
    """Return a note about the model taken. ``find_model`` names a usable one, or nothing.

    Raises AcquisitionFailed.
    """
    progress("looking for a model that is here already", None)
    found = await find_model()
    is_embedded = not found or found.startswith("embedded/")
    if is_embedded:
        log = checkout.log.with_name("packages.log")
        await asyncio.to_thread(
            ensure_library, OPENMP, log, lambda note: progress(note, None), is_offline=is_offline
        )
    if not found or (is_embedded and settings.gguf is None):
        return await asyncio.to_thread(_fetch, settings, progress, is_offline=is_offline)
    checkout.stamps.set(_STEP, _key(checkout, settings))
    return found


def _fetch(settings: Settings, progress: Progress, *, is_offline: bool) -> str:
    def report(what: str, done_bytes: int, total_bytes: int | None) -> None:
        progress(what, done_bytes / total_bytes if total_bytes else None)

    ensure_model(settings.models_dir, report, is_offline)
    megabytes = DEFAULT_MODEL.size_bytes // 1_000_000
    why = "no Ollama and no key was found"
    return f"{DEFAULT_MODEL.name}, {megabytes} MB, {why}; better: {DEFAULT_MODEL.better}"


def _key(checkout: Checkout, settings: Settings) -> str:
    return digest_of(
        checkout.root,
        (),
        settings.model,
        str(settings.gguf),
        settings.ollama_host,
        settings.openai_base_url,
        str(bool(settings.openai_api_key.get_secret_value())),
        str(bool(settings.anthropic_api_key.get_secret_value())),
    )
