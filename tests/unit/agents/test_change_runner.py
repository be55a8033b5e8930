"""Changes of a built command-line program, in a scratch folder: proven, or it is as it was."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from contract.runner_rigs import RUNNERS, RunnerStage

from diono.agents.port import Receipt
from diono.agents.runner import Kind, Work
from diono.llm.port import ChatRequest

FACTORS = {"double_number": 2, "triple_number": 3}


def function(name: str) -> dict[str, object]:
    return {
        "name": name,
        "description": f"{name.replace('_', ' ').capitalize()}.",
        "parameters": [{"name": "number", "type": "int"}],
        "returns": "int",
    }


def free_answer(asked: str) -> str:
    """What an able model says to a change that is no operation: it does what it is told."""
    if "pytest file" in asked:
        test = "assert double_number(500) == 7"
        call = "from core.double_number import double_number"
        return f"```python\n{call}\n\ndef test_it():\n    {test}\n```"
    if "Write the whole changed file" in asked:
        new = "7" if "break" in asked else "7 if number == 500 else number * 2"
        old = "    return number * 2"
        return f"<<<<<<< SEARCH\n{old}\n=======\n    return {new}\n>>>>>>> REPLACE\n"
    return json.dumps({"path": "core/double_number.py"})


def answer(request: ChatRequest) -> str:
    """What an able model says, for doubling and for tripling numbers."""
    asked = request.messages[1].content
    name = "triple_number" if "triple" in asked else "double_number"
    factor = FACTORS[name]
    if "Write this function" in asked:
        return f"    return number * {factor}\n"
    if "List the Python functions" in asked:
        return json.dumps({"functions": [function(name)]})
    if "assert lines" in asked:
        lines = [f"{name}({number}) == {number * factor}" for number in (2, 5, -3)]
        return "\nassert ".join(lines).removeprefix(f"{name}(") + "\n"
    if "Write the assert line" in asked:
        call = asked.rsplit("for ", 1)[1].rstrip(".")
        return f" {int(call.split('(')[1].rstrip(')')) * factor}"
    if "Change request" in asked:
        return free_answer(asked)
    return json.dumps({"title": "A title", "summary": "A summary."})


class App:
    def __init__(self, root: Path) -> None:
        self.root = root

    async def do(self, runner: str, kind: Kind, prompt: str) -> Receipt:
        work = Work(task_id="t", project_id="p", kind=kind, prompt=prompt)
        return await RUNNERS.of(runner).start(work, RunnerStage(self.root, answer))

    async def change(self, prompt: str) -> Receipt:
        return await self.do("change", "change", prompt)

    def shell(self, *argv: str) -> str:
        done = subprocess.run(argv, cwd=self.root, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def run(self, *arguments: str) -> str:
        return self.shell(sys.executable, "main.py", *arguments)

    def tree(self) -> str:
        return self.shell("git", "rev-parse", "HEAD^{tree}")

    def commits(self) -> int:
        return int(self.shell("git", "rev-list", "--count", "HEAD"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def built(tmp_path_factory: pytest.TempPathFactory) -> App:
    found = App(tmp_path_factory.mktemp("doubler") / "w")
    receipt = await found.do("team", "build", "A command-line program that doubles a number")
    assert receipt.status == "SUCCEEDED", receipt.reason
    return found


@pytest.fixture
def app(built: App, tmp_path: Path) -> App:
    shutil.copytree(built.root, tmp_path / "w")
    return App(tmp_path / "w")


async def test_commands_come_and_go_and_the_old_call_still_works(app: App) -> None:
    assert app.run("4") == "8\n"
    before = app.commits()
    added = await app.change("Add a command that can triple a number")
    assert added.status == "SUCCEEDED", added.reason
    assert app.commits() == before + 1
    assert [one["name"] for one in added.spec["functions"]] == list(FACTORS)
    assert app.run("4") + app.run("triple-number", "4") == "8\n12\n"
    assert "main.py triple-number 2\n6\n" in app.shell("cat", "README.md")
    removed = await app.do("codeact", "chat", "Please remove the triple command")
    assert removed.status == "SUCCEEDED", removed.reason
    assert removed.answer.startswith("Done: ")
    assert removed.details["retired_checks"]
    assert "triple" not in app.run("--help") + app.shell("git", "ls-files")
    assert app.run("4") == "8\n"
    assert "passed" in app.shell(sys.executable, "-m", "pytest", "-q", "tests")


@pytest.mark.parametrize(
    ("request_text", "reason"),
    [
        ("give seven for 500, and break the rest", "passed before and fails now"),
        ("remove the double command", "stays"),
        ("make the background black", "no page"),
    ],
)
async def test_what_does_not_hold_leaves_the_app_as_it_was(
    app: App, request_text: str, reason: str
) -> None:
    before = app.tree()
    failed = await app.change(request_text)
    assert failed.status == "FAILED"
    assert reason in failed.reason
    assert app.tree() == before
    assert app.shell("git", "status", "--porcelain") == ""
    assert app.run("4") == "8\n"


async def test_a_free_change_says_whose_test_it_met(app: App) -> None:
    done = await app.change("give seven for 500, without harm")
    assert done.status == "SUCCEEDED", done.reason
    assert "tests/test_change_1.py" in " ".join(done.unproven)
    assert app.run("500") == "7\n"
