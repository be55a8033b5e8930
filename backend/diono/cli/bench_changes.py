"""Changes built apps, each from how it was built, and looks whether any is left worse."""

import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from diono.agents.port import Check, Receipt
from diono.agents.saved_proof import rerun_proof, turned_red
from diono.agents.workspace import SERVICE, execute
from diono.cli import measure
from diono.cli.bench_requests import CheckedRequest, built_row, figures_of, known_answers
from diono.cli.bench_requests_program import Program, has_word
from diono.cli.bench_requests_stage import JsonObject, Results, Workshop, lay_out, tree_of
from diono.cli.bench_requests_web import api_of
from diono.cli.outcome import UsageError
from diono.kernel.errors import DionoError
from diono.sandbox.port import Sandbox

DEFAULT_LIST = Path(__file__).with_name("bench_changes.yaml")
CHANGED = "changed"


class Shows(BaseModel):
    """What can be seen from outside once a change is made; all that is given must hold.

    ``style`` is a pattern for the style sheets; ``calls`` are values and what one and the same
    command prints for each of them.
    """

    field: str = ""
    no_field: str = ""
    text: str = ""
    style: str = ""
    help: str = ""
    calls: dict[str, str] = Field(default_factory=dict)


class ChangeRequest(BaseModel):
    app: str
    prompt: str
    shows: Shows | None = None
    alters: bool = False


def load_changes(file: Path | None, apps: Sequence[CheckedRequest]) -> list[ChangeRequest]:
    """Raises UsageError if the list cannot be read or names an app that is not among ``apps``."""
    try:
        content = yaml.safe_load((file or DEFAULT_LIST).read_text(encoding="utf-8"))
        found = TypeAdapter(list[ChangeRequest]).validate_python(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise UsageError(f"{file} is not a YAML list of app and prompt: {error}") from error
    names = {one.name for one in apps}
    unknown = [one.app for one in found if one.app not in names]
    if unknown:
        raise UsageError(f"There is no request {unknown[0]!r}. There are: {', '.join(names)}.")
    return found


async def bench_changes(
    changes: Sequence[ChangeRequest],
    apps: Sequence[CheckedRequest],
    workshop: Workshop,
    results: Results,
) -> JsonObject:
    """Make each change that has no result yet, on the app of its name."""
    of_name = {one.name: one for one in apps}
    rows: list[JsonObject] = []
    for number, change in enumerate(changes, start=1):
        print(f"[{number}/{len(changes)}] {change.app}: {change.prompt}", file=sys.stderr)
        name = f"{change.app}: {change.prompt}"
        row = results.get(CHANGED, name)
        if row is None:
            trial = _Trial(change, of_name[change.app], workshop)
            built = await built_row(of_name[change.app], workshop, results)
            row = results.put(CHANGED, name, await trial.run(dict(built["files"]), number))
        told = f"{row['status']}, worse: {row['worse'] or 'no'}; {row['reason']}"
        print(f"    {told[:300]}", file=sys.stderr, flush=True)
        rows.append({"app": change.app, "prompt": change.prompt, **row})
    worse = sum(bool(row["worse"]) for row in rows)
    return {
        "machine": measure.machine(),
        "model": workshop.stage.model.name,
        "n": len(rows),
        "succeeded": sum(row["status"] == "SUCCEEDED" for row in rows),
        "worse": worse,
        "keeps_promise": not worse,
        "rows": [{key: value for key, value in row.items() if key != "run"} for row in rows],
    }


@dataclass(frozen=True)
class _State:
    """An app at one moment: its files, its own proof, and what is wrong by the known answers."""

    tree: str
    checks: list[Check]
    problem: str | None


class _Trial:
    def __init__(self, change: ChangeRequest, app: CheckedRequest, workshop: Workshop) -> None:
        self._change = change
        self._app = app
        self._workshop = workshop

    async def run(self, files: dict[str, str], number: int) -> JsonObject:
        project = f"change-{number}"
        async with self._workshop.app(project) as sandbox:
            await lay_out(sandbox, files)
            before = await self._state(sandbox)
            started = time.monotonic()
            receipt = await self._workshop.do(project, "change", "change", self._change.prompt)
            seconds = time.monotonic() - started
            await _clean(sandbox)
            after = await self._state(sandbox)
            shown = await self._shown(sandbox)
        passed = sum(one.passed is True for one in after.checks)
        return {
            **figures_of(receipt, seconds),
            "operations": receipt.details.get("operations", ""),
            "proof": f"{passed} of {len(after.checks)}",
            "retired": receipt.details.get("retired_checks", []),
            "known_before": before.problem,
            "known_after": after.problem,
            "worse": self._worse(before, after, receipt),
            "shown": shown,
        }

    async def _state(self, sandbox: Sandbox) -> _State:
        tree = await tree_of(sandbox)
        checks = await rerun_proof(sandbox, self._workshop.resources.catalog)
        problem = await known_answers(self._app.check, sandbox, self._workshop)
        await _clean(sandbox)
        return _State(tree, checks, problem)

    def _worse(self, before: _State, after: _State, receipt: Receipt) -> str:
        """Say what is worse than before; empty if nothing is."""
        if receipt.status != "SUCCEEDED" and after.tree != before.tree:
            return "the change failed, and the files are not as before"
        retired = receipt.details.get("retired_checks", [])
        kept = [one for one in before.checks if one.name not in retired]
        red = turned_red(kept, after.checks)
        if red:
            return f"{red[0].name}: {red[0].detail}"
        if before.problem == "" and after.problem and not self._change.alters:
            return f"known answers: {after.problem}"
        return ""

    async def _shown(self, sandbox: Sandbox) -> bool | None:
        """Say whether the change can be seen; None if that is not known beforehand."""
        shows = self._change.shows
        if shows is None:
            return None
        program = Program(sandbox, self._workshop.resources.catalog)
        seen = [await _sees_text(program, shows), await _sees_commands(program, shows)]
        if shows.field or shows.no_field:
            seen.append(await _sees_fields(program, shows))
        return all(seen)


async def _clean(sandbox: Sandbox) -> None:
    """Stop what runs and take away what is not in the repository: data, caches."""
    for name in (SERVICE, "stranger"):
        try:
            await sandbox.stop_service(name)
        except DionoError:
            continue
    await execute(sandbox, "git", "clean", "-fdxq")


async def _sees_text(program: Program, shows: Shows) -> bool:
    if shows.text:
        text = await program.read("index.html")
        if not text:
            await program.start()
            text = (await program.send("GET", "/"))["text"]
        if shows.text.lower() not in text.lower():
            return False
    paths = ("style.css", "index.html", "app/static/style.css", "app/templates/index.html")
    styles = "\n".join([await program.read(path) for path in paths]) if shows.style else ""
    return not shows.style or re.search(shows.style, styles) is not None


async def _sees_commands(program: Program, shows: Shows) -> bool:
    if shows.help and shows.help not in (await program.run("--help") or ""):
        return False
    if not shows.calls:
        return True
    for way in await program.ways(1):
        printed = [
            has_word(await program.run(*way.argv([value])), wanted)
            for value, wanted in shows.calls.items()
        ]
        if all(printed):
            return True
    return False


async def _sees_fields(program: Program, shows: Shows) -> bool:
    problem = await program.start()
    api = None if problem else await api_of(program)
    if api is None:
        return False
    is_there = not shows.field or shows.field in api.fields
    return is_there and shows.no_field not in api.fields


def changes_table(result: JsonObject) -> str:
    """Return the rows as Markdown, and how many apps are worse."""
    lines = [
        f"`diono bench changes`, n = {result['n']}, {result['model']}; {result['machine']}",
        "",
        "| app | change | status | seen from outside | proof afterwards | worse | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    marks = {True: "yes", False: "no", None: "-"}
    lines += [
        f"| {row['app']} | {row['prompt']} | {row['status']} | {marks[row['shown']]} | "
        f"{row['proof']} | {'yes' if row['worse'] else 'no'} | {row['seconds']:.0f} |"
        for row in result["rows"]
    ]
    lines += [
        "",
        (
            f"SUCCEEDED: {result['succeeded']} of {result['n']}; worse than before: "
            f"{result['worse']} (promised: none)."
        ),
        "",
    ]
    lines += [
        f"- {row['app']}, {row['prompt']}: {row['worse'] or row['reason']}"
        for row in result["rows"]
        if row["worse"] or row["reason"]
    ]
    return "\n".join(lines).rstrip()
