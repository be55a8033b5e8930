"""The project's git history from the agent's side: keep what changed, bring a commit back.

One program a call, run in the sandbox. Nothing of the history is ever lost by these functions: a
restored state is a new commit.
"""

from pydantic import BaseModel, ConfigDict, ValidationError

from diono.agents.errors import WorkspaceBroken
from diono.agents.port import JsonObject
from diono.agents.shapes import dict_of
from diono.agents.workspace import run_tool
from diono.sandbox.port import Sandbox

_SECONDS = 60.0
_CHANGES_LIMIT = 100
_EXCLUDED = ("__pycache__/", "*.pyc", ".pytest_cache/", ".packages/", "node_modules/", ".diono-*")
_PROGRAM = r"""
import hashlib, json, os, subprocess, sys
task = json.load(sys.stdin)
GIT = ["git", "-c", "user.name=Diono", "-c", "user.email=diono@localhost", "-c",
       "core.hooksPath=", "-c", "commit.gpgsign=false", "-c", "core.quotePath=false"]
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
def git(*words, check=True):
    done = subprocess.run([*GIT, *words], capture_output=True, text=True, errors="replace")
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip()[-300:]
        print(json.dumps({"problem": f"git {words[0]}: {said}"}))
        sys.exit()
    return done.stdout
def head():
    return git("rev-parse", "-q", "--verify", "HEAD", check=False).strip()
def changes(base):
    raw = git("diff", "--cached", "--name-status", "--no-renames", "-z", base).split("\0")
    return list(zip(raw[0::2], raw[1::2]))
if not os.path.exists(".git/HEAD"):
    git("init", "-q")
os.makedirs(".git/info", exist_ok=True)
with open(".git/info/exclude", "a+") as file:
    file.seek(0)
    known = file.read().splitlines()
    file.writelines(line + "\n" for line in task["excluded"] if line not in known)
if task.get("restore"):
    git("add", "-A")
    git("read-tree", "--reset", "-u", task["restore"])
else:
    git("add", "-A")
before = head()
found = changes(before or EMPTY)
deleted = [path for status, path in found if status == "D"]
if len(deleted) > task["deletions"]:
    if task.get("undelete"):
        git("reset", "-q")
        git("checkout", "-q", "HEAD", "--", *deleted)
        git("add", "-A")
        found = changes(before or EMPTY)
    else:
        git("reset", "-q")
        print(json.dumps({"commit": before, "deleted": deleted[:50]}))
        sys.exit()
if found or not before:
    git("commit", "-q", "--allow-empty", "-m", task["message"])
listed = []
for status, path in found[:task["limit"]]:
    one = {"path": path, "action": "removed" if status == "D" else "written", "size": 0}
    if status != "D" and os.path.isfile(path) and not os.path.islink(path):
        with open(path, "rb") as file:
            content = file.read(50_000_000)
        one.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    listed.append(one)
print(json.dumps({"commit": head(), "before": before, "changes": listed}))
"""


class FileChange(BaseModel):
    model_config = ConfigDict(frozen=True)

    path: str
    action: str
    size: int = 0
    sha256: str = ""


class Kept(BaseModel):
    """What a commit took up. ``deleted`` is not empty if so many files were gone that nothing was
    committed: decide, then call again."""

    model_config = ConfigDict(frozen=True)

    commit: str = ""
    before: str = ""
    changes: tuple[FileChange, ...] = ()
    deleted: tuple[str, ...] = ()


async def keep(
    sandbox: Sandbox, message: str, deletions: int = 1_000_000, is_undeleting: bool = False
) -> Kept:
    """Commit everything that changed. More than ``deletions`` files deleted: commit nothing, or,
    with ``is_undeleting``, bring those back first. Raises WorkspaceBroken."""
    task = {"message": message, "deletions": deletions, "undelete": is_undeleting}
    return await _run(sandbox, task)


async def restore(sandbox: Sandbox, commit: str, message: str) -> Kept:
    """Make the files as they were at a commit, as a new commit. What was not committed before is
    gone from the files, so ``keep`` first. Raises WorkspaceBroken."""
    return await _run(sandbox, {"message": message, "deletions": 1_000_000, "restore": commit})


async def _run(sandbox: Sandbox, task: JsonObject) -> Kept:
    fixed = {"excluded": list(_EXCLUDED), "limit": _CHANGES_LIMIT}
    try:
        raw = await run_tool(sandbox, _PROGRAM, {**fixed, **task}, _SECONDS)
        values = dict_of(raw)
        if "commit" in values:
            return Kept.model_validate(values)
        detail = str(values.get("problem", "nothing was answered"))[:300]
    except (ValueError, ValidationError) as error:
        detail = str(error)[:300]
    raise WorkspaceBroken(f"The project's history could not be written: {detail}")
