"""Steps run once, in parallel where they can, after what they need, and stop at a failure."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from diono.setup.errors import SetupFailed
from diono.setup.plan import Progress, Step, run_steps


class _Notes:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def started(self, step: str, title: str) -> None:
        self.said.append(f"started {step}")

    def progressed(self, step: str, note: str, fraction: float | None = None) -> None:
        self.said.append(f"{step}: {note}")

    def finished(self, step: str, note: str, seconds: float) -> None:
        self.said.append(f"finished {step}")

    def failed(self, step: str, detail: str, seconds: float) -> None:
        self.said.append(f"failed {step}")


def _step(
    name: str,
    action: Callable[[Progress], Awaitable[str]],
    needs: tuple[str, ...] = (),
    *,
    is_done: bool = False,
) -> Step:
    return Step(name, name.title(), lambda: is_done, action, needs)


async def _quick(progress: Progress) -> str:
    progress("working", 0.5)
    return "ok"


async def _failing(_progress: Progress) -> str:
    raise SetupFailed("no way")


async def test_what_is_done_is_not_even_mentioned() -> None:
    notes = _Notes()
    await run_steps([_step("engine", _failing, is_done=True)], notes)
    assert notes.said == []


async def test_a_step_waits_for_what_it_needs() -> None:
    notes = _Notes()
    await run_steps([_step("engine", _quick), _step("image", _quick, ("engine",))], notes)
    assert notes.said.index("finished engine") < notes.said.index("started image")


async def test_independent_steps_run_side_by_side() -> None:
    barrier = asyncio.Barrier(2)

    async def meet(_progress: Progress) -> str:
        async with asyncio.timeout(5), barrier:
            return "met"

    await run_steps([_step("model", meet), _step("frontend", meet)], _Notes())


async def test_the_first_failure_is_raised_and_stops_the_rest() -> None:
    notes = _Notes()

    async def forever(_progress: Progress) -> str:
        await asyncio.Event().wait()
        return ""

    steps = [
        _step("model", forever),
        _step("engine", _failing),
        _step("image", _quick, ("engine",)),
    ]
    with pytest.raises(SetupFailed, match="no way"):
        async with asyncio.timeout(5):
            await run_steps(steps, notes)
    assert "failed engine" in notes.said
    assert "started image" not in notes.said
