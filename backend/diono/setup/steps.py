"""The steps by name, put together for one checkout and its settings."""

import asyncio
from collections.abc import Callable, Sequence

from diono.settings import Settings
from diono.setup import image
from diono.setup.engine import ensure_engine
from diono.setup.engine_probe import probe
from diono.setup.frontend import ensure_frontend, is_built
from diono.setup.model import fetch_model, is_model_ready
from diono.setup.plan import Progress, Step
from diono.setup.python_environment import Checkout

PARTS = ("engine", "image", "model", "frontend")

Say = Callable[[str], None]


def steps_for(
    parts: Sequence[str], checkout: Checkout, settings: Settings, *, is_offline: bool
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

    def model(progress: Progress) -> str:
        return fetch_model(checkout, settings, progress, is_offline=is_offline)

    def frontend(progress: Progress) -> str:
        return ensure_frontend(checkout, _without_fraction(progress), is_offline=is_offline)

    known = (
        _step("engine", "Sandbox engine", lambda: probe(settings.docker_host).is_running, engine),
        _step(
            "image",
            "Sandbox image",
            lambda: bool(image.built_image(checkout, settings)),
            base_image,
            needs=("engine",),
        ),
        _step("model", "Model", lambda: is_model_ready(settings), model),
        _step("frontend", "Dashboard", lambda: is_built(checkout), frontend),
    )
    return [step for step in known if step.name in parts]


def _step(
    name: str,
    title: str,
    is_done: Callable[[], bool],
    work: Callable[[Progress], str],
    needs: tuple[str, ...] = (),
) -> Step:
    async def action(progress: Progress) -> str:
        return await asyncio.to_thread(work, progress)

    return Step(name, title, is_done, action, needs)


def _without_fraction(progress: Progress) -> Say:
    def say(note: str) -> None:
        progress(note, None)

    return say
