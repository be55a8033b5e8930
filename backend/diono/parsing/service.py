"""Parses documents of users, each user's in a sandbox of their own, never in this process."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from diono.parsing.errors import ParserBroken
from diono.parsing.models import ParsedDocument, ParseProgress, Section
from diono.sandbox.port import Sandboxes

OnProgress = Callable[[ParseProgress], Awaitable[None]]


class Parsing(Protocol):
    """A parsed document whose outputs can be read until the context ends."""

    document: ParsedDocument

    def sections(self) -> AsyncIterator[Section]:
        """Yield the text in order, piece by piece. Raises ParserBroken."""
        ...

    def read(self, file: str) -> AsyncIterator[bytes]:
        """Yield an output: a table's ``file`` or the ``thumbnail``. Raises ParserBroken."""
        ...


class Parser:
    """``sandboxes`` must have the template ``documents``."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = sandboxes

    @asynccontextmanager
    async def parse(
        self,
        owner: str,
        source: AsyncIterable[bytes],
        *,
        size: int,
        name: str,
        on_progress: OnProgress | None = None,
    ) -> AsyncGenerator[Parsing]:
        """Parse ``size`` bytes of ``source``; ``name`` is a hint for text without a type of its
        own (``.csv``, ``.md``, ``.py``). Raises DocumentRefused, ParserBroken, and what opening a
        sandbox raises (QuotaReached, TemplateBuilding, EngineMissing)."""
        raise ParserBroken("the parser is being built")
        yield  # pyright: ignore[reportUnreachable]
