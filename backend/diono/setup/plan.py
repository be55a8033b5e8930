"""Runs the steps that are needed: independent ones side by side, each after what it needs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from diono.kernel.errors import DionoError
from diono.setup.commands import stop_commands
from diono.setup.report import Report

Progress = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Step:
    """``is_done`` is a cheap look; ``action`` does the work and returns a note for people."""

    name: str
    title: str
    is_done: Callable[[], bool]
    action: Callable[[Progress], Awaitable[str]]
    needs: tuple[str, ...] = ()


async def run_steps(steps: Sequence[Step], report: Report) -> None:
    """Run what is not done yet. The first failure stops the rest, which resumes the next time.

    Raises DionoError.
    """
    pending: dict[str, asyncio.Task[None]] = {}
    for step in steps:
        if not step.is_done():
            pending[step.name] = asyncio.create_task(_run(step, dict(pending), report))
    if not pending:
        return
    try:
        done, _ = await asyncio.wait(pending.values(), return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    except BaseException:
        for task in pending.values():
            task.cancel()
        stop_commands()
        raise


async def _run(step: Step, before: dict[str, "asyncio.Task[None]"], report: Report) -> None:
    needed = [before[name] for name in step.needs if name in before]
    if needed:
        await asyncio.wait(needed)
        if any(task.cancelled() or task.exception() for task in needed):
            return
    started_at = time.monotonic()
    report.started(step.name, step.title)

    def progress(note: str, fraction: float | None) -> None:
        report.progressed(step.name, note, fraction)

    try:
        note = await step.action(progress)
    except DionoError as error:
        report.failed(step.name, error.detail, time.monotonic() - started_at)
        raise
    report.finished(step.name, note, time.monotonic() - started_at)
