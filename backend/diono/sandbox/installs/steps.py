"""Installing in a sandbox: fetch outside it, then run the package manager inside, offline."""

import json
import shlex
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, cast

from diono.sandbox.errors import FileMissing
from diono.sandbox.installs.orders import FetchOrder, FetchResult, Manager, check
from diono.sandbox.port import ExecRequest, ExecResult, ExitReason
from diono.sandbox.shared_packages import CACHE_FOLDER, WHEELS_FOLDER

Fetch = Callable[[FetchOrder], Awaitable[FetchResult]]

_MANIFEST_LIMIT_BYTES = 4_000_000
_MANIFESTS: Mapping[Manager, Sequence[str]] = {
    "pip": ("requirements.txt",),
    "uv": ("requirements.txt",),
    "npm": ("package.json", "package-lock.json"),
}
_QUIET = ("--isolated", "--no-input", "--disable-pip-version-check", "--progress-bar", "off")
_PIP = ("python3", "-I", "-m", "pip", "install", "--no-cache-dir", *_QUIET)
_UV = (
    *("uv", "pip", "install", "--offline", "--no-cache", "--no-config", "--no-progress"),
    *("--python", "/usr/bin/python3"),
)
_OFFLINE = ("--no-index", "--find-links", WHEELS_FOLDER, "--only-binary", ":all:")
# What is unpacked must neither fill the small /tmp nor be copied from there.
_WITH_ROOM = (
    'export TMPDIR=/work/.packages/.tmp; mkdir -p "$TMPDIR" || exit 1\n'
    "trap 'rm -rf \"$TMPDIR\"' EXIT\n"
)
_TARGET = ("--target", "/work/.packages", "--upgrade")

# A tenth of the time that pip needs to say the same.
_IS_INSTALLED = """
import sys
from importlib.metadata import version
from pip._vendor.packaging.requirements import Requirement
for text in sys.argv[1:]:
    wanted = Requirement(text)
    if wanted.extras or not wanted.specifier.contains(version(wanted.name), prereleases=True):
        sys.exit(1)
    print("already installed:", text)
"""


class Place(Protocol):
    """What of ``port.Sandbox`` an installation needs."""

    async def execute(self, request: ExecRequest) -> ExecResult: ...

    async def read_file(self, path: str, limit_bytes: int = 1_000_000) -> bytes: ...

    async def write_file(self, path: str, content: bytes, mode: int = 0o644) -> None: ...


async def install(
    sandbox: Place,
    fetch: Fetch,
    order: FetchOrder,
    folder: str = ".",
) -> ExecResult:
    """Install ``order`` into the sandbox; without packages: what the manifests in ``folder`` name.

    Python packages go to /work/.packages, npm's to ``folder``/node_modules. A package that is
    not there is a failed result. Raises RequirementRefused, InvalidInput; TemplateMissing,
    EngineMissing, QuotaReached of the fetching side; what the sandbox raises.
    """
    started = time.monotonic()
    if order.manager == "npm" or not order.packages:
        order = order.model_copy(update={"manifest": await _manifests(sandbox, order, folder)})
    plan = check(order)
    if plan.manager == "pip":
        done = await _probe(sandbox, plan.packages, order.timeout_seconds)
        if done.is_success or done.reason is not ExitReason.EXITED:
            return done
    result = await fetch(order)
    if not result.is_ready:
        seconds = time.monotonic() - started
        return ExecResult(
            reason=ExitReason.EXITED,
            exit_code=1,
            stdout="",
            stderr=result.output or "the packages could not be fetched",
            seconds=seconds,
        )
    if order.manager == "npm":
        return await _unpack(sandbox, order, result, folder)
    return await sandbox.execute(
        ExecRequest(
            argv=_python_argv(order.manager, result.packages),
            env={"PYTHONPATH": ""},
            timeout_seconds=order.timeout_seconds,
        )
    )


def _python_argv(manager: Manager, packages: Sequence[str]) -> tuple[str, ...]:
    """Without uv in the image, its order is pip's to carry out."""
    pip = shlex.join((*_PIP, "--no-compile", *_OFFLINE, *_TARGET, "--"))
    line = f'{pip} "$@"'
    if manager == "uv":
        uv = shlex.join((*_UV, *_OFFLINE, *_TARGET, "--"))
        line = f'if command -v uv >/dev/null; then {uv} "$@"; else {line}; fi'
    return ("/bin/sh", "-c", _WITH_ROOM + line, "install", *packages)


async def _probe(sandbox: Place, names: Sequence[str], seconds: float) -> ExecResult:
    """Ask whether all is installed already: the image has much, and asking needs no network."""
    argv = ("python3", "-c", _IS_INSTALLED, *names)
    return await sandbox.execute(ExecRequest(argv=argv, timeout_seconds=seconds))


async def _manifests(sandbox: Place, order: FetchOrder, folder: str) -> dict[str, str]:
    found = dict(order.manifest)
    for name in _MANIFESTS[order.manager]:
        if name not in found:
            try:
                content = await sandbox.read_file(f"{folder}/{name}", _MANIFEST_LIMIT_BYTES)
            except FileMissing:
                continue
            found[name] = content.decode("utf-8", "replace")
    return found


async def _unpack(
    sandbox: Place, order: FetchOrder, result: FetchResult, folder: str
) -> ExecResult:
    script = 'rm -rf node_modules && exec tar -xf "$0"'
    done = await sandbox.execute(
        ExecRequest(
            argv=("/bin/sh", "-c", script, f"{CACHE_FOLDER}/{result.archive}"),
            cwd=folder,
            timeout_seconds=order.timeout_seconds,
        )
    )
    if done.is_success and order.packages and "package.json" in order.manifest:
        manifest = cast("dict[str, object]", json.loads(order.manifest["package.json"]))
        manifest["dependencies"] = dict(result.dependencies)
        text = json.dumps(manifest, indent=2, ensure_ascii=False)
        await sandbox.write_file(f"{folder}/package.json", text.encode() + b"\n")
    return done
