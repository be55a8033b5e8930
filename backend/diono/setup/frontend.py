"""The dashboard's build: API description, packages by lock, then the bundler."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from diono.setup.commands import run_command
from diono.setup.errors import CommandFailed, OfflineMissing
from diono.setup.node import Node, ensure_node
from diono.setup.python_environment import Checkout
from diono.setup.stamps import digest_of

_STEP = "frontend"
_PACKAGES_STEP = "frontend-packages"
_MADE = {"node_modules", "dist", "openapi.json", "schema.d.ts", "coverage", "test-results"}

Say = Callable[[str], None]


def is_built(checkout: Checkout) -> bool:
    index = checkout.root / "frontend" / "dist" / "index.html"
    return index.is_file() and checkout.stamps.is_current(_STEP, _sources_key(checkout))


def ensure_frontend(checkout: Checkout, say: Say, *, is_offline: bool) -> str:
    """Build the dashboard if its sources changed, and return a note.

    Raises SetupFailed and its kinds.
    """
    with checkout.stamps.locked(_STEP):
        if is_built(checkout):
            return "as built before"
        key = _sources_key(checkout)
        node = ensure_packages(checkout, say, is_offline=is_offline)
        say("building")
        _npm(checkout, node, say, "run", "build")
        checkout.stamps.set(_STEP, key)
        return f"built with Node.js {node.version}"


def ensure_packages(checkout: Checkout, say: Say, *, is_offline: bool) -> Node:
    """Install the front end's packages by its lock and export the API it is typed against."""
    folder = checkout.root / "frontend"
    node = ensure_node(checkout, say, is_offline=is_offline)
    key = digest_of(folder, [folder / "package-lock.json"], node.version.split(".")[0])
    is_there = (folder / "node_modules" / ".package-lock.json").is_file()
    if not (is_there and checkout.stamps.is_current(_PACKAGES_STEP, key)):
        checkout.stamps.clear(_PACKAGES_STEP)
        say("installing its packages")
        options = ["ci", "--no-audit", "--no-fund"]
        if is_offline:
            options.append("--offline")
        try:
            _npm(checkout, node, say, *options)
        except CommandFailed as error:
            if is_offline:
                raise OfflineMissing(
                    "the dashboard's packages are not all here and --offline forbids fetching "
                    f"them: run once without --offline.\n{error.detail}"
                ) from error
            raise
        checkout.stamps.set(_PACKAGES_STEP, key)
    say("exporting the API's description")
    export = [
        sys.executable,
        "-P",
        "-m",
        "diono.cli",
        "openapi",
        "--out",
        str(folder / "openapi.json"),
    ]
    run_command(export, log=checkout.log)
    return node


def _npm(checkout: Checkout, node: Node, say: Say, *arguments: str) -> None:
    # A log of its own: it runs side by side with the other steps.
    log = checkout.log.with_name("frontend.log")
    run_command(node.npm(*arguments), log=log, cwd=checkout.root / "frontend", on_line=say)


def _sources_key(checkout: Checkout) -> str:
    folder = checkout.root / "frontend"
    return digest_of(folder, _sources(folder))


def _sources(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name in _MADE or entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _sources(entry)
        elif entry.suffix not in {".md", ".log"} and ".test." not in entry.name:
            yield entry
