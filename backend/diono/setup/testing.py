"""What only the tests need: a browser, PostgreSQL, Redis, from the distribution's packages."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from diono.setup import packages
from diono.setup.errors import OfflineMissing, SetupFailed
from diono.setup.plan import Progress, Step
from diono.setup.python_environment import Checkout

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def has_browser() -> bool:
    return any(shutil.which(name) for name in _BROWSERS)


def has_postgres() -> bool:
    return bool(list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb"))


def has_redis() -> bool:
    return shutil.which("redis-server") is not None


def test_steps(checkout: Checkout, *, is_offline: bool) -> list[Step]:
    """Return the steps of what only the tests need."""

    def step(name: str, title: str, is_there: Callable[[], bool], names: Sequence[str]) -> Step:
        async def action(progress: Progress) -> str:
            def say(line: str) -> None:
                progress(line, None)

            await asyncio.to_thread(_install, checkout, names, say, is_offline=is_offline)
            return ", ".join(names)

        return Step(name, title, is_there, action)

    return [
        step("browser", "Chromium", has_browser, ["chromium"]),
        step("postgres", "PostgreSQL", has_postgres, ["postgresql"]),
        step("redis", "Redis", has_redis, ["redis-server"]),
    ]


def _install(
    checkout: Checkout, names: Sequence[str], say: Callable[[str], None], *, is_offline: bool
) -> None:
    hint = packages.install_hint(names)
    if is_offline:
        raise OfflineMissing(f"{names[0]} is missing and --offline forbids fetching it: {hint}")
    if not packages.can_install():
        raise SetupFailed(f"the tests need {names[0]}. Type: {hint} ; or run `diono test --quick`.")
    packages.install(names, log=checkout.log.with_name("packages.log"), on_line=say)
