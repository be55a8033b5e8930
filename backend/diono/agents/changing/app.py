"""The app before a change: its proof, its files, its last commit, and a row of its data."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.changing.operations import Operation, RemoveField, RenameField
from diono.agents.generators import fastapi_app
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject
from diono.agents.proof import Proof, run_proof
from diono.agents.saved_proof import SavedProof, parse_proof, read_proof, run_saved
from diono.agents.shapes import dict_of
from diono.agents.spec import Spec
from diono.agents.workspace import run_tool
from diono.sandbox.errors import FileMissing
from diono.sandbox.port import Sandbox
from diono.sandbox.repository import Repository

HISTORY = "CHANGES.md"
_HISTORY_BYTES = 64_000


class App(BaseModel):
    """``head`` is the commit to come back to; ``saved`` is None if no build proved anything."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    head: str
    files: tuple[str, ...]
    history: str = ""
    saved: SavedProof | None = None


async def look(run: Run) -> App:
    """Read the app as it is; what the user changed by hand is committed first."""

    async def action() -> JsonObject:
        sandbox = await run.stage.sandbox()
        saved = await read_proof(sandbox)
        head, _ = await Repository(sandbox).save("Work before the change")
        entries = await sandbox.list_files()
        files = [one.path for one in entries if not one.is_dir and not _is_hidden(one.path)]
        return {
            "head": head,
            "files": files,
            "history": await _text(sandbox, HISTORY),
            "saved": saved.to_bytes().decode() if saved else "",
        }

    result = await run.step("look at the app", action)
    saved = str(result["saved"])
    return App(
        head=str(result["head"]),
        files=tuple(result["files"]),
        history=str(result["history"]),
        saved=parse_proof(saved.encode()) if saved else None,
    )


def _is_hidden(path: str) -> bool:
    return path.startswith(".git/") or "__pycache__" in path


async def _text(sandbox: Sandbox, path: str) -> str:
    try:
        return (await sandbox.read_file(path, _HISTORY_BYTES)).decode(errors="replace")
    except FileMissing:
        return ""


async def prove_saved(
    run: Run, catalog: BlueprintCatalog, name: str, saved: SavedProof
) -> list[Check]:
    """Run the checks that the build left behind, in a recorded step."""

    async def action() -> JsonObject:
        checks = await run_saved(await run.stage.sandbox(), catalog, saved)
        return {"checks": [one.model_dump(mode="json") for one in checks]}

    return _checks(await run.step(name, action))


async def prove(run: Run, catalog: BlueprintCatalog, name: str, proof: Proof) -> list[Check]:
    async def action() -> JsonObject:
        checks = await run_proof(await run.stage.sandbox(), catalog, proof)
        return {"checks": [one.model_dump(mode="json") for one in checks]}

    return _checks(await run.step(name, action))


def _checks(result: JsonObject) -> list[Check]:
    return [Check.model_validate(one) for one in result["checks"]]


class Keepsake:
    """A row that is put in before the change and must be there after it, value by value."""

    def __init__(self, run: Run, catalog: BlueprintCatalog, spec: Spec) -> None:
        self._run = run
        self._tool = catalog.tool("http_checks.py")
        service = catalog.get(spec.blueprint).facts.service
        self._entity = spec.entity if spec.shape == "records" else None
        self._base = f"http://127.0.0.1:{service.port}" if service else ""
        self._row_id: Any = None

    async def put(self) -> None:
        if self._entity is None:
            return
        body = fastapi_app.sample(self._entity, 2)
        request = {"method": "POST", "path": f"/api/{self._entity.plural}", "body": body}
        answer = await self._send("put a row in", request)
        self._row_id = dict_of(answer.get("json")).get("id")

    async def check(self, operations: Sequence[Operation], name: str) -> Check | None:
        """Return whether the row is unharmed, and take it away; None without a row."""
        if self._entity is None or self._row_id is None:
            return None
        path = f"/api/{self._entity.plural}/{self._row_id}"
        expected = _after(fastapi_app.sample(self._entity, 2), operations)
        found = await self._send(name, {"method": "GET", "path": path})
        await self._send(f"{name}, clean up", {"method": "DELETE", "path": path})
        row = dict_of(found.get("json"))
        lost = [key for key, value in expected.items() if row.get(key) != value]
        detail = f"{lost[0]} is {row.get(lost[0])!r}, not {expected[lost[0]]!r}" if lost else ""
        return Check(
            name="data from before the change is kept",
            kind="http",
            passed=not lost,
            detail=detail or f"GET {path} -> {found.get('status')}",
        )

    async def _send(self, name: str, request: JsonObject) -> JsonObject:
        async def action() -> JsonObject:
            sandbox = await self._run.stage.sandbox()
            task = {"base": self._base, "requests": [request]}
            try:
                answers = await run_tool(sandbox, self._tool, task)
            except ValueError as error:
                return {"status": 0, "error": str(error), "json": None}
            first = dict_of(answers[0])
            return {"status": first.get("status"), "json": first.get("json")}

        return await self._run.step(name, action)


def _after(row: dict[str, Any], operations: Sequence[Operation]) -> dict[str, Any]:
    values = dict(row)
    for one in operations:
        match one:
            case RemoveField(name=name):
                values.pop(name, None)
            case RenameField(name=name, new_name=new_name) if name in values:
                values[new_name] = values.pop(name)
            case _:
                pass
    return values
