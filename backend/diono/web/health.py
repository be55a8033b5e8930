"""Is the server alive, and is it ready?"""

from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

router = APIRouter(tags=["health"])

Probe = Callable[[], Awaitable[dict[str, str]]]


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    status: Literal["ready", "starting"]
    parts: dict[str, str] = Field(description="Each part: ok, or what is wrong and the way out.")


@router.get("/health")
async def get_health() -> Health:
    """Say that the process answers."""
    return Health()


@router.get("/health/ready")
async def get_readiness(request: Request, response: Response) -> Readiness:
    """Say which parts are ready; 503 until the server can run tasks."""
    probe: Probe = request.app.state.probe
    parts = await probe()
    is_ready = parts.get("workflows") == "ok" and parts.get("database") == "ok"
    if not is_ready:
        response.status_code = 503
    return Readiness(status="ready" if is_ready else "starting", parts=parts)
