"""sandbox.git of the official SDKs, without any remote host."""

import pytest
from contract.e2b.uniform import Uniform

pytestmark = [
    pytest.mark.engine,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


async def commit_file(sandbox: Uniform, name: str) -> None:
    await sandbox.files.write(f"repo/{name}", name)
    await sandbox.git.add("repo", files=[name])
    await sandbox.git.commit("repo", f"Add {name}", author_name="A", author_email="a@example.org")


async def test_a_repository_lives_its_life(sandbox: Uniform) -> None:
    git = sandbox.git
    await git.init("repo", initial_branch="main")
    await git.configure_user("A", "a@example.org")
    await git.set_config("core.abbrev", "12")
    assert await git.get_config("core.abbrev") == "12"
    await commit_file(sandbox, "one.txt")
    status = await git.status("repo")
    assert status.is_clean
    await sandbox.files.write("repo/two.txt", "2")
    status = await git.status("repo")
    assert [entry.name for entry in status.file_status] == ["two.txt"]
    await git.create_branch("repo", "feature")
    branches = await git.branches("repo")
    assert branches.current_branch == "feature"
    await git.checkout_branch("repo", "main")
    await git.delete_branch("repo", "feature", force=True)
    assert (await git.branches("repo")).branches == ["main"]


async def test_push_clone_and_pull_between_folders(sandbox: Uniform) -> None:
    git = sandbox.git
    await git.init("origin.git", bare=True, initial_branch="main")
    await git.init("repo", initial_branch="main")
    await git.remote_add("repo", "origin", "/home/user/origin.git")
    assert await git.remote_get("repo", "origin") == "/home/user/origin.git"
    await commit_file(sandbox, "one.txt")
    await git.push("repo", remote="origin", branch="main")
    await git.clone("/home/user/origin.git", path="copy")
    assert await sandbox.files.read("copy/one.txt") == "one.txt"
    await commit_file(sandbox, "two.txt")
    await git.push("repo", remote="origin", branch="main")
    await git.pull("copy", remote="origin", branch="main")
    assert await sandbox.files.read("copy/two.txt") == "two.txt"


async def test_reset_and_restore(sandbox: Uniform) -> None:
    git = sandbox.git
    await git.init("repo", initial_branch="main")
    await commit_file(sandbox, "one.txt")
    await sandbox.files.write("repo/one.txt", "changed")
    await git.restore("repo", paths=["one.txt"])
    assert await sandbox.files.read("repo/one.txt") == "one.txt"
    await sandbox.files.write("repo/one.txt", "changed")
    await git.reset("repo", mode="hard", target="HEAD")
    assert await sandbox.files.read("repo/one.txt") == "one.txt"
