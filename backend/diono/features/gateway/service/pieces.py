"""An answer on its way, whoever gives it, and its forms on OpenAI's wire."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from diono.kernel.errors import DionoError
from diono.llm.port import ToolCall, Usage

JsonObject = dict[str, Any]


class AnswerFailed(DionoError):
    """An agent's task ended by a fault; ``cause`` is the fault's own code."""

    code = "answer_failed"

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


@dataclass(frozen=True)
class Piece:
    """``content`` is the answer; ``reasoning`` is what leads to it; ``extra`` is our own. An empty
    piece is a sign of life. The last one has ``finish`` and ``usage``."""

    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    usage: Usage | None = None
    extra: JsonObject = field(default_factory=dict[str, Any])

    @property
    def is_empty(self) -> bool:
        return not (self.content or self.reasoning or self.tool_calls or self.finish)


@dataclass(frozen=True)
class Form:
    """What every part of one answer carries."""

    answer_id: str
    model: str
    created: int
    has_usage: bool = False

    def chunk(self, delta: JsonObject, finish: str | None = None) -> JsonObject:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def opening(self) -> JsonObject:
        return self.chunk({"role": "assistant", "content": ""})

    def chunks(self, piece: Piece) -> list[JsonObject]:
        """Return the chunks that tell a piece."""
        found: list[JsonObject] = []
        if piece.reasoning:
            found.append(self.chunk({"reasoning_content": piece.reasoning}))
        if piece.content:
            found.append(self.chunk({"content": piece.content}))
        if piece.tool_calls:
            calls = [{"index": at, **_call(call)} for at, call in enumerate(piece.tool_calls)]
            found.append(self.chunk({"tool_calls": calls}))
        if piece.finish:
            found.append({**self.chunk({}, piece.finish), **piece.extra})
        if piece.finish and self.has_usage:
            head = self._head("chat.completion.chunk")
            found.append({**head, "choices": [], "usage": _usage(piece.usage)})
        return found

    def whole(self, pieces: Sequence[Piece]) -> JsonObject:
        """Return the answer that the pieces make up."""
        last = pieces[-1] if pieces else Piece(finish="stop")
        calls = [_call(call) for piece in pieces for call in piece.tool_calls]
        content = "".join(piece.content for piece in pieces)
        message: JsonObject = {"role": "assistant", "content": content or (None if calls else "")}
        reasoning = "".join(piece.reasoning for piece in pieces)
        if reasoning:
            message["reasoning_content"] = reasoning
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": last.finish}
        head = self._head("chat.completion")
        return {**head, "choices": [choice], "usage": _usage(last.usage), **last.extra}

    def _head(self, kind: str) -> JsonObject:
        return {
            "id": self.answer_id,
            "object": kind,
            "created": self.created,
            "model": self.model,
        }


def _call(call: ToolCall) -> JsonObject:
    arguments = call.unreadable or json.dumps(call.arguments)
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _usage(usage: Usage | None) -> JsonObject:
    known = usage or Usage(prompt_tokens=0, completion_tokens=0)
    return {
        "prompt_tokens": known.prompt_tokens,
        "completion_tokens": known.completion_tokens,
        "total_tokens": known.prompt_tokens + known.completion_tokens,
    }
