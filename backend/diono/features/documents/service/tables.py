"""Tables of documents: their facts, their rows, and questions over them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from diono.agents.port import Model
from diono.agents.tables.asking import TableAnswer, Ways, ask
from diono.agents.tables.desk import Desk, Outcome, quoted
from diono.agents.tables.facts import TableFacts, facts_of, view_name
from diono.features.documents.errors import (
    AnswerNotFound,
    DocumentNotFound,
    NoChart,
    NoTables,
    QueryRefused,
    QuestionsBusy,
    TableNotFound,
)
from diono.features.documents.schemas import (
    AskAnswer,
    AskDocuments,
    Citation,
    Interpretation,
    RowPage,
)
from diono.features.documents.service.documents import Store, check_ready
from diono.features.documents.service.views import parsed_of
from diono.features.documents.store import documents as rows
from diono.features.documents.tables import AnswerRow, Document
from diono.kernel.ids import new_id
from diono.llm.further import Asker
from diono.sandbox.port import Limits, Sandbox, Sandboxes, SandboxSpec

AT_ONCE = 2
MOST_TABLES = 20
ROWS_LIMIT = 200
_SHOWN_ROWS = 50
_MEMORY_MB = 512
_DISK_MB = 1024
_IDLE_SECONDS = 120

BindModel = Callable[[str | None, Asker], Awaitable[Model]]


def desk_spec(owner_id: str, project_id: str) -> SandboxSpec:
    """Return the sandbox in which a project's tables are queried; it has no network."""
    return SandboxSpec(
        owner=owner_id,
        project=f"{project_id}-tables",
        template="documents",
        limits=Limits(memory_mb=_MEMORY_MB, disk_mb=_DISK_MB, pids=64),
        idle_seconds=_IDLE_SECONDS,
        is_disposable=True,
    )


class TableQuestions:
    """``bind`` makes a model ready by its name, or the default one."""

    def __init__(self, store: Store, sandboxes: Sandboxes, bind: BindModel) -> None:
        self._store = store
        self._sandboxes = sandboxes
        self._bind = bind
        self._asking: set[str] = set()

    async def tables(
        self, project_id: str, document_id: str | None = None, table: str | None = None
    ) -> list[TableFacts]:
        """Return the tables of ready documents, newest documents first. Raises DocumentNotFound,
        DocumentNotReady, TableNotFound, NoTables."""
        async with self._store.database.read() as session:
            if document_id:
                row = await rows.one(session, project_id, document_id)
                if row is None:
                    raise DocumentNotFound(f"The project has no document {document_id!r}.")
                check_ready(row)
            found = await rows.ready_with_tables(session, project_id, document_id)
            taken: set[str] = set()
            facts: list[TableFacts] = []
            for row in found:
                outputs = await rows.outputs(session, row.document_id)
                sizes = {name: (one.sha256, one.size) for name, one in outputs.items()}
                facts += _tables_of(row, sizes, taken)
        if not facts:
            raise NoTables(
                "There is no table to ask about. Upload a workbook, CSV or JSON file, and wait "
                "until it is ready."
            )
        if table:
            named = [one for one in facts if table.casefold() in {one.name.casefold(), one.view}]
            if not named:
                names = ", ".join(one.name for one in facts[:20])
                raise TableNotFound(f"There is no table {table[:100]!r}. There are: {names}.")
            facts = named
        return facts[:MOST_TABLES]

    async def rows(
        self, project: tuple[str, str], document_id: str, table: str, offset: int, limit: int
    ) -> RowPage:
        """Return rows of a table. Raises what ``tables`` raises, and TablesFailed."""
        facts = (await self.tables(project[1], document_id, table))[0]
        names = [one.name for one in facts.columns]
        end = offset + limit
        if end <= len(facts.preview_rows) or facts.row_count <= len(facts.preview_rows):
            told = [list(row) for row in facts.preview_rows[offset:end]]
        else:
            desk = await self._desk(project, [facts])
            columns = ", ".join(quoted(name) for name in names)
            query = f"SELECT {columns} FROM {quoted(facts.view)} LIMIT {limit} OFFSET {offset}"  # noqa: S608  quoted
            (outcome,) = await desk.run([query], limit)
            if outcome.error:
                raise QueryRefused(outcome.error)
            told = [list(row) for row in outcome.rows]
        return RowPage(
            table=facts.name,
            place=facts.place,
            columns=names,
            rows=told,
            offset=offset,
            row_count=facts.row_count,
            next_offset=end if end < facts.row_count and told else None,
        )

    async def ask(
        self, project: tuple[str, str], asker_id: str, wanted: AskDocuments, ways: Ways = "both"
    ) -> AskAnswer:
        """Answer a question and keep the answer. Raises NoTables, NoAnswer, QuestionsBusy, and
        what the sandbox service raises."""
        async with self._turn(asker_id):
            facts = await self.tables(project[1], wanted.document_id, wanted.table)
            desk = await self._desk(project, facts)

            async def model() -> Model:
                return await self._bind(wanted.model, Asker(asker_id, project[1]))

            found = await ask(desk, facts, wanted.question, model, ways)
            return await self._kept(project[1], wanted.question, found)

    async def answer(self, project_id: str, answer_id: str) -> AskAnswer:
        """Raises AnswerNotFound."""
        return AskAnswer.model_validate((await self._answer(project_id, answer_id)).answer)

    async def chart(self, project_id: str, answer_id: str) -> bytes:
        """Return a PNG. Raises AnswerNotFound, NoChart."""
        row = await self._answer(project_id, answer_id)
        if row.chart_sha256 is None:
            raise NoChart("The answer has no chart: there was only one value to show.")
        return await self._store.blobs.get(row.chart_sha256)

    async def query(self, project: tuple[str, str], sql: str) -> Outcome:
        """Run one SELECT over the project's tables. Raises NoTables, QueryRefused, TablesFailed."""
        (outcome,) = await (await self.desk(project)).run([sql], ROWS_LIMIT)
        if outcome.error:
            raise QueryRefused(f"The query was refused: {outcome.error}")
        return outcome

    async def desk(self, project: tuple[str, str]) -> Desk:
        """Return the project's tables, laid out in its sandbox. Raises NoTables."""
        return await self._desk(project, await self.tables(project[1]))

    async def sandbox(self, project: tuple[str, str]) -> Sandbox:
        return await self._sandboxes.open(desk_spec(*project))

    async def _desk(self, project: tuple[str, str], facts: Sequence[TableFacts]) -> Desk:
        desk = Desk(await self.sandbox(project), self._store.blobs.read)
        await desk.lay(facts)
        return desk

    @asynccontextmanager
    async def _turn(self, asker_id: str) -> AsyncGenerator[None]:
        """One question of a user at a time, and few in all: each may hold a model."""
        if asker_id in self._asking or len(self._asking) >= AT_ONCE:
            raise QuestionsBusy(
                "Another question is being answered. Ask again when it is done, in some seconds."
            )
        self._asking.add(asker_id)
        try:
            yield
        finally:
            self._asking.discard(asker_id)

    async def _answer(self, project_id: str, answer_id: str) -> AnswerRow:
        async with self._store.database.read() as session:
            row = await rows.answer(session, project_id, answer_id)
        if row is None:
            raise AnswerNotFound(f"The project has no answer {answer_id!r}.")
        return row

    async def _kept(self, project_id: str, question: str, found: TableAnswer) -> AskAnswer:
        chart = await self._store.blobs.put(found.chart) if found.chart else None
        now = self._store.clock.now()
        answer = answer_of(new_id("ans"), question, found, now.isoformat())
        async with self._store.database.write() as session:
            session.add(
                AnswerRow(
                    answer_id=answer.answer_id,
                    project_id=project_id,
                    question=question,
                    answer=answer.model_dump(mode="json"),
                    chart_sha256=chart,
                    chart_type=answer.chart_type,
                    created_at=now,
                )
            )
        return answer


def _tables_of(
    row: Document, outputs: dict[str, tuple[str, int]], taken: set[str]
) -> list[TableFacts]:
    return [
        facts_of(
            view,
            view_name(row.name.rpartition(".")[0], view.name, taken),
            (row.document_id, row.name),
            outputs[view.file],
        )
        for view in parsed_of(row).tables
        if view.file in outputs and view.columns
    ]


def answer_of(answer_id: str, question: str, found: TableAnswer, now: str) -> AskAnswer:
    reading, table = found.reading, found.table
    return AskAnswer.model_validate(
        {
            "answer_id": answer_id,
            "question": question,
            "answer": found.text,
            "value": found.value,
            "columns": list(found.outcome.columns),
            "rows": [list(one) for one in found.outcome.rows[:_SHOWN_ROWS]],
            "code": found.outcome.sql,
            "origin": found.origin,
            "certainty": found.certainty,
            "agreement": found.agreement,
            "interpretation": Interpretation(
                text=found.understood,
                table=table.name,
                shape=reading.shape if reading else "model",
                measure=reading.measure if reading else "",
                group=reading.group if reading else "",
                period=reading.period if reading else "",
                periods=list(reading.periods) if reading else [],
                filters=list(reading.filters) if reading else [],
            ),
            "citations": [
                Citation(
                    document_id=table.document_id,
                    document_name=table.document_name,
                    table=table.name,
                    place=table.place_of(found.columns),
                    columns=list(found.columns),
                )
            ],
            "warnings": list(found.warnings),
            "has_chart": bool(found.chart),
            "chart_type": "image/png" if found.chart else "",
            "model": found.model,
            "seconds": round(found.seconds, 2),
            "created_at": now,
        }
    )
