"""The project's workspace: files and git, all of it inside the sandbox."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from diono.agents.blueprints import Blueprint, ServiceRecipe
from diono.agents.errors import WorkspaceBroken
from diono.agents.meter import Run
from diono.agents.port import JsonObject
from diono.kernel.events import EventType
from diono.sandbox.port import ExecRequest, ExecResult, Sandbox, ServiceSpec, ServiceStatus

SERVICE = "app"
_GIT = ("git", "-c", "user.name=Diono", "-c", "user.email=diono@localhost", "-c", "core.hooksPath=")
_PYTHON_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}


async def execute(sandbox: Sandbox, *argv: str, seconds: float = 60) -> ExecResult:
    request = ExecRequest(argv=argv, timeout_seconds=seconds, env=_PYTHON_ENVIRONMENT)
    return await sandbox.execute(request)


async def run_tool(sandbox: Sandbox, source: str, task: Any, seconds: float = 60) -> Any:
    """Run a checking program on a JSON task and return its JSON answer. Raises ToolFailed as a
    ValueError with the reason if it gave none."""
    request = ExecRequest(
        argv=("python3", "-c", source),
        stdin=json.dumps(task).encode(),
        timeout_seconds=seconds,
        output_limit_bytes=1_000_000,
        env=_PYTHON_ENVIRONMENT,
    )
    done = await sandbox.execute(request)
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        tail = (done.stderr.strip().splitlines() or [done.reason.value])[-1]
        raise ValueError(tail[:300]) from error


async def _git(sandbox: Sandbox, *arguments: str) -> str:
    done = await execute(sandbox, *_GIT, *arguments)
    if not done.is_success:
        detail = (done.stderr or done.stdout or done.reason.value).strip()[-300:]
        raise WorkspaceBroken(f"git {arguments[0]} failed in the sandbox: {detail}")
    return done.stdout.strip()


async def commit(sandbox: Sandbox, message: str) -> str:
    """Commit everything; without changes nothing happens. Returns the head either way."""
    await _git(sandbox, "init", "-q")
    await _git(sandbox, "add", "-A")
    status = await _git(sandbox, "status", "--porcelain")
    has_head = (await execute(sandbox, *_GIT, "rev-parse", "-q", "--verify", "HEAD")).is_success
    if status or not has_head:
        await _git(sandbox, "commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", message)
    return await _git(sandbox, "rev-parse", "HEAD")


def service_spec(recipe: ServiceRecipe) -> ServiceSpec:
    return ServiceSpec(
        name=SERVICE,
        argv=recipe.argv,
        port=recipe.port,
        env=_PYTHON_ENVIRONMENT,
        # A busy machine takes its time; a program that crashes is told at once.
        start_timeout_seconds=60,
    )


async def ensure_service(sandbox: Sandbox, recipe: ServiceRecipe) -> ServiceStatus:
    """Start the service unless it is healthy already."""
    return await sandbox.start_service(service_spec(recipe))


class Workspace:
    """Recorded changes of the workspace. One step a change: written, committed, announced."""

    def __init__(self, run: Run, blueprint: Blueprint) -> None:
        self._run = run
        self.blueprint = blueprint
        self.files: dict[str, str] = {}
        self.head = ""
        self._contents: dict[str, bytes] = {}
        self.is_serving = False

    async def write(self, title: str, files: Mapping[str, bytes]) -> None:
        """Write files, restart the service if it runs them, and commit."""
        digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
        if all(self.files.get(path) == digest for path, digest in digests.items()):
            return
        stage = self._run.stage
        recipe = self.blueprint.facts.service

        async def action() -> JsonObject:
            sandbox = await stage.sandbox()
            await sandbox.write_files(files)
            head = await commit(sandbox, title)
            for path, content in files.items():
                await stage.save_file(path, content)
            return {"commit": head}

        result = await self._run.step(f"write {title}", action, is_alone=True)
        self.head = str(result["commit"])
        self._contents.update(files)
        for path, content in files.items():
            if self.files.get(path) == digests[path]:
                continue
            self.files[path] = digests[path]
            await self._run.say(
                EventType.FILE,
                path=path,
                size=len(content),
                sha256=digests[path],
                action="written",
                commit=self.head,
            )
        await stage.checkpoint(title, self.head)
        if recipe is not None and self.is_serving and any(_is_served(path) for path in files):
            await self.serve(restart=self.blueprint.facts.language == "python")

    async def serve(self, restart: bool = False) -> str:
        """Start (or restart) the service and announce the preview. Returns what went wrong."""
        recipe = self.blueprint.facts.service
        if recipe is None:
            return ""
        stage = self._run.stage

        async def action() -> JsonObject:
            sandbox = await stage.sandbox()
            if restart and self.is_serving:
                await sandbox.stop_service(SERVICE)
            status = await ensure_service(sandbox, recipe)
            return {"is_healthy": status.is_healthy, "log": status.log_tail[-600:]}

        name = "restart service" if restart else "start service"
        result = await self._run.step(name, action, is_alone=True)
        self.is_serving = bool(result["is_healthy"])
        await self._run.say(
            EventType.PREVIEW,
            port=recipe.port,
            title=self.blueprint.facts.title,
            state="running" if self.is_serving else "stopped",
            service=service_spec(recipe).model_dump(mode="json"),
        )
        return "" if self.is_serving else (str(result["log"]) or "the service did not start")

    def text_of(self, path: str) -> str:
        """Return a file that was written here; empty if it was not."""
        return self._contents.get(path, b"").decode("utf-8", "replace")

    def snapshot(self) -> Mapping[str, bytes]:
        """Return the files as they are, to come back to."""
        return dict(self._contents)

    async def roll_back(self, snapshot: Mapping[str, bytes], why: str) -> None:
        """Bring the files of a snapshot back, as a new commit; nothing of the history is lost."""
        added = sorted(self._contents.keys() - snapshot.keys())
        if added:
            await self._remove(added)
        for path in added:
            del self._contents[path], self.files[path]
            await self._run.say(EventType.FILE, path=path, size=0, action="removed")
        changed = {
            path: content for path, content in snapshot.items() if self._contents[path] != content
        }
        await self._run.log(f"Rolled back: {why}", "warning")
        await self.write(f"back to the last green state: {why}", changed)

    async def _remove(self, paths: Sequence[str]) -> None:
        stage = self._run.stage

        async def action() -> JsonObject:
            sandbox = await stage.sandbox()
            there = {entry.path for entry in await sandbox.list_files()}
            for path in paths:
                if path in there:
                    await sandbox.remove(path)
            return {}

        await self._run.step("take added files away", action, is_alone=True)


def _is_served(path: str) -> bool:
    return not path.endswith((".md", ".json")) and not path.startswith("tests/")
