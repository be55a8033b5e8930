"""How Ollama, OpenAI and Anthropic write the same things on the wire."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from diono.llm.word_vectors import words_vector

Json = dict[str, Any]

CONTEXT_TOKENS = 600


@dataclass(frozen=True)
class Ask:
    """What a chat request asks for, whatever the dialect."""

    model: str
    messages: list[Json]
    max_tokens: int
    stop: list[str]
    schema: Json | None
    context_tokens: int
    has_tools: bool = False


@dataclass(frozen=True)
class Call:
    """A tool call that the fake model makes; ``arguments`` is JSON text, perhaps damaged."""

    name: str
    arguments: str


class Dialect(Protocol):
    content_type: str
    cuts_silently: bool

    def is_chat(self, path: str) -> bool: ...
    def ask(self, body: Json) -> Ask: ...
    def other(self, path: str, body: Json, models: list[str]) -> tuple[int, Json]: ...
    def opening(self, prompt_tokens: int) -> bytes: ...
    def piece(self, text: str) -> bytes: ...
    def thought(self, text: str) -> bytes: ...
    def calls(self, calls: list[Call]) -> bytes: ...
    def ending(self, reason: str, prompt_tokens: int, completion_tokens: int) -> bytes: ...
    def fault(self, status: int, message: str) -> Json: ...


def _line(content: Json) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _event(content: Json, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(content)}\n\n".encode()


class OllamaDialect:
    content_type = "application/x-ndjson"
    cuts_silently = True

    def is_chat(self, path: str) -> bool:
        return path == "/api/chat"

    def ask(self, body: Json) -> Ask:
        options = body["options"]
        return Ask(
            model=body["model"],
            messages=body["messages"],
            max_tokens=options["num_predict"],
            stop=options.get("stop", []),
            schema=body.get("format"),
            context_tokens=options["num_ctx"],
            has_tools=bool(body.get("tools")),
        )

    def other(self, path: str, body: Json, models: list[str]) -> tuple[int, Json]:
        if path == "/api/version":
            return 200, {"version": "0.99.0"}
        if path == "/api/tags":
            details = {"parameter_size": "7B"}
            return 200, {
                "models": [
                    {"model": m, "size": 10, "details": details, "digest": f"d-{m}"} for m in models
                ]
            }
        if path == "/api/show" and body.get("model") in models:
            more = ["thinking"] if body["model"] == "thinker" else []
            return 200, {
                "model_info": {"fake.context_length": CONTEXT_TOKENS},
                "template": "{{ if not $last }}end{{ end }}",
                "capabilities": ["completion", "tools", *more],
            }
        if path == "/api/embed" and body.get("model") in models:
            vectors = [words_vector(text) for text in body["input"]]
            return 200, {"embeddings": vectors, "prompt_eval_count": len(vectors)}
        return 404, self.fault(404, f"model '{body.get('model')}' not found")

    def opening(self, prompt_tokens: int) -> bytes:
        return b""

    def piece(self, text: str) -> bytes:
        return _line({"message": {"role": "assistant", "content": text}, "done": False})

    def thought(self, text: str) -> bytes:
        message = {"role": "assistant", "content": "", "thinking": text}
        return _line({"message": message, "done": False})

    def calls(self, calls: list[Call]) -> bytes:
        functions = [
            {"function": {"name": call.name, "arguments": json.loads(call.arguments)}}
            for call in calls
        ]
        message = {"role": "assistant", "content": "", "tool_calls": functions}
        return _line({"message": message, "done": False})

    def ending(self, reason: str, prompt_tokens: int, completion_tokens: int) -> bytes:
        return _line(
            {
                "message": {"role": "assistant", "content": ""},
                "done": True,
                "done_reason": "length" if reason == "length" else "stop",
                "prompt_eval_count": prompt_tokens,
                "eval_count": completion_tokens,
            }
        )

    def fault(self, status: int, message: str) -> Json:
        return {"error": message}


class OpenAiDialect:
    content_type = "text/event-stream"
    cuts_silently = False

    def is_chat(self, path: str) -> bool:
        return path == "/v1/chat/completions"

    def ask(self, body: Json) -> Ask:
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        return Ask(
            model=body["model"],
            messages=body["messages"],
            max_tokens=body["max_tokens"],
            stop=body.get("stop", []),
            schema=schema,
            context_tokens=CONTEXT_TOKENS,
            has_tools=bool(body.get("tools")),
        )

    def other(self, path: str, body: Json, models: list[str]) -> tuple[int, Json]:
        if path == "/v1/embeddings" and body.get("model") in models:
            vectors = [words_vector(text) for text in body["input"]]
            data = [
                {"object": "embedding", "index": index, "embedding": vector}
                for index, vector in enumerate(vectors)
            ]
            usage = {"prompt_tokens": len(vectors), "total_tokens": len(vectors)}
            # The order of the entries is not promised.
            return 200, {"object": "list", "data": data[::-1], "model": "m", "usage": usage}
        if path == "/v1/models":
            data = [
                {"id": m, "object": "model", "created": 1, "max_model_len": CONTEXT_TOKENS}
                for m in models
            ]
            return 200, {"object": "list", "data": data}
        return 404, self.fault(404, "not found")

    def opening(self, prompt_tokens: int) -> bytes:
        return _event(self._chunk({"role": "assistant", "content": ""}))

    def piece(self, text: str) -> bytes:
        return _event(self._chunk({"content": text}))

    def thought(self, text: str) -> bytes:
        return _event(self._chunk({"reasoning_content": text}))

    def calls(self, calls: list[Call]) -> bytes:
        out = b""
        for index, call in enumerate(calls):
            start = {"id": f"c{index}", "type": "function", "function": {"name": call.name}}
            out += _event(self._chunk({"tool_calls": [{"index": index, **start}]}))
            for piece in (call.arguments[:5], call.arguments[5:]):
                part = {"index": index, "function": {"arguments": piece}}
                out += _event(self._chunk({"tool_calls": [part]}))
        return out

    def ending(self, reason: str, prompt_tokens: int, completion_tokens: int) -> bytes:
        last = self._chunk({}, reason)
        counts = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
        usage = {**self._chunk({}), "choices": [], "usage": {**counts, "total_tokens": 0}}
        return _event(last) + _event(usage) + b"data: [DONE]\n\n"

    def fault(self, status: int, message: str) -> Json:
        return {"error": {"message": message, "type": "fake", "code": None}}

    def _chunk(self, delta: Json, finish: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {
            "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [choice],
        }  # fmt: skip


class AnthropicDialect:
    content_type = "text/event-stream"
    cuts_silently = False

    def is_chat(self, path: str) -> bool:
        return path == "/v1/messages"

    def ask(self, body: Json) -> Ask:
        return Ask(
            model=body["model"],
            messages=body["messages"],
            max_tokens=body["max_tokens"],
            stop=body.get("stop_sequences", []),
            schema=body.get("output_config", {}).get("format", {}).get("schema"),
            context_tokens=CONTEXT_TOKENS,
            has_tools=bool(body.get("tools")),
        )

    def other(self, path: str, body: Json, models: list[str]) -> tuple[int, Json]:
        entries = [
            {"id": m, "type": "model", "display_name": m, "created_at": "2026-01-01T00:00:00Z"}
            for m in models
        ]
        if path == "/v1/models":
            return 200, {"data": entries, "has_more": False, "first_id": None, "last_id": None}
        for entry in entries:
            if path == f"/v1/models/{entry['id']}":
                return 200, entry
        return 404, self.fault(404, "not found")

    def opening(self, prompt_tokens: int) -> bytes:
        message = {
            "id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [],
            "stop_reason": None, "stop_sequence": None,
            "usage": {"input_tokens": prompt_tokens, "output_tokens": 0},
        }  # fmt: skip
        block = {"type": "text", "text": ""}
        return (
            _event({"type": "message_start", "message": message}, "message_start")
            + _event({"type": "ping"}, "ping")
            + _event(
                {"type": "content_block_start", "index": 0, "content_block": block},
                "content_block_start",
            )
        )

    def piece(self, text: str) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return _event(
            {"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta"
        )

    def thought(self, text: str) -> bytes:
        delta = {"type": "thinking_delta", "thinking": text}
        return _event(
            {"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta"
        )

    def calls(self, calls: list[Call]) -> bytes:
        out = b""
        for index, call in enumerate(calls, start=1):
            block = {"type": "tool_use", "id": f"t{index}", "name": call.name, "input": {}}
            start = {"type": "content_block_start", "index": index, "content_block": block}
            out += _event(start, "content_block_start")
            for piece in (call.arguments[:5], call.arguments[5:]):
                delta = {"type": "input_json_delta", "partial_json": piece}
                event = {"type": "content_block_delta", "index": index, "delta": delta}
                out += _event(event, "content_block_delta")
            out += _event({"type": "content_block_stop", "index": index}, "content_block_stop")
        return out

    def ending(self, reason: str, prompt_tokens: int, completion_tokens: int) -> bytes:
        reasons = {"length": "max_tokens", "stop": "end_turn", "tool_calls": "tool_use"}
        delta = {"stop_reason": reasons[reason], "stop_sequence": None}
        usage = {"output_tokens": completion_tokens}
        return (
            _event({"type": "content_block_stop", "index": 0}, "content_block_stop")
            + _event({"type": "message_delta", "delta": delta, "usage": usage}, "message_delta")
            + _event({"type": "message_stop"}, "message_stop")
        )

    def fault(self, status: int, message: str) -> Json:
        return {"type": "error", "error": {"type": "fake", "message": message}}
