"""The client of a Diono server: typed errors, and events that resume where they stopped."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from diono.cli.outcome import RemoteError, ServerProblem

JsonObject = dict[str, Any]
TokenSource = Callable[[], Awaitable[str]]
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
_TIMEOUT = httpx.Timeout(30.0, connect=5.0, read=120.0)
# A stream that is silent this long is asked for again: that costs one request and loses nothing.
_STREAM_TIMEOUT = httpx.Timeout(30.0, connect=5.0, read=45.0)
# A program may be silent for as long as it runs; it is kept alive by the server's comments.
_LONG_TIMEOUT = httpx.Timeout(30.0, connect=5.0, read=600.0)
_PATIENCE_SECONDS = 60.0
_RETRY_SECONDS = 0.5
_UNAUTHORIZED = 401


class Api:
    """One server, as one user. ``tokens`` gives a bearer token, anew when the last one ended."""

    def __init__(self, url: str, tokens: TokenSource) -> None:
        self.url = url.rstrip("/")
        self._tokens = tokens
        self._token = ""
        host = urlsplit(url).hostname or ""
        is_local = host in {"localhost", "::1"} or host.startswith("127.")
        self._client = httpx.AsyncClient(
            base_url=self.url, timeout=_TIMEOUT, trust_env=not is_local
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def get(self, path: str, **query: str | int) -> JsonObject:
        return _object(await self._request("GET", path, query=query))

    async def post(self, path: str, body: JsonObject | None = None) -> JsonObject:
        return _object(await self._request("POST", path, body=body))

    async def patch(self, path: str, body: JsonObject) -> JsonObject:
        return _object(await self._request("PATCH", path, body=body))

    async def send_chunk(self, path: str, chunk: bytes, offset: int) -> JsonObject:
        """Send bytes of an upload and return how it stands."""
        headers = {**await self._headers(), "Upload-Offset": str(offset)}
        headers["Content-Type"] = "application/offset+octet-stream"
        answer = await self._client.patch(path, content=chunk, headers=headers)
        if answer.is_error:
            raise _error_of(answer)
        return _object(answer)

    async def delete(self, path: str, body: JsonObject | None = None) -> None:
        await self._request("DELETE", path, body=body)

    def post_stream(self, path: str, body: JsonObject) -> AsyncGenerator[tuple[str, JsonObject]]:
        """Yield the kind and the data of each event that the answer consists of."""
        return self.stream("POST", path, body)

    async def stream(
        self, method: str, path: str, body: JsonObject | None = None, **query: int
    ) -> AsyncGenerator[tuple[str, JsonObject]]:
        """Yield the kind and the data of each event that the answer consists of."""
        async with self._client.stream(
            method,
            path,
            json=body,
            params=query,
            headers=await self._headers(),
            timeout=_LONG_TIMEOUT,
        ) as answer:
            if answer.is_error:
                await answer.aread()
                raise _error_of(answer)
            async for event in _events_of(answer):
                yield event

    async def download(self, path: str) -> bytes:
        return (await self._request("GET", path)).content

    async def state(self, task_id: str) -> JsonObject:
        return await self.get(f"/api/tasks/{quote(task_id, safe='')}/state")

    async def cancel(self, task_id: str) -> JsonObject:
        return await self.post(f"/api/tasks/{quote(task_id, safe='')}/cancel")

    async def events(self, task_id: str) -> AsyncGenerator[JsonObject]:
        """Yield the task's events until it has ended, across lost connections and restarts.

        Raises ServerProblem if the server stays away for a minute.
        """
        last_event_id = 0
        is_ended = False
        last_heard_at = time.monotonic()
        while not is_ended:
            try:
                async with aclosing(self._stream(task_id, last_event_id)) as stream:
                    async for event in stream:
                        last_heard_at = time.monotonic()
                        last_event_id = event.get("event_id") or last_event_id
                        yield event
                is_ended = (await self.state(task_id))["status"] in ENDED
                last_heard_at = time.monotonic()
            except (httpx.TransportError, ServerProblem) as error:
                if time.monotonic() - last_heard_at > _PATIENCE_SECONDS:
                    raise ServerProblem(
                        f"the server at {self.url} went away and did not come back. The task goes "
                        f"on once it runs again: `diono up`, then `diono tasks show {task_id}`."
                    ) from error
                await asyncio.sleep(_RETRY_SECONDS)

    async def _stream(self, task_id: str, last_event_id: int) -> AsyncGenerator[JsonObject]:
        """Yield the events of one connection."""
        async with self._client.stream(
            "GET",
            f"/api/tasks/{quote(task_id, safe='')}/events/stream",
            params={"since_event_id": last_event_id},
            headers=await self._headers(),
            timeout=_STREAM_TIMEOUT,
        ) as answer:
            if answer.status_code == _UNAUTHORIZED:
                self._token = ""
                raise ServerProblem("the access token ended")
            if answer.is_error:
                await answer.aread()
                raise _error_of(answer)
            async for _, data in _events_of(answer):
                yield data

    async def _request(
        self,
        method: str,
        path: str,
        *,
        body: JsonObject | None = None,
        query: dict[str, str | int] | None = None,
    ) -> httpx.Response:
        for is_last_try in (False, True):
            headers = await self._headers()
            try:
                answer = await self._client.request(
                    method, path, json=body, params=query, headers=headers
                )
            except httpx.TransportError as error:
                raise ServerProblem(f"no answer from the server at {self.url}: {error}") from error
            if answer.status_code == _UNAUTHORIZED and not is_last_try:
                self._token = ""
                continue
            if answer.is_error:
                raise _error_of(answer)
            return answer
        raise AssertionError("the second try returns or raises")

    async def _headers(self) -> dict[str, str]:
        if not self._token:
            self._token = await self._tokens()
        return {"Authorization": f"Bearer {self._token}"}


async def _events_of(answer: httpx.Response) -> AsyncGenerator[tuple[str, JsonObject]]:
    """Yield the kind and the data of server-sent events."""
    kind = ""
    data: list[str] = []
    async for line in answer.aiter_lines():
        if line.startswith("event:"):
            kind = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line:
            if data:
                yield kind, json.loads("\n".join(data))
            kind = ""
            data.clear()


def _object(answer: httpx.Response) -> JsonObject:
    try:
        body: Any = answer.json()
    except ValueError as error:
        raise ServerProblem(f"{answer.url} did not answer with JSON; is it Diono?") from error
    if not isinstance(body, dict):
        raise ServerProblem(f"{answer.url} did not answer with a JSON object; is it Diono?")
    return {str(key): value for key, value in body.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _error_of(answer: httpx.Response) -> RemoteError | ServerProblem:
    try:
        body: Any = answer.json()
        return RemoteError(str(body["error"]), str(body["detail"]), answer.status_code)
    except (ValueError, KeyError, TypeError):
        return ServerProblem(f"{answer.url} answered {answer.status_code}; is it Diono?")
