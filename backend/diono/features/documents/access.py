"""The document services of a request."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.access import Guard, Guarding
from diono.features.documents.schemas import DocumentInfo
from diono.features.documents.service import Documents, DocumentSearch, TableQuestions
from diono.features.projects.access import MembersService
from diono.features.projects.service import Members


def documents_service(request: Request) -> Documents:
    return request.app.state.documents


def search_service(request: Request) -> DocumentSearch:
    return request.app.state.document_search


def tables_service(request: Request) -> TableQuestions:
    return request.app.state.table_questions


DocumentsService = Annotated[Documents, Depends(documents_service)]
SearchService = Annotated[DocumentSearch, Depends(search_service)]
TablesService = Annotated[TableQuestions, Depends(tables_service)]


@dataclass(frozen=True)
class DocumentFollower:
    """Follows a project's documents for one reader, while the reader may."""

    guard: Guard
    documents: Documents
    members: Members

    async def watch(
        self, project_id: str, since: int, *, follows: bool
    ) -> AsyncGenerator[tuple[int, DocumentInfo] | str | None]:
        """Yield what ``Documents.watch`` yields. Raises ProjectNotFound once the project is the
        reader's no more."""
        changes = self.documents.watch(project_id, since, follows=follows)
        look = partial(self.members.standing, self.guard.identity.account, project_id)
        async with aclosing(self.guard.over(changes, look)) as guarded:
            async for change in guarded:
                yield change


def document_follower(
    guard: Guarding, documents: DocumentsService, members: MembersService
) -> DocumentFollower:
    return DocumentFollower(guard, documents, members)


Following = Annotated[DocumentFollower, Depends(document_follower)]
