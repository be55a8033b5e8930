"""What the servers of the tools folder offer: asked once a process, or later if one was broken."""

import time
from dataclasses import dataclass

from diono.agents.errors import Cancelled
from diono.agents.port import JsonObject, Stage
from diono.agents.shapes import list_of
from diono.agents.tools.mcp_tools import McpServer
from diono.kernel.errors import DionoError

_AGAIN_SECONDS = 300.0


@dataclass(frozen=True)
class _Offer:
    """``asked_at`` is of the monotonic clock."""

    tools: list[JsonObject]
    problem: str
    asked_at: float


_offers: dict[str, _Offer] = {}


async def offered_by(stage: Stage, server: McpServer, digest: str) -> tuple[list[JsonObject], str]:
    """Return the tools of a server and, if it does not work, why. One recorded step."""

    async def action() -> JsonObject:
        known = _offers.get(digest)
        is_stale = known is not None and time.monotonic() - known.asked_at > _AGAIN_SECONDS
        if known is None or (known.problem and is_stale):
            known = await _asked(stage, server)
            _offers[digest] = known
        return {"tools": known.tools, "problem": known.problem}

    result = await stage.steps.run(f"tools of {server.declared.name}", action)
    return list(list_of(result["tools"])), str(result["problem"])


async def _asked(stage: Stage, server: McpServer) -> _Offer:
    try:
        return _Offer(await server.described(stage), "", time.monotonic())
    except Cancelled:
        raise
    except DionoError as error:
        return _Offer([], error.detail[:300], time.monotonic())
