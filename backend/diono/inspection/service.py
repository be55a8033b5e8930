"""The artifact processor: what a task's files are, how good, and what is dangerous in them.

The files are read out of their sandbox as data and held against analysers in another one, which
has no network, runs nothing of theirs, and ends right after.
"""

import asyncio
import base64
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from diono.inspection import naming
from diono.inspection.answers import Analysed
from diono.inspection.gathering import Gathered, InspectionBroken, bounded, gather
from diono.inspection.models import Inspection, not_examined
from diono.inspection.packages import Ecosystem, Known, unsure
from diono.inspection.reporting import report
from diono.inspection.scoring import Proof
from diono.kernel.errors import DionoError
from diono.sandbox.errors import TemplateBuilding, TemplateMissing
from diono.sandbox.port import ExecRequest, Limits, Sandbox, Sandboxes, SandboxSpec

TEMPLATE = "inspection"
ANALYSE_SECONDS = 20.0
LOOKUP_SECONDS = 8.0
_OUTPUT_BYTES = 2_000_000
_LIMITS = Limits(cpus=2.0, memory_mb=768, pids=128, disk_mb=64)
_GUEST = Path(__file__).parent / "guest"
# Its own programs come with the files, in one call; they are put beside each other and started.
_BOOT = """
import io, json, os, sys
order = json.load(sys.stdin)
os.makedirs("/work/program", exist_ok=True)
for name, text in order.pop("programs").items():
    with open(f"/work/program/{name}", "w", encoding="utf-8") as file:
        file.write(text)
sys.stdin = io.StringIO(json.dumps(order))
sys.path.insert(0, "/work/program")
import main
main.main()
"""
_ROLES = {
    "pyproject.toml": "pyproject", "package.json": "package-json",
    "package-lock.json": "package-lock", "__init__.py": "package",
}  # fmt: skip


class Inspector:
    """Examines files in sandboxes of ``sandboxes``; those are opened for it and ended by it."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = sandboxes

    async def of_workspace(
        self, workspace: Sandbox, owner: str, project: str, proof: Proof
    ) -> Inspection:
        """Examine the files of a live sandbox. ``project`` names the sandbox of the analysers."""
        started = time.monotonic()
        try:
            found = await self._examined(await gather(workspace), owner, project, proof)
        except DionoError as error:
            found = not_examined(_sentence(error))
        return _timed(found, started)

    async def of_files(
        self, files: Mapping[str, bytes], owner: str, project: str, proof: Proof
    ) -> Inspection:
        """Examine files that were kept."""
        started = time.monotonic()
        try:
            found = await self._examined(bounded(files), owner, project, proof)
        except DionoError as error:
            found = not_examined(_sentence(error))
        return _timed(found, started)

    async def _examined(
        self, gathered: Gathered, owner: str, project: str, proof: Proof
    ) -> Inspection:
        if not gathered.files:
            return not_examined("There are no files.")
        spec = SandboxSpec(
            owner=owner,
            project=project,
            template=TEMPLATE,
            limits=_LIMITS,
            max_age_seconds=60,
            is_disposable=True,
        )
        side = await self._sandboxes.open(spec)
        try:
            order = [one for one in gathered.files if naming.kind_of(one) != "binary"]
            analysed = await _analyse(side, order, gathered.files)
            known = await _known(side, unsure(order, gathered, analysed))
        finally:
            await self._sandboxes.kill(owner, project)
        return report(order, gathered, analysed, proof, known)


async def _analyse(side: Sandbox, order: Sequence[str], files: Mapping[str, bytes]) -> Analysed:
    programs = {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(_GUEST.glob("*.py"))
        if path.name not in ("__init__.py", "gather.py")
    }
    local = {part.removesuffix(".py") for path in files for part in path.split("/")}
    message = {
        "programs": programs,
        "local": sorted(local),
        "files": [
            {
                "index": index,
                "suffix": naming.suffix_of(path),
                "kind": naming.kind_of(path),
                "role": _role_of(path),
                "data": base64.b64encode(files[path]).decode("ascii"),
            }
            for index, path in enumerate(order)
        ],
    }
    request = ExecRequest(
        argv=("/usr/bin/python3", "-I", "-c", _BOOT),
        stdin=json.dumps(message).encode(),
        timeout_seconds=ANALYSE_SECONDS,
        output_limit_bytes=_OUTPUT_BYTES,
    )
    done = await side.execute(request)
    if not done.is_success or done.is_truncated:
        raise InspectionBroken(
            f"The analysers ended with {done.reason.value} and no whole answer; the files may be "
            "made to break them."
        )
    try:
        return Analysed.model_validate_json(done.stdout)
    except ValidationError as error:
        raise InspectionBroken("The analysers gave no usable answer.") from error


async def _known(side: Sandbox, names: Mapping[Ecosystem, Sequence[str]]) -> Known:
    """Ask the registries about packages that are not installed; without an answer: nothing."""
    found: dict[tuple[Ecosystem, str], bool] = {}
    for ecosystem, asked in names.items():
        manager: Literal["pip", "npm"] = "npm" if ecosystem == "npm" else "pip"
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                answers = await side.known_packages(manager, asked, LOOKUP_SECONDS)
        except (DionoError, TimeoutError):
            continue
        found |= {(ecosystem, name): bool(answer) for name, answer in answers.items()}
    return found


def _role_of(path: str) -> str:
    name = path.rpartition("/")[2].lower()
    if name.startswith("requirements") and name.endswith((".txt", ".in")):
        return "requirements"
    return _ROLES.get(name, "")


def _sentence(error: DionoError) -> str:
    if isinstance(error, TemplateBuilding):
        return (
            "The analysers are still being set up on this machine. The next task is examined, or "
            "this one on demand: POST /api/tasks/{task_id}/inspection."
        )
    if isinstance(error, TemplateMissing):
        return "The sandbox service has no template with analysers."
    return error.detail


def _timed(found: Inspection, started: float) -> Inspection:
    return found.model_copy(update={"seconds": round(time.monotonic() - started, 2)})
