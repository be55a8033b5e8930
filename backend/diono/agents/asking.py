"""Asking the model: one recorded step a question, tokens shown as they come, failures recorded."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diono.agents.meter import Run
from diono.agents.parsing import json_of
from diono.agents.port import Action, JsonObject
from diono.kernel.events import EventDraft, EventType
from diono.llm.errors import ModelError
from diono.llm.port import ChatRequest, Message

MINIMUM_SECONDS = 5.0
# Far more than any file of a build; what is recorded stays small, whatever a server sends.
MOST_CHARACTERS = 60_000


@dataclass(frozen=True)
class Answer:
    """``problem`` is empty, or says why there is no text (the provider failed, no time left)."""

    text: str
    is_cut: bool = False
    problem: str = ""
    is_out_of_time: bool = False


@dataclass(frozen=True)
class Ask:
    """One question: its step's name, what to ask, and the file that it is about."""

    step: str
    request: ChatRequest
    title: str = ""


async def ask(run: Run, step: str, request: ChatRequest, title: str = "") -> Answer:
    """Ask the model within a recorded step. A failing provider is an answer with a problem."""
    return (await ask_together(run, [Ask(step, request, title)]))[0]


async def ask_together(run: Run, asks: Sequence[Ask]) -> list[Answer]:
    """Ask independent questions side by side, each as ``ask`` does."""
    results = await run.together([(one.step, _action_of(run, one)) for one in asks])
    answers = [_answer_of(one) for one in results]
    for answer in answers:
        if answer.problem:
            await run.log(f"The model gave no answer: {answer.problem}", "warning")
    return answers


def _action_of(run: Run, question: Ask) -> Action:
    # A step of a lane runs outside of it: who speaks is settled here.
    speaker = run.speaker

    async def action() -> JsonObject:
        if run.stage.seconds_left() < MINIMUM_SECONDS:
            return {"problem": "the time budget is used up", "out_of_time": True}
        started = time.monotonic()
        pieces = 0

        async def on_text(text: str) -> None:
            nonlocal pieces
            pieces += 1
            rate = pieces / max(time.monotonic() - started, 0.001)
            payload = {"text": text, "tokens": pieces, "tokens_per_second": round(rate, 1)}
            if question.title:
                payload["file"] = question.title
            await run.stage.emit(
                EventDraft(event_type=EventType.THINKING, agent_role=speaker, payload=payload)
            )

        try:
            reply = await run.stage.model.ask(question.request, on_text)
        except ModelError as error:
            return {"problem": f"{error.code}: {error.detail}"}
        return {
            "text": reply.text[:MOST_CHARACTERS],
            "is_cut": reply.is_cut or len(reply.text) > MOST_CHARACTERS,
            "tokens_in": reply.usage.prompt_tokens,
            "tokens_out": reply.usage.completion_tokens,
        }

    return action


def _answer_of(result: JsonObject) -> Answer:
    return Answer(
        text=str(result.get("text", "")),
        is_cut=bool(result.get("is_cut")),
        problem=str(result.get("problem", "")),
        is_out_of_time=bool(result.get("out_of_time")),
    )


async def ask_json(
    run: Run,
    step: str,
    chat: tuple[Message, ...],
    schema: dict[str, Any],
    max_tokens: int = 500,
) -> Any:
    """Ask for JSON, with the schema where the server can hold the model to it. One fresh try at a
    higher temperature; None if there is no JSON then either."""
    can_hold = run.stage.model.profile.supports_json_schema
    if not can_hold:
        chat = _with_shape(chat, schema)
    for attempt, temperature in enumerate((0.0, 0.7)):
        request = ChatRequest(
            messages=chat,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=attempt + 1,
            json_schema=schema if can_hold else None,
        )
        answer = await ask(run, f"{step}.{attempt + 1}", request)
        if answer.problem:
            return None
        try:
            return json_of(answer.text)
        except ValueError:
            continue
    return None


def _with_shape(chat: tuple[Message, ...], schema: dict[str, Any]) -> tuple[Message, ...]:
    shape = f"\nThe JSON has this shape: {example_of(schema)}"
    last = chat[-1]
    return (*chat[:-1], last.model_copy(update={"content": last.content + shape}))


def example_of(schema: dict[str, Any]) -> str:
    """Write a schema as a short sample that models without enforcement can copy."""
    if "enum" in schema:
        return '"' + "|".join(str(value) for value in schema["enum"]) + '"'
    if schema.get("type") == "object":
        pairs = [f'"{key}": {example_of(value)}' for key, value in schema["properties"].items()]
        return "{" + ", ".join(pairs) + "}"
    if schema.get("type") == "array":
        return f"[{example_of(schema['items'])}, ...]"
    return '"..."' if schema.get("type") == "string" else "0"
