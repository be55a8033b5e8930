"""`diono bench documents-ask`: simple questions over uploaded workbooks, by patterns alone, by the
model alone, and as people get them."""

import io
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any, get_args

from diono.agents.port import Model
from diono.agents.tables.asking import TableAnswer, Ways, ask
from diono.agents.tables.desk import Desk
from diono.agents.tables.facts import TableFacts, facts_of, view_name
from diono.cli import measure
from diono.cli.bench_documents_data import QUESTIONS, WORKBOOKS, Asked
from diono.cli.bench_solve_stage import BenchStage
from diono.kernel.errors import DionoError
from diono.parsing.service import Parser
from diono.sandbox.port import ExecRequest

JsonObject = dict[str, Any]
_MAKE = (
    "import sys, json, csv, io, openpyxl\n"
    "order = json.load(sys.stdin)\n"
    "book = openpyxl.Workbook(); sheet = book.active; sheet.title = order['sheet']\n"
    "def cell(text):\n"
    "    try: return float(text) if '.' in text else int(text)\n"
    "    except ValueError: return text or None\n"
    "for row in csv.reader(io.StringIO(order['csv'])): sheet.append([cell(one) for one in row])\n"
    "book.save('book.xlsx')\n"
)


class _Books:
    """Workbooks made, then read as an uploaded document is."""

    def __init__(self, stage: BenchStage) -> None:
        self._stage = stage
        self._blobs: dict[str, bytes] = {}
        self.tables: dict[str, TableFacts] = {}

    async def read_blob(self, sha256: str) -> AsyncIterator[bytes]:
        yield self._blobs[sha256]

    async def prepare(self) -> Desk:
        sandbox = await self._stage.side_sandbox("tables", "documents")
        parser = Parser(self._stage.sandboxes)
        for name, (sheet, text) in WORKBOOKS.items():
            order = json.dumps({"sheet": sheet, "csv": text}).encode()
            await sandbox.execute(ExecRequest(argv=("python3", "-c", _MAKE), stdin=order))
            content = await sandbox.read_file("book.xlsx")
            async with parser.parse("bench", _chunks(content), size=len(content), name=name) as one:
                (view,) = one.document.tables
                blob = b"".join([chunk async for chunk in one.read(view.file)])
            self._blobs[name] = blob
            facts = facts_of(view, view_name(name, sheet, set()), (name, name), (name, len(blob)))
            self.tables[name] = facts
        await parser.close()
        desk = Desk(sandbox, self.read_blob)
        await desk.lay(list(self.tables.values()))
        return desk


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    reader = io.BytesIO(content)
    while chunk := reader.read(64_000):
        yield chunk


async def bench_documents(stage: BenchStage) -> JsonObject:
    """Ask every question in every way; return what was right."""
    books = _Books(stage)
    desk = await books.prepare()

    async def model() -> Model:
        return stage.model

    rows: list[JsonObject] = []
    for asked in QUESTIONS:
        row: JsonObject = {"workbook": asked.workbook, "question": asked.question}
        for ways in get_args(Ways):
            started = time.monotonic()
            try:
                found = await ask(desk, [books.tables[asked.workbook]], asked.question, model, ways)
                row[ways] = {"right": _is_right(asked, found), "certainty": found.certainty}
                row[ways] |= {"answer": found.text, "origin": found.origin}
            except DionoError as error:
                row[ways] = {"right": False, "certainty": "none", "answer": error.detail}
            row[ways]["seconds"] = round(time.monotonic() - started, 1)
        rows.append(row)
        marks = ", ".join(f"{ways} {row[ways]['right']}" for ways in get_args(Ways))
        print(f"[{len(rows)}/{len(QUESTIONS)}] {asked.question} {marks}", file=sys.stderr)
    return {"machine": measure.machine(), "model": stage.model.name, "n": len(rows), "rows": rows}


def _is_right(asked: Asked, found: TableAnswer) -> bool:
    """Whether everything that is right stands in the first row (ties: in any with its number)."""
    first = found.outcome.rows[0]
    numbers = [float(one) for one in first if isinstance(one, int | float)]
    words = {str(one).casefold() for one in first}
    return all(
        any(abs(one - right) < 0.01 for one in numbers)
        if isinstance(right, int | float)
        else right.casefold() in words
        for right in asked.right
    )


def documents_table(result: JsonObject) -> str:
    """Return the figures as Markdown, per question."""
    n, rows = result["n"], result["rows"]
    names = {"both": "as asked", "patterns": "patterns", "model": "model alone"}
    sums = {ways: sum(row[ways]["right"] for row in rows) for ways in names}
    wrong = [row for row in rows if not row["both"]["right"]]
    sure = sum(row["both"]["certainty"] in ("matched", "agreed") for row in wrong)
    seconds = sum(row["both"]["seconds"] for row in rows) / n
    right = ", ".join(f"{title} {sums[ways]}" for ways, title in names.items())
    told = f"Of {len(wrong)} wrong ones {sure} were called sure; {seconds:.1f} s a question."
    lines = [
        f"`diono bench documents-ask`, n = {n}, {result['model']}; {result['machine']}",
        "",
        f"Right: {right} of {n}. {told}",
        "",
        "| question | as asked | certainty | patterns | model alone |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        marks = {ways: "right" if row[ways]["right"] else "wrong" for ways in names}
        lines.append(
            f"| {row['question']} | {marks['both']} | {row['both']['certainty']} | "
            f"{marks['patterns']} | {marks['model']} |"
        )
    return "\n".join(lines)
