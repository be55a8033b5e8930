"""HTTP to providers, and one reading of their refusals. Loaded with the adapters: it has httpx."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from diono.drives.errors import (
    AccessExpired,
    DriveBusy,
    DriveFull,
    DriveItemNotFound,
    DriveItemRefused,
    TransferBroken,
)
from diono.kernel.errors import DionoError

PIECE_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 60.0
TRIES = 3


async def open_client(ca_file: Path | None, **options: Any) -> httpx.AsyncClient:
    """Return a client for a provider's own addresses, to be closed."""

    def build() -> httpx.AsyncClient:
        trust = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
        return httpx.AsyncClient(verify=trust, timeout=TIMEOUT_SECONDS, **options)

    # Reading the system's certificates takes a moment.
    return await asyncio.to_thread(build)


@contextmanager
def answering(title: str) -> Generator[None]:
    """Turn a connection that fails into DriveBusy, or TransferBroken once a body has begun."""
    try:
        yield
    except (httpx.RemoteProtocolError, httpx.ReadError) as error:
        raise TransferBroken(f"The connection to {title} broke off. It is tried again.") from error
    except httpx.HTTPError as error:
        raise DriveBusy(f"{title} cannot be reached ({type(error).__name__}).") from error


def retry_after(value: str | None) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds, or a date."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def refusal(status: int, title: str, after: str | None = None, what: str = "") -> DionoError:
    """Return what an HTTP status from 400 on means; ``what`` is what the provider said of it,
    without secrets."""
    said = f" It says: {what[:200]}" if what else ""
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return AccessExpired(f"{title} takes the access token no more.")
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return DriveItemNotFound(
                f"{title} has no such file or folder, or it is not yours. List the folder anew."
            )
        case HTTPStatus.INSUFFICIENT_STORAGE:
            return DriveFull(f"There is no room left on {title}. Make some there.")
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.LOCKED | HTTPStatus.REQUEST_TIMEOUT:
            return DriveBusy(f"{title} asks to wait.{said}", retry_after(after))
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return DriveBusy(f"{title} fails with status {status}.{said}", retry_after(after))
        case _:
            return DriveItemRefused(f"{title} refuses this with status {status}.{said}")


def check_answer(answer: httpx.Response, title: str, what: str = "") -> None:
    """Raise what a status from 400 on means."""
    if answer.is_error:
        raise refusal(answer.status_code, title, answer.headers.get("retry-after"), what)


def json_of(answer: httpx.Response, title: str) -> dict[str, Any]:
    """Return the answer's JSON object. Raises DriveBusy for anything else."""
    try:
        body: Any = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise DriveBusy(f"{title} answers with something that is no JSON object.")
    return {str(key): value for key, value in body.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


async def body_of(answer: httpx.Response, title: str) -> AsyncIterator[bytes]:
    """Yield the bytes of an open answer."""
    with answering(title):
        async for piece in answer.aiter_bytes(PIECE_BYTES):
            yield piece
