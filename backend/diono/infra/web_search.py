"""Searching the web through a service that the operator named: SearXNG, or what answers like it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import httpx

from diono.kernel.errors import Unavailable

_SECONDS = 10.0
_ANSWER_BYTES = 2_000_000
_TEXT_CHARACTERS = 500


class SearchFailed(Unavailable):
    code = "search_failed"


@dataclass(frozen=True)
class WebHit:
    title: str
    url: str
    excerpt: str = ""


class WebSearch:
    """``url`` is asked with ``?q=…&format=json``; redirects are not followed."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def search(self, query: str, limit: int) -> Sequence[WebHit]:
        """Return at most ``limit`` results. Raises SearchFailed."""
        results = await self._results(query)
        hits = [cast("dict[str, Any]", one) for one in results if isinstance(one, dict)]
        return [
            WebHit(_text(one, "title"), _text(one, "url"), _text(one, "content"))
            for one in hits[:limit]
        ]

    async def _results(self, query: str) -> list[object]:
        wanted = {"q": query, "format": "json"}
        content = bytearray()
        try:
            async with (
                httpx.AsyncClient(timeout=_SECONDS) as client,
                client.stream("GET", self._url, params=wanted) as reply,
            ):
                async for piece in reply.aiter_bytes():
                    content += piece
                    if len(content) > _ANSWER_BYTES:
                        raise SearchFailed("The search service answered with too much to read.")
                status = reply.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SearchFailed(f"The search service does not answer: {error!r}.") from error
        if status != HTTPStatus.OK:
            raise SearchFailed(f"The search service answered with status {status}.")
        return _list_in(bytes(content))


def _list_in(content: bytes) -> list[object]:
    try:
        answer: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SearchFailed(
            "The search service gave no JSON; a SearXNG must have its format `json` switched on."
        ) from error
    found = cast("dict[str, Any]", answer).get("results") if isinstance(answer, dict) else None
    return cast("list[object]", found) if isinstance(found, list) else []


def _text(hit: dict[str, Any], key: str) -> str:
    return str(hit.get(key) or "")[:_TEXT_CHARACTERS]
