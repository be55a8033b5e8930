"""Tools over the project's documents. What they return is data of the documents' authors; the
loop marks it so. They reach this project's documents only, and query tables in a sandbox."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from diono.agents.port import JsonObject
from diono.agents.tools.port import (
    BaseTool,
    Tool,
    ToolContext,
    ToolFacts,
    ToolResult,
    text_parameter,
)
from diono.agents.tools.text import one_line, plain, shortened

_SECONDS = 90.0
CHART_FILE = "chart.png"
_DOCUMENT = text_parameter("Id or name of the document.")


class Shelf(Protocol):
    """The documents of one project, ready as text. Each may raise any DionoError."""

    async def count(self) -> int: ...

    async def listed(self) -> Sequence[str]:
        """Return one line a document: name, kind, state, tables with their columns."""
        ...

    async def read(self, document: str, anchor: str) -> Sequence[str]:
        """Return pieces from an anchor on (empty: the first), each headed by where it stands."""
        ...

    async def search(self, query: str) -> tuple[Sequence[str], str]:
        """Return what was found, each headed by where it stands, and a note."""
        ...

    async def query(self, sql: str) -> str:
        """Return rows of a SELECT over the tables as text."""
        ...

    async def chart(self, sql: str, title: str) -> bytes:
        """Return a PNG of a SELECT's first column against its numbers."""
        ...

    async def ask(self, question: str) -> tuple[str, bytes | None]:
        """Return an answer over the tables with its code and cells, and a PNG."""
        ...


@runtime_checkable
class HasShelf(Protocol):
    """A stage whose project may have documents; None: this installation reads none."""

    def shelf(self) -> Shelf | None: ...


def shelf_of(stage: object) -> Shelf | None:
    return stage.shelf() if isinstance(stage, HasShelf) else None


class _ShelfTool(BaseTool):
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf


class ListDocuments(_ShelfTool):
    facts = ToolFacts(
        name="list_documents",
        description="List the documents of the project and their tables.",
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        lines = await self._shelf.listed()
        return _told(lines or ["There are no documents."], context)


class ReadDocument(_ShelfTool):
    facts = ToolFacts(
        name="read_document",
        description="Read a document's text from an anchor on. Cite the place that heads a piece.",
        parameters={"document": _DOCUMENT, "anchor": text_parameter("Where to begin.")},
        required=("document",),
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        pieces = await self._shelf.read(arguments["document"], arguments.get("anchor", ""))
        return _told(pieces or ["There is no text in it."], context)


class SearchDocuments(_ShelfTool):
    facts = ToolFacts(
        name="search_documents",
        description="Search the project's documents. Cite the file and place of what you use.",
        parameters={"query": text_parameter("Words to look for.")},
        required=("query",),
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        found, note = await self._shelf.search(arguments["query"])
        return _told([*(found or ["Nothing was found."]), note], context)


class QueryTable(_ShelfTool):
    facts = ToolFacts(
        name="query_table",
        description="Run one DuckDB SELECT over the documents' tables (list_documents names them).",
        parameters={"sql": text_parameter("The query.")},
        required=("sql",),
        limit_seconds=_SECONDS,
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        return _told([await self._shelf.query(arguments["sql"])], context)


class ChartTable(_ShelfTool):
    facts = ToolFacts(
        name="chart_table",
        description=f"Draw a SELECT's rows (label, numbers) as {CHART_FILE} in the project.",
        parameters={"sql": text_parameter("The query."), "title": text_parameter("A title.")},
        required=("sql",),
        can_change=True,
        limit_seconds=_SECONDS,
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        picture = await self._shelf.chart(arguments["sql"], arguments.get("title", ""))
        await (await context.sandbox()).write_file(CHART_FILE, picture)
        return ToolResult(text=f"Wrote {CHART_FILE} ({len(picture)} bytes).")


class AskTables(_ShelfTool):
    facts = ToolFacts(
        name="ask_tables",
        description="Answer a question over the documents' tables, with its code, cells and chart.",
        parameters={"question": text_parameter("The question in plain words.")},
        required=("question",),
        can_change=True,
        limit_seconds=_SECONDS,
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        text, picture = await self._shelf.ask(arguments["question"])
        if picture is not None:
            await (await context.sandbox()).write_file(CHART_FILE, picture)
            text += f"\nA chart of it is in {CHART_FILE}."
        return _told([text], context)


def document_tools(shelf: Shelf, *, is_weak: bool) -> tuple[Tool, ...]:
    """Return the tools over documents; a weak model gets the two that ask the least of it."""
    few: tuple[Tool, ...] = (SearchDocuments(shelf), AskTables(shelf))
    if is_weak:
        return few
    return (
        ListDocuments(shelf),
        ReadDocument(shelf),
        QueryTable(shelf),
        ChartTable(shelf),
        *few,
    )


def _told(parts: Sequence[str], context: ToolContext) -> ToolResult:
    text = "\n\n".join(plain(part) for part in parts if part)
    return ToolResult(text=shortened(text, context.limit_characters))


def heading(document: str, place: str, anchor: str) -> str:
    """Return where a piece stands, in the words an answer cites it with."""
    where = f", {one_line(place, 100)}" if place else ""
    return f"[{one_line(document, 100)}{where}; anchor {one_line(anchor, 120)}]"
