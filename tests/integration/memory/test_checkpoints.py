"""Checkpoints on the real engine: each is come back to in time, and nothing is lost."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from contract.sandbox_rigs import forget, prepare, run, sandboxes_of

from diono.agents.port import Memory, Said
from diono.features.checkpoints.errors import CheckpointNotFound
from diono.features.checkpoints.schemas import ChangeCheckpoint, CheckpointInfo
from diono.features.checkpoints.service import Checkpoints
from diono.features.projects.service import remove_project, sandbox_of
from diono.infra.database import Database, sqlite_url
from diono.sandbox.port import Sandbox, Sandboxes
from diono.sandbox.repository import CommitMissing, Repository

from .conftest import CLOCK, Ground, ground_on

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

STEPS = 10
RESTORE_SECONDS = 2.0


@dataclass
class House:
    ground: Ground
    sandboxes: Sandboxes
    checkpoints: Checkpoints

    async def open(self, project_id: str) -> Sandbox:
        return await self.sandboxes.open(sandbox_of(self.ground.owner_id, project_id))

    async def fork(self, project_id: str, checkpoint_id: str | None) -> str:
        project = self.named(project_id)
        return await self.checkpoints.fork(project, checkpoint_id, "Fork", self.ground.owner_id)

    def named(self, project_id: str) -> tuple[str, str]:
        return self.ground.owner_id, project_id

    async def step(self, project_id: str, task_id: str, number: int) -> None:
        """What a runner does in one step: files, a commit, messages, a checkpoint."""
        sandbox = await self.open(project_id)
        files = {"main.py": f"print({number})\n".encode(), f"pkg/part{number}.py": b"x = 1\n"}
        await sandbox.write_files(files)
        head, _ = await Repository(sandbox).save(f"step {number}")
        said = [Said(role="user", content=f"Do {number}"), Said(role="assistant", content="Done")]
        memory = Memory(phase=f"step {number}")
        key = f"step{number}"
        await self.ground.conversations.remember(project_id, task_id, key, said, memory)
        await self.checkpoints.keep(project_id, task_id, key, f"Step {number}", head)

    async def listed(self, project_id: str) -> list[CheckpointInfo]:
        """Oldest first."""
        return (await self.checkpoints.page(project_id, None, 100)).items[::-1]


async def _files(sandbox: Sandbox) -> dict[str, bytes]:
    entries = [entry for entry in await sandbox.list_files() if not entry.is_dir]
    return {entry.path: await sandbox.read_file(entry.path) for entry in entries}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    config = prepare()
    folder: Path = tmp_path_factory.mktemp("checkpoints")
    async with (
        sandboxes_of("fleet", config) as sandboxes,
        ground_on(Database(sqlite_url(folder / "db"))) as ground,
    ):
        recollection = ground.conversations
        yield House(ground, sandboxes, Checkpoints(ground.database, sandboxes, recollection, CLOCK))
    forget(config)


async def test_ten_checkpoints_are_each_restored_in_time_and_nothing_is_lost(house: House) -> None:
    project_id = await house.ground.project()
    task_id = await house.ground.task(project_id)
    project = house.named(project_id)
    for number in range(1, STEPS + 1):
        await house.step(project_id, task_id, number)
        await house.step(project_id, task_id, number)
    steps = await house.listed(project_id)
    assert [item.title for item in steps] == [f"Step {number}" for number in range(1, STEPS + 1)]
    sandbox = await house.open(project_id)
    await sandbox.write_files({"notes.txt": b"not committed", "main.py": b"print('edited')\n"})
    seconds: list[float] = []
    for number in (10, 1, 9, 2, 8, 3, 7, 4, 6, 5):
        before = await _files(sandbox)
        report = await house.checkpoints.restore(project, steps[number - 1].checkpoint_id)
        seconds.append(report.seconds)
        files = await _files(sandbox)
        assert files["main.py"] == f"print({number})\n".encode()
        assert len(files) == number + 1
        said, memory = await house.ground.conversations.recall(project_id)
        assert memory.phase == f"step {number}"
        assert (len(said), said[-2].content) == (2 * number + 1, "Done")
        # Whatever was there before the restore is there again after going back to it.
        await house.checkpoints.restore(project, report.before.checkpoint_id)
        assert await _files(sandbox) == before
    assert max(seconds) < RESTORE_SECONDS, seconds
    history = await house.ground.conversations.history(project_id, None, 200)
    assert len(history.messages) == 2 * STEPS + 2 * STEPS
    log = await run(sandbox, "git", "log", "--oneline", "--all")
    assert all(f"step {number}" in log.stdout for number in range(1, STEPS + 1))


async def test_restore_opens_a_sandbox_that_had_ended_in_time(house: House) -> None:
    project_id = await house.ground.project()
    task_id = await house.ground.task(project_id)
    for number in (1, 2):
        await house.step(project_id, task_id, number)
    await house.sandboxes.kill(*house.named(project_id))
    first = (await house.listed(project_id))[0]
    report = await house.checkpoints.restore(house.named(project_id), first.checkpoint_id)
    assert report.seconds < RESTORE_SECONDS
    assert report.before.title == "Step 2"


async def test_ignored_files_stay_and_hostile_settings_do_nothing(house: House) -> None:
    project_id = await house.ground.project()
    task_id = await house.ground.task(project_id)
    sandbox = await house.open(project_id)
    await sandbox.write_files({"data.db": b"first", "bin/-x": b"odd", ":(top)x": b"odd"})
    await house.step(project_id, task_id, 1)
    hostile = (
        "[core]\n\tfsmonitor = touch /work/.git/owned\n\thooksPath = /work/hooks\n"
        "[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = /bin/false\n"
    )
    await sandbox.write_files(
        {
            ".gitignore": b"data.db\ncache/\n", "cache/big": b"cached",
            "hooks/pre-commit": b"#!/bin/sh\nexit 1\n", "hooks/post-commit": b"#!/bin/sh\nexit 1\n",
        }
    )  # fmt: skip
    await run(sandbox, "sh", "-c", "chmod +x hooks/*; git rm -q --cached data.db")
    await sandbox.write_file("data.db", b"later, ignored")
    await run(sandbox, "sh", "-c", f"printf '%s' '{hostile}' >> .git/config; touch .git/index.lock")
    project = house.named(project_id)
    (first,) = await house.listed(project_id)
    report = await house.checkpoints.restore(project, first.checkpoint_id)
    files = await _files(sandbox)
    assert (files["data.db"], files["cache/big"]) == (b"first", b"cached")
    await house.checkpoints.restore(project, report.before.checkpoint_id)
    assert (await _files(sandbox))["data.db"] == b"later, ignored"
    assert (await run(sandbox, "test", "-e", ".git/owned")).exit_code == 1


async def test_differences_are_told_and_bounded(house: House) -> None:
    project_id = await house.ground.project()
    task_id = await house.ground.task(project_id)
    for number in (1, 2):
        await house.step(project_id, task_id, number)
    first, second = await house.listed(project_id)
    project = house.named(project_id)
    between = await house.checkpoints.diff(
        project, first.checkpoint_id, second.checkpoint_id, 100_000
    )
    assert {file.path: (file.added, file.removed) for file in between.files} == {
        "main.py": (1, 1), "pkg/part2.py": (1, 0),
    }  # fmt: skip
    assert "-print(1)\n+print(2)" in between.diff
    sandbox = await house.open(project_id)
    await sandbox.write_file("new.txt", b"line\n" * 100_000)
    now = await house.checkpoints.diff(project, second.checkpoint_id, None, 1_000)
    assert [file.path for file in now.files] == ["new.txt"]
    assert now.is_cut
    assert len(now.diff) < 2_000
    # Looking changed nothing.
    status = await run(sandbox, "git", "status", "--porcelain")
    assert status.stdout == "?? new.txt\n"


async def test_fork_goes_its_own_way(house: House) -> None:
    project_id = await house.ground.project()
    task_id = await house.ground.task(project_id)
    for number in (1, 2, 3):
        await house.step(project_id, task_id, number)
    second = (await house.listed(project_id))[1]
    forked = await house.fork(project_id, second.checkpoint_id)
    assert [item.title for item in await house.listed(forked)] == ["Step 1", "Step 2"]
    said, memory = await house.ground.conversations.recall(forked)
    assert (len(said), memory.phase) == (4, "step 2")
    fork, origin = await house.open(forked), await house.open(project_id)
    assert (await _files(fork))["main.py"] == b"print(2)\n"
    await fork.write_file("main.py", b"print('fork')\n")
    first = (await house.listed(forked))[0]
    await house.checkpoints.restore(house.named(forked), first.checkpoint_id)
    assert (await _files(fork))["main.py"] == b"print(1)\n"
    assert (await _files(origin))["main.py"] == b"print(3)\n"
    assert len(await house.listed(project_id)) == 3
    # The copy outlives its origin.
    async with house.ground.database.write() as session:
        await remove_project(session, project_id)
    assert len((await house.ground.conversations.recall(forked))[0]) == 3
    assert await house.listed(project_id) == []


async def test_work_as_it_is_is_forked_and_kept_under_a_name(house: House) -> None:
    project_id = await house.ground.project()
    sandbox = await house.open(project_id)
    await sandbox.write_file("only.txt", b"never committed")
    made = await house.checkpoints.make(house.named(project_id), "  My\nname ")
    assert made.title == "My name"
    wanted = ChangeCheckpoint(is_bookmarked=True)
    await house.checkpoints.change(house.named(project_id), made.checkpoint_id, wanted)
    await sandbox.write_file("only.txt", b"changed since")
    forked = await house.fork(project_id, None)
    assert await _files(await house.open(forked)) == {"only.txt": b"changed since"}
    marked = await house.checkpoints.page(project_id, None, 10, is_bookmarked=True)
    assert [item.checkpoint_id for item in marked.items] == [made.checkpoint_id]


async def test_what_is_not_there_is_said(house: House) -> None:
    project_id, other = await house.ground.project(), await house.ground.project()
    task_id = await house.ground.task(project_id)
    await house.step(project_id, task_id, 1)
    (first,) = await house.listed(project_id)
    with pytest.raises(CheckpointNotFound):
        await house.checkpoints.restore(house.named(other), first.checkpoint_id)
    sandbox = await house.open(project_id)
    await run(sandbox, "rm", "-rf", ".git")
    await sandbox.write_file("precious.txt", b"only here")
    with pytest.raises(CommitMissing):
        await house.checkpoints.restore(house.named(project_id), first.checkpoint_id)
    assert (await _files(sandbox))["precious.txt"] == b"only here"
