"""Properties of a function, held against what its calls gave."""

import json
from pathlib import Path

import pytest

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.properties import PropertyCase, judge_property, task_for
from diono.sandbox.port import ExecRequest

from .host_stage import ROOT, FolderSandbox

TOOL = BlueprintCatalog(ROOT / "workspace" / "blueprints").tool("property_checks.py")
CASE = PropertyCase(
    name="tally: empty and extreme input",
    function="tally",
    path="tally.py",
    rule="answers",
    calls=((3,), (0,), (10_000_000,)),
    returns="str",
)


@pytest.mark.parametrize(
    ("source", "is_passed", "detail"),
    [
        ("def tally(number):\n    return 'I' * number\n", True, "holds for 2 of 3 calls"),
        ("def tally(number):\n    return 'I' * max(number, 20_000)\n", False, "no call"),
        ("def tally(number):\n    return number or ''\n", False, "tally(3) returned 3"),
        ("def tally(number):\n    return 1 / number\n", False, "tally(3) returned 0.33"),
    ],
)
async def test_an_extreme_answer_does_not_crowd_out_the_others(
    tmp_path: Path, source: str, is_passed: bool, detail: str
) -> None:
    sandbox = FolderSandbox(tmp_path)
    await sandbox.write_file("tally.py", source.encode())
    done = await sandbox.execute(
        ExecRequest(
            argv=("python3", "-c", TOOL),
            stdin=json.dumps(task_for([CASE], {})).encode(),
            timeout_seconds=30,
        )
    )
    assert len(done.stdout) < 100_000
    [seen] = json.loads(done.stdout)
    check = judge_property(CASE, seen)
    assert check.passed is is_passed, check.detail
    assert detail in check.detail
