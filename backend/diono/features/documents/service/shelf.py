"""A project's documents as the agent's tools want them: bounded text, headed by its place."""

from collections.abc import Sequence

from diono.agents.tables.asking import ask
from diono.agents.tables.facts import TableFacts
from diono.agents.tables.saying import chart_of, number
from diono.agents.tools.documents import heading
from diono.features.documents.errors import DocumentNotFound, NoTables, QueryRefused
from diono.features.documents.service.documents import Documents
from diono.features.documents.service.search import DocumentSearch
from diono.features.documents.service.tables import TableQuestions

_LISTED = 50
_COLUMNS = 30
_PIECES = 6
_HITS = 6
_ROWS = 40


class ProjectShelf:
    """Satisfies agents.tools.documents.Shelf for one project, which has been checked."""

    def __init__(
        self,
        project: tuple[str, str],
        documents: Documents,
        search: DocumentSearch,
        questions: TableQuestions,
    ) -> None:
        self._project = project
        self._documents = documents
        self._search = search
        self._questions = questions

    async def count(self) -> int:
        return len((await self._documents.page(self._project[1], None, _LISTED, None)).items)

    async def listed(self) -> Sequence[str]:
        page = await self._documents.page(self._project[1], None, _LISTED, None)
        lines = [
            f"{one.name} ({one.kind or one.media_type}, {one.status}, {one.document_id})"
            for one in page.items
        ]
        return [*lines, *(_described(one) for one in await self._tables())]

    async def read(self, document: str, anchor: str) -> Sequence[str]:
        document_id, name = await self._found(document)
        page = await self._documents.sections(
            self._project[1], document_id, anchor or None, limit=_PIECES
        )
        return [f"{heading(name, one.place, one.anchor)}\n{one.text}" for one in page.items]

    async def search(self, query: str) -> tuple[Sequence[str], str]:
        result = await self._search.search(self._project[1], query, _HITS)
        told = [
            f"{heading(hit.document_name, hit.place, hit.anchor)}\n{hit.snippet}"
            for hit in result.hits
        ]
        return told, result.note

    async def query(self, sql: str) -> str:
        outcome = await self._questions.query(self._project, sql)
        lines = [" | ".join(outcome.columns)]
        lines += [" | ".join(number(cell) for cell in row) for row in outcome.rows[:_ROWS]]
        rest = len(outcome.rows) - _ROWS
        return "\n".join(lines) + (f"\n… {rest} more rows" if rest > 0 else "")

    async def chart(self, sql: str, title: str) -> bytes:
        desk = await self._questions.desk(self._project)
        (outcome,) = await desk.run([sql])
        chart = None if outcome.error else chart_of(title or "Chart", outcome, None)
        if chart is None:
            raise QueryRefused(outcome.error or "There is nothing to draw: a label and numbers.")
        return await desk.draw(chart)

    async def ask(self, question: str) -> tuple[str, bytes | None]:
        tables = await self._questions.tables(self._project[1])
        desk = await self._questions.desk(self._project)
        found = await ask(desk, tables, question, None)
        where = heading(found.table.document_name, found.table.place_of(found.columns), "")
        lines = [
            found.text,
            f"Understood as: {found.understood} ({found.certainty}).",
            *found.warnings,
            f"Cells: {where}",
            f"Code: {found.outcome.sql}",
        ]
        return "\n".join(lines), found.chart

    async def _tables(self) -> list[TableFacts]:
        try:
            return await self._questions.tables(self._project[1])
        except NoTables:
            return []

    async def _found(self, document: str) -> tuple[str, str]:
        page = await self._documents.page(self._project[1], None, 100, None)
        for one in page.items:
            if document.strip() in (one.document_id, one.name):
                return one.document_id, one.name
        names = ", ".join(one.name for one in page.items[:20])
        raise DocumentNotFound(f"There is no document {document[:100]!r}. There are: {names}.")


def _described(table: TableFacts) -> str:
    columns = ", ".join(f'"{one.name}" {one.type}' for one in table.columns[:_COLUMNS])
    return (
        f'table "{table.view}" of {table.document_name}, {table.place}, {table.row_count} rows: '
        f"{columns}"
    )
