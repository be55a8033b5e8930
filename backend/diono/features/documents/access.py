"""The document services of a request."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.documents.service import Documents, DocumentSearch, TableQuestions


def documents_service(request: Request) -> Documents:
    return request.app.state.documents


def search_service(request: Request) -> DocumentSearch:
    return request.app.state.document_search


def tables_service(request: Request) -> TableQuestions:
    return request.app.state.table_questions


DocumentsService = Annotated[Documents, Depends(documents_service)]
SearchService = Annotated[DocumentSearch, Depends(search_service)]
TablesService = Annotated[TableQuestions, Depends(tables_service)]
