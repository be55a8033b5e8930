"""The workspace's git repository, worked on inside the sandbox as the tenant.

The scripts are fixed and take what varies as arguments. The repository and its settings are the
tenant's: no hook, filter program or signature of theirs is asked for, and what git prints is data.
"""

import re
from dataclasses import dataclass

from diono.kernel.errors import Conflict, Unavailable
from diono.sandbox.port import ExecRequest, ExecResult, Sandbox

BUNDLE = ".diono-fork.bundle"
BUNDLE_LIMIT_BYTES = 64 * 1024 * 1024
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SECONDS = 60.0
_MISSING = 44
_ANCESTORS = 5_000
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
}
# A lock left by a killed git would refuse every later one; nobody else works here meanwhile.
_PRELUDE = """set -eu
g() {
  git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c commit.gpgsign=false -c gc.auto=0 \
    -c user.name=Diono -c user.email=diono@localhost --no-pager "$@"
}
has() { g cat-file -e "$1^{commit}" 2>/dev/null || exit 44; }
save() {
  [ -e .git ] || g init -q
  rm -f .git/index.lock
  g add -A
  if ! g rev-parse -q --verify HEAD >/dev/null || ! g diff --cached --quiet HEAD --; then
    g commit -q --allow-empty --no-verify -m "$1"
    echo saved
  fi
}
"""
_SAVE = 'save "$1"; g rev-parse HEAD'
# Files that are ignored now but were kept in the old tree would be overwritten: they are saved too.
_RESTORE = """has "$1"
rm -f .git/index.lock
list=$(mktemp)
trap 'rm -f "$list"' EXIT
g ls-tree -r -z --name-only "$1" | xargs -0 -r printf './%s\\0' \
  | { GIT_LITERAL_PATHSPECS=0 g check-ignore -z --stdin || [ $? = 1 ]; } >"$list"
xargs -0 -r sh -c 'for f; do if [ -e "$f" ]; then printf "%s\\0" "$f"; fi; done' sh <"$list" \
  | xargs -0 -r git -c core.fsmonitor=false add -f --
save "$2"
g rev-parse HEAD
g read-tree -u --reset "$1"
g commit -q --allow-empty --no-verify -m "$3"
g rev-parse HEAD
g update-ref "refs/diono/kept/$1" "$1"
"""
_KEEP = 'has "$1"; g update-ref "refs/diono/kept/$1" "$1"'
_NUMBERS = 'has "$1"; has "$2"; g diff --no-ext-diff --no-textconv --no-renames --numstat "$1" "$2"'
_DIFF = 'has "$1"; has "$2"; g diff --no-color --no-ext-diff --no-textconv --no-renames "$1" "$2"'
# The files as they are, as a tree of their own: neither the index nor the history changes.
_TREE = """[ -e .git ] || exit 44
export GIT_INDEX_FILE=.git/diono-index
rm -f "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.lock"
if [ -e .git/index ]; then cp .git/index "$GIT_INDEX_FILE"; fi
g add -A
tree=$(g write-tree)
rm -f "$GIT_INDEX_FILE"
g commit-tree "$tree" -m "the files as they are"
"""
_BUNDLE = """has "$1"
g update-ref refs/diono/fork "$1"
g bundle create -q "$2" refs/diono/fork
g update-ref -d refs/diono/fork
g rev-list -n "$3" "$1"
"""
_UNBUNDLE = """[ -e .git ] || g init -q
g fetch -q "$1" refs/diono/fork
g reset -q --hard FETCH_HEAD
rm -f "$1"
"""


class CommitMissing(Conflict):
    """The commit is no longer in the workspace: its history was rewritten or removed there."""

    code = "commit_missing"


class RepositoryFailed(Unavailable):
    code = "repository_failed"


@dataclass(frozen=True)
class Restored:
    """``before`` is the commit with everything that was there; ``has_saved``: it was made now."""

    before: str
    after: str
    has_saved: bool


@dataclass(frozen=True)
class ChangedFile:
    """Lines added and removed; None for what is no text."""

    path: str
    added: int | None
    removed: int | None


class Repository:
    """All methods raise RepositoryFailed with git's own words if git gives up."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def save(self, message: str) -> tuple[str, bool]:
        """Commit everything; return (head, whether there was anything to commit)."""
        lines = (await self._run(_SAVE, message)).split()
        return _commit(lines[-1:]), "saved" in lines

    async def restore(self, commit: str, save_message: str, message: str) -> Restored:
        """Save what is there, then make a commit with the old tree on top. Files that git does
        not keep stay as they are. Raises CommitMissing."""
        lines = (await self._run(_RESTORE, commit, save_message, message)).split()
        has_saved = lines[:1] == ["saved"]
        return Restored(_commit(lines[-2:-1]), _commit(lines[-1:]), has_saved)

    async def keep(self, commit: str) -> None:
        """Protect a commit from git's clean-up. Raises CommitMissing."""
        await self._run(_KEEP, commit)

    async def current(self) -> str:
        """Return a commit of the files as they are that no branch names."""
        return _commit((await self._run(_TREE)).split()[-1:])

    async def changed(self, old: str, new: str) -> list[ChangedFile]:
        """Raises CommitMissing."""
        text = await self._run(_NUMBERS, old, new, limit_bytes=1_000_000)
        return [_changed(line) for line in text.splitlines() if line.count("\t") >= 2]

    async def diff(self, old: str, new: str, limit_bytes: int) -> tuple[str, bool]:
        """Return the unified difference and whether its middle was left out."""
        done = await self._done(_DIFF, (old, new), limit_bytes)
        return done.stdout, done.is_truncated

    async def bundle(self, commit: str) -> tuple[bytes, list[str]]:
        """Return the history up to a commit as a bundle, and its commits, newest first. Raises
        CommitMissing, FileTooLarge."""
        text = await self._run(_BUNDLE, commit, BUNDLE, str(_ANCESTORS), limit_bytes=1_000_000)
        content = await self._sandbox.read_file(BUNDLE, BUNDLE_LIMIT_BYTES)
        await self._sandbox.remove(BUNDLE)
        return content, [line for line in text.split() if COMMIT.fullmatch(line)]

    async def unbundle(self, content: bytes) -> None:
        """Give an empty workspace the history and the files of a bundle."""
        await self._sandbox.write_file(BUNDLE, content)
        await self._run(_UNBUNDLE, BUNDLE)

    async def _run(self, script: str, *arguments: str, limit_bytes: int = 64_000) -> str:
        return (await self._done(script, arguments, limit_bytes)).stdout

    async def _done(self, script: str, arguments: tuple[str, ...], limit_bytes: int) -> ExecResult:
        request = ExecRequest(
            argv=("sh", "-c", _PRELUDE + script, "diono-git", *arguments),
            env=_ENVIRONMENT,
            timeout_seconds=_SECONDS,
            output_limit_bytes=limit_bytes,
        )
        done = await self._sandbox.execute(request)
        if done.exit_code == _MISSING:
            raise CommitMissing(
                "That commit is no longer in the project's workspace: its git history was "
                "rewritten or removed there. Choose another checkpoint."
            )
        if not done.is_success:
            detail = (done.stderr or done.stdout or done.reason.value).strip()[-300:]
            raise RepositoryFailed(f"git failed in the sandbox: {detail}")
        return done


def _commit(lines: list[str]) -> str:
    if not lines or not COMMIT.fullmatch(lines[0]):
        raise RepositoryFailed("git in the sandbox did not answer with a commit.")
    return lines[0]


def _changed(line: str) -> ChangedFile:
    added, removed, path = line.split("\t", 2)
    return ChangedFile(path, _number(added), _number(removed))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
