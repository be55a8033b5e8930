"""Errors of documents."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput, NotFound


class DocumentNotFound(NotFound):
    code = "document_not_found"


class DocumentNotReady(Conflict):
    """It is not parsed yet, or was refused."""

    code = "document_not_ready"


class AnchorNotFound(NotFound):
    code = "anchor_not_found"


class TableNotFound(NotFound):
    code = "table_not_found"


class NoThumbnail(NotFound):
    code = "no_thumbnail"


class AnswerNotFound(NotFound):
    code = "answer_not_found"


class NoChart(NotFound):
    code = "no_chart"


class BadSearch(InvalidInput):
    """There is no word in the query."""

    code = "bad_search"


class QueryRefused(InvalidInput):
    """A query over tables that cannot be run; the detail has the engine's words."""

    code = "query_refused"


class NoTables(InvalidInput):
    """There is no table to ask about."""

    code = "no_tables"


class QuestionsBusy(DionoError):
    """As many questions are being answered as this machine takes."""

    code = "questions_busy"
    kind = ErrorKind.TOO_MANY


class SearchTooSlow(DionoError):
    """The search was broken off, so that it does not slow others."""

    code = "search_too_slow"
    kind = ErrorKind.UNAVAILABLE
