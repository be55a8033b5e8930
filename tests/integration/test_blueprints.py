"""Every blueprint, untouched, in a real sandbox: it installs, starts and passes its own test."""

import json
from collections.abc import AsyncGenerator

import pytest
from contract.sandbox_rigs import forget, prepare, sandboxes_of

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.workspace import commit, ensure_service, execute, run_tool
from diono.sandbox.port import Limits, Sandbox, SandboxSpec
from diono.settings import REPOSITORY

pytestmark = pytest.mark.engine
CATALOG = BlueprintCatalog(REPOSITORY / "workspace" / "blueprints")
LIMITS = Limits(memory_mb=512, disk_mb=64)


@pytest.fixture(params=CATALOG.names)
async def laid_out(request: pytest.FixtureRequest) -> AsyncGenerator[tuple[str, Sandbox]]:
    config = prepare()
    try:
        async with sandboxes_of("docker", config) as sandboxes:
            name: str = request.param
            spec = SandboxSpec(owner="owner", project=name, limits=LIMITS)
            sandbox = await sandboxes.open(spec)
            await sandbox.write_files(CATALOG.get(name).skeleton)
            yield name, sandbox
            await sandboxes.kill("owner", name)
            await sandboxes.delete_workspace("owner", name)
    finally:
        forget(config)


async def test_a_blueprint_installs_starts_and_passes_its_own_test(
    laid_out: tuple[str, Sandbox],
) -> None:
    name, sandbox = laid_out
    facts = CATALOG.get(name).facts
    if facts.packages:
        assert (await sandbox.install(facts.packages)).is_success
    assert len(await commit(sandbox, "the blueprint")) == 40
    assert await commit(sandbox, "again") == await commit(sandbox, "and again")
    tests = await execute(sandbox, *facts.test_command, seconds=120)
    assert tests.is_success, tests.stdout + tests.stderr
    if facts.service is None:
        started = await execute(sandbox, "python3", "main.py", "--help")
        assert started.is_success, started.stderr
        return
    status = await ensure_service(sandbox, facts.service)
    assert status.is_healthy, status.log_tail
    task = {
        "base": f"http://127.0.0.1:{facts.service.port}",
        "requests": [{"method": "GET", "path": "/"}, {"method": "GET", "path": "/.git/HEAD"}],
    }
    page, hidden = await run_tool(sandbox, CATALOG.tool("http_checks.py"), task)
    assert page["status"] == 200
    assert "<h1>" in page["text"]
    assert hidden["status"] == 404


async def test_the_checking_programs_run_in_the_sandbox(laid_out: tuple[str, Sandbox]) -> None:
    name, sandbox = laid_out
    if name != "static-web":
        return
    plays = [
        [{"set": "input[name=text]", "value": "a"}, {"submit": "form"}, {"read": ".rows span"}],
        [{"click": "#missing"}],
    ]
    task = {"dom": CATALOG.tool("dom.js"), "plays": plays}
    added, broken = await run_tool(sandbox, CATALOG.tool("page_checks.py"), task)
    assert added == {"error": "", "reads": ["a"]}
    assert "no element #missing" in broken["error"]
    probe = {"language": "javascript", "function": "f", "calls": [[2], [3]], "flags": []}
    for source, expected in (
        ("const f = (a) => a * 2;", [{"value": 4}, {"value": 6}]),
        ("function f(a) { while (true) {} }", None),
    ):
        seen = await run_tool(
            sandbox, CATALOG.tool("probe_functions.py"), {**probe, "source": source, "seconds": 1}
        )
        if expected is None:
            assert all("error" in one for one in seen["results"]), json.dumps(seen)
        else:
            assert seen["results"] == expected
