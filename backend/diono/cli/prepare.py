"""Sets up, around a command, what that command needs, and shows it as it goes."""

import asyncio
import importlib
import sys
from collections.abc import Sequence
from typing import Protocol

from diono.cli.connect import open_catalog
from diono.cli.setup_view import PlainReport
from diono.kernel.errors import DionoError
from diono.settings import REPOSITORY, Settings
from diono.setup.commands import stop_commands
from diono.setup.plan import run_steps
from diono.setup.python_environment import Checkout
from diono.setup.report import Report
from diono.setup.steps import steps_for

CHECKOUT = Checkout(REPOSITORY)


class _ClosableReport(Report, Protocol):
    def close(self) -> None: ...


class Preparation:
    """What a command waits for (``finish``), and what may go on beside it (``begin``)."""

    def __init__(self, settings: Settings, *, is_offline: bool) -> None:
        self._settings = settings
        self._is_offline = is_offline
        self._report: _ClosableReport | None = None
        self._beside: asyncio.Task[None] | None = None

    def begin(self, parts: Sequence[str]) -> None:
        self._beside = asyncio.create_task(self._run(parts))

    async def finish(self, parts: Sequence[str]) -> None:
        """Set the parts up and close the display. Raises DionoError."""
        try:
            await self._run(parts)
        except BaseException:
            stop_commands()
            raise
        finally:
            if self._report is not None:
                self._report.close()

    async def end(self) -> None:
        """Wait for what was begun; a failure there is told, but fails nothing."""
        if self._beside is None:
            return
        if not self._beside.done():
            print("finishing the dashboard's build ...", file=sys.stderr)
        try:
            await self._beside
        except DionoError as error:
            print(f"the dashboard is not ready: {error.detail}", file=sys.stderr)

    async def _run(self, parts: Sequence[str]) -> None:
        known = steps_for(
            parts, CHECKOUT, self._settings, self._find_model, is_offline=self._is_offline
        )
        steps = [step for step in known if not step.is_done()]
        if steps:
            self._report = self._report or open_report()
            await run_steps(steps, self._report)

    async def _find_model(self) -> str:
        """Name a model that can be used now, by the settings or an Ollama on this machine."""
        catalog = open_catalog(self._settings)
        try:
            chosen = await catalog.choose(self._settings.model or None)
        except DionoError:
            return ""
        finally:
            await catalog.close()
        return f"{chosen.name}: {chosen.reason}"


def prepare_now(parts: Sequence[str], settings: Settings, *, is_offline: bool) -> None:
    """Set the named parts up (see ``diono.setup.steps``). Raises DionoError."""
    asyncio.run(Preparation(settings, is_offline=is_offline).finish(parts))


def open_report() -> _ClosableReport:
    """Return bars on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        return PlainReport()
    report: _ClosableReport = importlib.import_module("diono.cli.setup_bars").BarsReport()
    return report
