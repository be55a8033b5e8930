"""Asking the model for its next step: one recorded step, bounded whatever the provider does."""

import time
from dataclasses import dataclass
from typing import Any

from diono.agents.codeact.reading import ANSWER_CHARACTERS
from diono.agents.errors import Cancelled
from diono.agents.port import JsonObject, Stage
from diono.agents.shapes import list_of
from diono.agents.tools.text import plain
from diono.kernel.errors import DionoError
from diono.kernel.events import EventDraft, EventType
from diono.llm.counting import estimated_prompt_tokens, estimated_tokens
from diono.llm.port import ChatRequest, ToolCall

LEAST_SECONDS = 5.0
OUT_OF_TIME = "out_of_time"


@dataclass(frozen=True)
class Answer:
    """``code`` is empty, or names why there is none; ``problem`` says it in words."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    is_cut: bool = False
    code: str = ""
    problem: str = ""


class _Enough(Exception):
    """The answer is longer than any answer may be."""


async def ask(stage: Stage, name: str, request: ChatRequest, role: str) -> Answer:
    """Ask within a step. A failing provider and a spent budget are answers with a problem."""

    async def action() -> JsonObject:
        if stage.seconds_left() < LEAST_SECONDS:
            return {"code": OUT_OF_TIME, "problem": "The time budget is used up."}
        try:
            return await _asked(stage, request, role)
        except Cancelled:
            raise
        except DionoError as error:
            return {"code": error.code, "problem": error.detail}

    result = await stage.steps.run(name, action)
    return Answer(
        text=str(result.get("text", "")),
        calls=tuple(ToolCall.model_validate(one) for one in list_of(result.get("calls"))),
        is_cut=bool(result.get("is_cut")),
        code=str(result.get("code", "")),
        problem=str(result.get("problem", "")),
    )


async def _asked(stage: Stage, request: ChatRequest, role: str) -> JsonObject:
    pieces: list[str] = []
    size = 0
    started = time.monotonic()

    async def on_text(text: str) -> None:
        nonlocal size
        text = text[: ANSWER_CHARACTERS - size + 1]
        pieces.append(text)
        size += len(text)
        rate = len(pieces) / max(time.monotonic() - started, 0.001)
        payload = {"text": plain(text), "tokens": len(pieces), "tokens_per_second": round(rate, 1)}
        await stage.emit(
            EventDraft(event_type=EventType.THINKING, agent_role=role, payload=payload)
        )
        if size > ANSWER_CHARACTERS:
            raise _Enough

    try:
        reply = await stage.model.ask(request, on_text)
    except _Enough:
        text = "".join(pieces)[:ANSWER_CHARACTERS]
        return {
            "text": text,
            "is_cut": True,
            "tokens_in": estimated_prompt_tokens(request),
            "tokens_out": estimated_tokens(text),
        }
    return {
        "text": reply.text[:ANSWER_CHARACTERS],
        "calls": [_small(call) for call in reply.tool_calls[:20]],
        "is_cut": reply.is_cut or len(reply.text) > ANSWER_CHARACTERS,
        "tokens_in": reply.usage.prompt_tokens,
        "tokens_out": reply.usage.completion_tokens,
    }


def _small(call: ToolCall) -> dict[str, Any]:
    if len(call.model_dump_json()) <= ANSWER_CHARACTERS:
        return call.model_dump(mode="json")
    return ToolCall(id=call.id[:100], name=call.name[:100], unreadable="too long").model_dump()
