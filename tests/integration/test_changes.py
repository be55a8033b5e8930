"""Change requests on built apps, in real sandboxes: proven, or the app is as it was."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from contract.runner_rigs import RESOURCES, RUNNERS, RunnerStage
from contract.sandbox_rigs import forget, prepare, run, sandboxes_of

from diono.agents.port import Decision, Receipt
from diono.agents.runner import Kind, Work
from diono.agents.workspace import SERVICE, run_tool
from diono.llm.port import ChatRequest
from diono.sandbox.port import Limits, Sandbox, Sandboxes, SandboxSpec

pytestmark = pytest.mark.engine
TODO = "A web app with a REST API and a database that keeps to-do items"
ENTITIES = "app/entities.py"
ENTITY = {
    "name": "todo",
    "fields": [{"name": "title", "type": "text"}, {"name": "done", "type": "boolean"}],
}
Answer = Callable[[ChatRequest], str]


def free_answer(asked: str) -> str:
    """What it says to a change that is no operation."""
    if "pytest file" in asked:
        if "comment" in asked:
            return f"```python\ndef test_it():\n    assert 'LOUD' in open('{ENTITIES}').read()\n```"
        call = "from app.entities import TITLE"
        return f"```python\n{call}\n\ndef test_it():\n    assert TITLE == 'LOUD'\n```"
    if "Write the whole changed file" in asked:
        old = asked.split("```\n")[1]
        return f"```python\n{old}# quiet\n```"
    return json.dumps({"path": ENTITIES})


def answer(request: ChatRequest) -> str:
    """What an able model says for to-do items."""
    asked = request.messages[1].content
    if "main table" in asked:
        return json.dumps(ENTITY)
    if "fields are added" in asked:
        return json.dumps({"changes": []})
    if "Change request" in asked:
        return free_answer(asked)
    return json.dumps({"title": "A title", "summary": "A summary."})


class SandboxStage(RunnerStage):
    """Speaks to a real sandbox."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        super().__init__(root, answer)
        self.box = sandbox  # pyright: ignore[reportAttributeAccessIssue]


class App:
    """A built app; ``start_over`` brings it back to how it was built."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root = root
        self.sandbox = sandbox
        self.built = ""

    async def do(
        self, runner: str, kind: Kind, prompt: str, decision: Decision | None = None
    ) -> Receipt:
        stage = SandboxStage(self.root, self.sandbox)
        options = {"approval": "plan"} if decision else {}
        stage.decision = decision or stage.decision
        work = Work(task_id="t", project_id="p", kind=kind, prompt=prompt, options=options)
        return await RUNNERS.of(runner).start(work, stage)

    async def change(self, prompt: str, decision: Decision | None = None) -> Receipt:
        return await self.do("change", "change", prompt, decision)

    async def shell(self, command: str) -> str:
        done = await run(self.sandbox, "sh", "-c", command)
        return done.stdout + done.stderr

    async def request(self, method: str, path: str, body: object = None) -> Any:
        task = {
            "base": "http://127.0.0.1:8080",
            "requests": [{"method": method, "path": path, "body": body}],
        }
        [answer] = await run_tool(self.sandbox, RESOURCES.catalog.tool("http_checks.py"), task)
        return answer["json"]

    async def tree(self) -> str:
        return (await self.shell("git rev-parse HEAD^{tree}")).strip()

    async def start_over(self) -> None:
        if self.built:
            await self.sandbox.stop_service(SERVICE)
            await self.shell(f"git reset -q --hard {self.built} && git clean -fdxq")


@asynccontextmanager
async def opened(sandboxes: Sandboxes, root: Path) -> AsyncGenerator[App]:
    limits = Limits(memory_mb=512, disk_mb=64)
    spec = SandboxSpec(owner="owner", project=root.name, limits=limits)
    yield App(root, await sandboxes.open(spec))
    await sandboxes.kill("owner", root.name)
    await sandboxes.delete_workspace("owner", root.name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandboxes() -> AsyncGenerator[Sandboxes]:
    config = prepare()
    async with sandboxes_of("fleet", config) as found:
        yield found
    forget(config)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def built(
    sandboxes: Sandboxes, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[App]:
    async with opened(sandboxes, tmp_path_factory.mktemp("todo")) as app:
        nothing = await app.change("add a due date")
        assert "no built app" in nothing.reason
        receipt = await app.do("team", "build", TODO)
        assert receipt.status == "SUCCEEDED", receipt.reason
        app.built = receipt.commit
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def app(built: App) -> App:
    await built.start_over()
    return built


@pytest.mark.nightly
@pytest.mark.asyncio(loop_scope="module")
async def test_fields_come_and_go_and_no_row_is_lost(app: App) -> None:
    dated = await app.change("Add a due date to the to-do items")
    assert dated.status == "SUCCEEDED", dated.reason
    names = {one.name for one in dated.checks if one.is_required and one.passed}
    assert {"due_date is stored", "data from before the change is kept"} <= names
    assert (await app.shell(f"git rev-list --count {app.built}..HEAD")).strip() == "1"
    listing = f"/api/{dated.spec['entity']['plural']}"
    assert (await app.request("POST", listing, {"title": "kept", "done": True}))["id"]
    renamed = await app.change("rename the done field to finished")
    assert renamed.status == "SUCCEEDED", renamed.reason
    [row] = await app.request("GET", listing)
    assert (row["title"], row["finished"], row["due_date"]) == ("kept", True, None)
    assert (await app.shell("cat CHANGES.md")).count("\n- ") == 2
    before = await app.tree()
    refused = await app.change("remove the title field")
    assert refused.status == "FAILED"
    assert "stays" in refused.reason
    assert await app.tree() == before


@pytest.mark.asyncio(loop_scope="module")
async def test_a_page_is_restyled(app: App) -> None:
    dark = await app.change("Use white text on a black background")
    assert dark.status == "SUCCEEDED", dark.reason
    shown = {one.name for one in dark.checks if one.is_required and one.passed}
    assert {"the style has background: black", "the style has color: white"} <= shown
    assert "background: black; color: white;" in await app.shell("cat app/static/style.css")
    assert "the style has color: white" in await app.shell("cat .diono/proof.json")


@pytest.mark.asyncio(loop_scope="module")
async def test_what_does_not_hold_is_taken_back(app: App) -> None:
    before = await app.tree()
    failed = await app.change("make it shout")
    assert failed.status == "FAILED"
    assert "the test still fails" in failed.reason
    assert failed.details["is_rolled_back"]
    assert await app.tree() == before
    assert "Back to the last green state" in await app.shell("git log -1 --format=%s")
    assert await app.request("GET", f"/api/{failed.spec['entity']['plural']}") == []


@pytest.mark.asyncio(loop_scope="module")
async def test_a_plan_can_be_refused_before_anything_happens(app: App) -> None:
    before = await app.tree()
    idle = await app.change("make it shout in a comment")
    assert "no test could be written" in idle.reason
    expired = Decision(is_approved=False, is_expired=True)
    receipt = await app.change("add a due date", expired)
    assert receipt.status == "FAILED"
    assert "in time" in receipt.reason
    assert await app.tree() == before
