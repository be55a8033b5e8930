"""The id of the request that is being answered, for logs, events and errors."""

from contextvars import ContextVar

REQUEST_ID: ContextVar[str] = ContextVar("REQUEST_ID", default="")
