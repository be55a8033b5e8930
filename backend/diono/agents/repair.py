"""QA's repair: another try for a function whose check failed, kept only if more checks pass.

A repair that does not help is rolled back to the state before it. It is tried again only while
what went wrong changes: the same problem would come back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from diono.agents import text
from diono.agents.assembly import Assembly
from diono.agents.errors import BudgetSpent
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject
from diono.agents.scheduling.stuck import error_signature
from diono.agents.spec import Built, FunctionSpec
from diono.agents.workspace import Workspace
from diono.kernel.events import EventType

REPAIRS = 2
SECONDS_NEEDED = 45.0
SECONDS_FOR_EXTRAS = 120.0


@dataclass
class Repairs:
    """How many repairs are left to a build, whatever they are for."""

    left: int = REPAIRS


async def repair(
    run: Run,
    assembly: Assembly,
    workspace: Workspace,
    checks: Sequence[Check],
    allowance: Callable[[], str] = lambda: "",
    repairs: Repairs | None = None,
) -> list[Check]:
    """Return the checks of the best state reached; the workspace is at that state."""
    repairs = repairs or Repairs()
    best = list(checks)
    tried: set[str] = set()
    hint = ""
    while repairs.left > 0:
        failed = _failed(best)
        target = _function_behind(failed, assembly.built)
        hint = hint or (failed[0].detail if failed else "")
        signature = f"{target.name if target else ''}: {error_signature(hint)}"
        needed = SECONDS_NEEDED if failed and failed[0].is_required else SECONDS_FOR_EXTRAS
        if target is None or signature in tried or allowance() or not await has_time(run, needed):
            break
        tried.add(signature)
        repairs.left -= 1
        await run.log(f"Repairing {target.name}: {failed[0].name} failed", "warning")
        green, built = workspace.snapshot(), list(assembly.built)
        try:
            is_written = await assembly.rewrite(target, hint, f".repair{REPAIRS - repairs.left}")
        except BudgetSpent as error:
            # What is green already stays proven; there is only nothing left to mend it with.
            await run.log(f"No repair: {error.detail}", "warning")
            break
        if not is_written:
            break
        again = await assembly.check()
        if _is_better(best, again):
            best, hint = again, ""
            continue
        hint = next((one.detail for one in _failed(again) if one.name == failed[0].name), "")
        assembly.built = built
        await workspace.roll_back(green, f"the repair of {target.name} did not help")
        for check in best:
            await run.say(EventType.CHECK, **check.model_dump())
    return best


def _is_better(before: Sequence[Check], after: Sequence[Check]) -> bool:
    """Fewer required checks fail; or as few, and fewer properties, and all that was green is."""
    required = [sum(one.is_required for one in _failed(checks)) for checks in (before, after)]
    if required[0] != required[1]:
        return required[1] < required[0]
    green = {one.name for one in before if one.passed}
    kept = all(one.passed or one.name not in green for one in after)
    return kept and len(_failed(after)) < len(_failed(before))


def _function_behind(failed: Sequence[Check], built: Sequence[Built]) -> FunctionSpec | None:
    for check in failed:
        for one in built:
            names = (one.function.command, one.function.name, text.camel(one.function.name))
            if check.name.startswith(names):
                return one.function
    return built[0].function if failed and len(built) == 1 else None


def _failed(checks: Sequence[Check]) -> list[Check]:
    """Return required checks that failed, then properties that do not hold."""
    required = [one for one in checks if one.is_required and not one.passed]
    extras = [one for one in checks if one.kind == "property" and one.passed is False]
    return [*required, *[one for one in extras if not one.is_required]]


async def has_time(run: Run, seconds_needed: float) -> bool:
    async def action() -> JsonObject:
        return {"seconds": run.stage.seconds_left()}

    return float((await run.step("time for a repair", action))["seconds"]) > seconds_needed
