"""QA's repair: another try for a function whose check failed, kept only if more checks pass.

A repair that does not help is rolled back to the state before it, and nothing is tried again:
the same problem would come back.
"""

from collections.abc import Sequence

from diono.agents import text
from diono.agents.assembly import Assembly
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject
from diono.agents.spec import Built, FunctionSpec
from diono.agents.workspace import Workspace
from diono.kernel.events import EventType

REPAIRS = 2
SECONDS_NEEDED = 45.0


async def repair(
    run: Run, assembly: Assembly, workspace: Workspace, checks: Sequence[Check]
) -> list[Check]:
    """Return the checks of the best state reached; the workspace is at that state."""
    best = list(checks)
    for number in range(1, REPAIRS + 1):
        failed = _failed(best)
        target = _function_behind(failed, assembly.built)
        if target is None or not await _has_time(run):
            break
        await run.log(f"Repairing {target.name}: {failed[0].name} failed", "warning")
        green, built = workspace.snapshot(), list(assembly.built)
        if not await assembly.rewrite(target, failed[0].detail, f".repair{number}"):
            break
        again = await assembly.check()
        if len(_failed(again)) < len(failed):
            best = again
            continue
        assembly.built = built
        await workspace.roll_back(green, f"the repair of {target.name} did not help")
        for check in best:
            await run.say(EventType.CHECK, **check.model_dump())
        break
    return best


def _function_behind(failed: Sequence[Check], built: Sequence[Built]) -> FunctionSpec | None:
    for check in failed:
        for one in built:
            names = (one.function.command, one.function.name, text.camel(one.function.name))
            if check.name.startswith(names):
                return one.function
    return built[0].function if failed and len(built) == 1 else None


def _failed(checks: Sequence[Check]) -> list[Check]:
    return [one for one in checks if one.is_required and not one.passed]


async def _has_time(run: Run) -> bool:
    async def action() -> JsonObject:
        return {"seconds": run.stage.seconds_left()}

    return float((await run.step("time for a repair", action))["seconds"]) > SECONDS_NEEDED
