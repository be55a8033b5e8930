"""The steps by name, put together for one checkout and its settings."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from diono.settings import Settings
from diono.setup import image
from diono.setup.engine import ensure_engine
from diono.setup.engine_probe import probe
from diono.setup.frontend import ensure_frontend, is_built
from diono.setup.model import FindModel, ensure_some_model, is_model_ready
from diono.setup.plan import Progress, Step
from diono.setup.python_environment import Checkout

PARTS = ("engine", "image", "model", "frontend")

Say = Callable[[str], None]


def steps_for(
    parts: Sequence[str],
    checkout: Checkout,
    settings: Settings,
    find_model: FindModel,
    *,
    is_offline: bool,
) -> list[Step]:
    """Return the named steps in an order in which each comes after what it needs."""

    def engine(progress: Progress) -> str:
        log = checkout.log.with_name("engine.log")
        answer = ensure_engine(
            settings.docker_host, log, _without_fraction(progress), is_offline=is_offline
        )
        return f"Docker {answer.version}"

    def base_image(progress: Progress) -> str:
        say = _without_fraction(progress)
        return image.ensure_base_image(checkout, settings, say, is_offline=is_offline)

    async def model(progress: Progress) -> str:
        return await ensure_some_model(
            checkout, settings, find_model, progress, is_offline=is_offline
        )

    def frontend(progress: Progress) -> str:
        return ensure_frontend(checkout, _without_fraction(progress), is_offline=is_offline)

    known = (
        Step(
            "engine",
            "Sandbox engine",
            lambda: probe(settings.docker_host).is_running,
            _in_thread(engine),
        ),
        Step(
            "image",
            "Sandbox image",
            lambda: bool(image.built_image(checkout, settings)),
            _in_thread(base_image),
            needs=("engine",),
        ),
        Step("model", "Model", lambda: is_model_ready(checkout, settings), model),
        Step("frontend", "Dashboard", lambda: is_built(checkout), _in_thread(frontend)),
    )
    return [step for step in known if step.name in parts]


def _in_thread(work: Callable[[Progress], str]) -> Callable[[Progress], Awaitable[str]]:
    async def action(progress: Progress) -> str:
        return await asyncio.to_thread(work, progress)

    return action


def _without_fraction(progress: Progress) -> Say:
    def say(note: str) -> None:
        progress(note, None)

    return say
