"""Built apps without a server: one sandbox for each, results kept in a file as they come."""

import json
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diono.agents.port import Receipt
from diono.agents.runner import Kind, Work
from diono.agents.runners.registry import Runners
from diono.agents.runners.resources import Resources
from diono.agents.workspace import commit, execute
from diono.cli.bench_solve_stage import BenchStage, PlainSteps
from diono.cli.outcome import UsageError
from diono.kernel.events import EventDraft, EventType
from diono.llm.catalog import BoundModel
from diono.llm.fit.measure import measure
from diono.llm.fit.report import ModelFit
from diono.sandbox.port import Limits, Sandbox, SandboxSpec
from diono.settings import REPOSITORY, Settings

JsonObject = dict[str, Any]
TASK_SECONDS = 900.0
"""What a task gets in the product, unless its user says otherwise."""
_OWNER = "bench"
_DISK_MB = 128
_IDLE_SECONDS = 3600
_FILE_LIMIT_BYTES = 500_000


class Results:
    """JSON lines of one run: a row by its kind and name. Rows of other runs are refused."""

    def __init__(self, file: Path | None, label: str) -> None:
        """Raises UsageError."""
        self._file = file
        self._label = label
        self._rows: dict[tuple[str, str], JsonObject] = {}
        if file is None or not file.exists():
            return
        try:
            rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
            if any(row["run"] != label for row in rows):
                raise UsageError(f"{file} holds results of another model. Name a new file.")
            self._rows = {(str(row["kind"]), str(row["name"])): row for row in rows}
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(
                f"{file} holds no results of this command. Name a new file."
            ) from error

    def get(self, kind: str, name: str) -> JsonObject | None:
        return self._rows.get((kind, name))

    def put(self, kind: str, name: str, row: JsonObject) -> JsonObject:
        row = {"run": self._label, "kind": kind, "name": name, **row}
        self._rows[kind, name] = row
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as sink:
                sink.write(json.dumps(row) + "\n")
        return row


@dataclass
class AppStage(BenchStage):
    """The stage of one task on one app. Satisfies agents.port.Stage."""

    project: str = ""
    began_at: float = field(default_factory=time.monotonic)

    async def sandbox(self) -> Sandbox:
        return await self.sandboxes.open(
            SandboxSpec(
                owner=_OWNER,
                project=self.project,
                limits=Limits(disk_mb=_DISK_MB),
                idle_seconds=_IDLE_SECONDS,
                is_kept=True,
                is_disposable=True,
            )
        )

    async def emit(self, draft: EventDraft) -> None:
        if draft.event_type is EventType.LOG:
            print(f"    {draft.payload.get('text', '')}"[:160], file=sys.stderr, flush=True)

    def seconds_left(self) -> float:
        return TASK_SECONDS - (time.monotonic() - self.began_at)


@dataclass(frozen=True)
class Workshop:
    """Where apps are built and changed, one after the other."""

    stage: BenchStage
    resources: Resources

    @asynccontextmanager
    async def app(self, project: str) -> AsyncGenerator[Sandbox]:
        """A sandbox for one app, removed afterwards."""
        try:
            yield await self._stage(project).sandbox()
        finally:
            await self.stage.sandboxes.kill(_OWNER, project)

    def _stage(self, project: str) -> AppStage:
        stage = self.stage
        return AppStage(stage.model, stage.fit, stage.steps, stage.sandboxes, project)

    async def do(self, project: str, kind: Kind, runner: str, prompt: str) -> Receipt:
        """Run one task in the app's sandbox, as the product does."""
        work = Work(task_id=project, project_id=project, kind=kind, prompt=prompt)
        return await Runners(self.resources).of(runner).start(work, self._stage(project))


async def open_workshop(stage: BenchStage, settings: Settings, results: Results) -> Workshop:
    """Use the model as its probes say: measured once in a run, then taken from its results."""
    row = results.get("fit", stage.model.name)
    if row is None and isinstance(stage.model, BoundModel):
        fit = ModelFit.assumed(stage.model.claims, stage.model.name)
        if stage.model.claims.is_measurable:
            print("measuring the model ...", file=sys.stderr, flush=True)
            fit = await measure(stage.model.fitted(None), stage.model.name)
        row = results.put("fit", stage.model.name, {"fit": fit.model_dump(mode="json")})
    if row is not None and isinstance(stage.model, BoundModel):
        stage.fit = ModelFit.model_validate(row["fit"])
        stage.model.adopt(stage.fit)
    stage.steps = PlainSteps()
    resources = Resources(
        blueprints=REPOSITORY / "workspace" / "blueprints",
        roles=settings.roles_dir,
        workflows=settings.workflows_dir,
    )
    return Workshop(stage, resources)


async def files_of(sandbox: Sandbox) -> dict[str, str]:
    """Return every text file of an app, without its history and its data."""
    listed = await execute(sandbox, "git", "-c", "core.quotePath=off", "ls-files")
    found: dict[str, str] = {}
    for path in listed.stdout.splitlines():
        content = await sandbox.read_file(path, _FILE_LIMIT_BYTES)
        found[path] = content.decode(errors="replace")
    return found


async def lay_out(sandbox: Sandbox, files: Mapping[str, str]) -> str:
    """Put an app's files into an empty sandbox; return its commit."""
    await sandbox.write_files({path: text.encode() for path, text in files.items()})
    return await commit(sandbox, "The app as it was built")


async def tree_of(sandbox: Sandbox) -> str:
    """Return the tree of the files as they are, committed or not."""
    await execute(sandbox, "git", "add", "-A")
    return (await execute(sandbox, "git", "write-tree")).stdout.strip()
