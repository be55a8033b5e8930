"""Sets up, before a command, what that command needs, and shows it as it goes."""

import asyncio
import importlib
import sys
from collections.abc import Sequence

from diono.cli.setup_view import PlainReport
from diono.settings import REPOSITORY, Settings
from diono.setup.plan import run_steps
from diono.setup.python_environment import Checkout
from diono.setup.report import Report
from diono.setup.steps import steps_for

CHECKOUT = Checkout(REPOSITORY)


async def prepare(parts: Sequence[str], settings: Settings, *, is_offline: bool) -> None:
    """Set up the named parts (see ``diono.setup.steps``). Raises DionoError."""
    steps = [
        step
        for step in steps_for(parts, CHECKOUT, settings, is_offline=is_offline)
        if not step.is_done()
    ]
    if not steps:
        return
    report = open_report()
    try:
        await run_steps(steps, report)
    finally:
        report.close()


def prepare_now(parts: Sequence[str], settings: Settings, *, is_offline: bool) -> None:
    asyncio.run(prepare(parts, settings, is_offline=is_offline))


class ClosableReport(Report):
    def close(self) -> None: ...


class _Plain(PlainReport):
    def close(self) -> None: ...


def open_report() -> "ClosableReport | _Plain":
    """Return bars on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        return _Plain()
    view = importlib.import_module("diono.cli.setup_bars")
    bars: ClosableReport = view.BarsReport()
    return bars
