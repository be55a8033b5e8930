"""Looks for a small edit that makes failed candidates meet the checks, without asking the model."""

import asyncio
import json
from collections.abc import Sequence

from diono.agents.candidates import Candidate
from diono.agents.meter import Run
from diono.agents.port import JsonObject
from diono.agents.shapes import dict_of, list_of
from diono.agents.solving.checks import Gate
from diono.agents.solving.editing import edited
from diono.agents.solving.problem import Problem
from diono.agents.solving.trials import (
    TRIAL_SECONDS,
    Trial,
    program,
    run_trial,
    verdict_of,
)
from diono.sandbox.port import SnippetRequest

# Of the processor: for one edited program, and for all of a step.
_SECONDS = 0.1
_ALL_SECONDS = 6.0
_MOST = 800
_TRIED = 8
EDITED = 0
"""The attempt that an edited candidate counts as: no answer of the model."""


async def mended(
    run: Run, problem: Problem, gate: Gate, failed: Sequence[Candidate], step: str
) -> Candidate | None:
    """Return an edited candidate that meets every check. Where several do, those that behave
    alike for other inputs outvote the others."""
    variants = await asyncio.to_thread(_variants, failed, problem.name)
    if not variants:
        return None
    met: dict[str, list[Candidate]] = {}
    for number, place in enumerate(await _sifted(run, problem, gate, variants, step), start=1):
        trial = Trial(variants[place], gate.checks, gate.calls, problem.preamble)
        outcome = await run_trial(run, f"{step}: {number}", trial)
        verdict = verdict_of(trial, outcome, gate.firm, problem.name)
        if not verdict.problem:
            found = Candidate(trial.source, verdict, EDITED)
            met.setdefault(verdict.behaviour, []).append(found)
    return max(met.values(), key=len)[0] if met else None


def _variants(failed: Sequence[Candidate], name: str) -> list[str]:
    """Take the edits of all candidates in turns, so that a long program crowds none out."""
    lists = [edited(one.source, name) for one in failed]
    longest = max(map(len, lists), default=0)
    turns = [one[at] for at in range(longest) for one in lists if at < len(one)]
    return list(dict.fromkeys(turns))[:_MOST]


async def _sifted(
    run: Run, problem: Problem, gate: Gate, variants: Sequence[str], step: str
) -> list[int]:
    """Return the places of the first few variants that seem to meet the checks."""
    task = {
        "variants": variants,
        "setup": problem.preamble,
        "checks": gate.checks,
        "seconds": _SECONDS,
        "all_seconds": _ALL_SECONDS,
    }

    async def action() -> JsonObject:
        sandbox = await run.stage.sandbox()
        request = SnippetRequest(
            code=program(), stdin=json.dumps(task), timeout_seconds=TRIAL_SECONDS
        )
        done = await sandbox.run_python(request)
        try:
            found = dict_of(json.loads(done.stdout.strip().rpartition("\n")[2]))
        except ValueError:
            return {"found": []}
        return {"found": list_of(found.get("found"))[:_TRIED]}

    places = list_of((await run.step(step, action)).get("found"))
    return [one for one in places if isinstance(one, int) and 0 <= one < len(variants)]
