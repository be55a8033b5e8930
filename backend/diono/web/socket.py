"""``WS /api/ws``: any number of tasks' events over one socket, resumed by sequence."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, ValidationError

from diono.features.accounts.access import Guard, Identify
from diono.features.tasks.access import TaskFollower
from diono.kernel.errors import DionoError, ErrorKind
from diono.kernel.events import Event

router = APIRouter()

AUTH_SECONDS = 10.0
SUBSCRIPTIONS = 50
POLICY_VIOLATION = 1008


class ClientMessage(BaseModel):
    type: Literal["auth", "subscribe", "unsubscribe"]
    token: str = ""
    task_id: str = ""
    since_event_id: int = Field(default=0, ge=0)


def is_origin_allowed(origin: str | None, host: str | None, allowed: list[str]) -> bool:
    """A browser always sends Origin: it must be our own host or one that the settings name."""
    if origin is None:
        return True
    return urlsplit(origin).netloc == host or origin in allowed


class EventSocket:
    """One connected client."""

    def __init__(self, socket: WebSocket, follower: TaskFollower) -> None:
        self._socket = socket
        self._follower = follower
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Answer until the client leaves."""
        await self._send({"type": "ready"})
        try:
            while True:
                await self._handle(await self._socket.receive_text())
        except WebSocketDisconnect:
            return
        finally:
            for pump in self._pumps.values():
                pump.cancel()
            await asyncio.gather(*self._pumps.values(), return_exceptions=True)

    async def _handle(self, text: str) -> None:
        try:
            message = ClientMessage.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]["msg"]
            await self._fail("invalid_message", f"{first}. Send JSON with a known type.", None)
            return
        self._stop(message.task_id)
        if message.type != "subscribe":
            return
        if len(self._pumps) >= SUBSCRIPTIONS:
            detail = f"One socket follows at most {SUBSCRIPTIONS} tasks. Unsubscribe from one."
            await self._fail("too_many_subscriptions", detail, message.task_id)
            return
        self._pumps[message.task_id] = asyncio.create_task(
            self._pump(message.task_id, message.since_event_id)
        )

    def _stop(self, task_id: str) -> None:
        pump = self._pumps.pop(task_id, None)
        if pump is not None:
            pump.cancel()

    async def _pump(self, task_id: str, since_event_id: int) -> None:
        try:
            async with aclosing(self._follower.watch(task_id, since_event_id)) as events:
                async for event in events:
                    if event is not None:
                        await self._send(_event_message(event))
        except DionoError as error:
            await self._fail(error.code, error.detail, task_id)
            if error.kind is ErrorKind.UNAUTHENTICATED:
                await self._socket.close(POLICY_VIOLATION)
        except WebSocketDisconnect:
            return

    async def _fail(self, code: str, detail: str, task_id: str | None) -> None:
        await self._send({"type": "error", "error": code, "detail": detail, "task_id": task_id})

    async def _send(self, message: dict[str, Any]) -> None:
        async with self._sending:
            await self._socket.send_json(message)


def _event_message(event: Event) -> dict[str, Any]:
    return {"type": "event", "event": event.model_dump(mode="json")}


async def _authenticate(socket: WebSocket) -> Guard | None:
    state = socket.app.state
    identify: Identify = state.identify
    try:
        async with asyncio.timeout(AUTH_SECONDS):
            message = ClientMessage.model_validate_json(await socket.receive_text())
        identity = await identify(message.token)
        identity.need("read")
        return Guard(identity, message.token, state.bus, state.recheck)
    except (TimeoutError, ValidationError):
        detail = 'Send {"type": "auth", "token": "…"} first.'
        await socket.send_json({"type": "error", "error": "not_signed_in", "detail": detail})
    except DionoError as error:
        await socket.send_json({"type": "error", "error": error.code, "detail": error.detail})
    await socket.close(POLICY_VIOLATION)
    return None


@router.websocket("/api/ws")
async def event_socket(socket: WebSocket) -> None:
    """Follow tasks. The token comes in the first message, never in the URL or a cookie."""
    state = socket.app.state
    origin_check: Callable[[str | None, str | None], bool] = state.is_origin_allowed
    if not origin_check(socket.headers.get("origin"), socket.headers.get("host")):
        await socket.close(POLICY_VIOLATION)
        return
    await socket.accept()
    try:
        guard = await _authenticate(socket)
    except WebSocketDisconnect:
        return
    if guard is not None:
        await EventSocket(socket, TaskFollower(guard, state.tasks, state.members)).serve()
