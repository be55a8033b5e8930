"""A model that answers by a script: for demonstrations and tests, always the same way.

A script is a list of rules; the first whose ``when`` matches the last user message answers.
"""

import asyncio
import hashlib
import json
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diono.llm.counting import refuse_cut
from diono.llm.errors import (
    BadProviderReply,
    ContextExceeded,
    ModelError,
    ModelNotFound,
    ProviderFailed,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
    RequestRefused,
)
from diono.llm.port import (
    ChatChunk,
    ChatRequest,
    Embeddings,
    FinishReason,
    ModelInfo,
    ModelProfile,
    PullProgress,
    ToolCall,
    Usage,
)
from diono.llm.providers import LlmConfig
from diono.llm.streaming import (
    CHARACTERS_PER_TOKEN,
    ChunkStream,
    StreamLimits,
    deliver,
    estimate_tokens,
    prompt_characters,
)
from diono.llm.wire import call_id_of, read_call
from diono.llm.word_vectors import words_vector

RUBBISH = "rubbish"

_FAULTS: Mapping[str, type[ModelError]] = {
    "timeout": ProviderTimeout,
    "unreachable": ProviderUnreachable,
    "rate_limited": RateLimited,
    "failed": ProviderFailed,
    "bad_reply": BadProviderReply,
}
_TOKENS = re.compile(r"\s*\S+|\s+$")
_SYLLABLES = ("bla", "zor", "{", "def", "qux", "```", "]", "fnord", "0x", "lorem", ";", "\n")
_RUBBISH_TOKENS = 120


class Say(BaseModel):
    """One answer: text, thinking before it, tool calls after it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = ""
    thinking: str = ""
    calls: tuple[dict[str, Any], ...] = Field(default=(), description="Each: name, arguments.")


Answer = str | Say


class Rule(BaseModel):
    """``reply`` may be several answers: one for each time the rule answers, the last repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: str = Field(default="", description="Regular expression, searched across lines.")
    after_tool: str | None = Field(
        default=None, description="Answers only after a tool's result, which this must match."
    )
    reply: Answer | tuple[Answer, ...] = ""
    fault: Literal["", "timeout", "unreachable", "rate_limited", "failed", "bad_reply"] = ""
    fault_times: int = Field(default=1_000_000, description="Fail that often, then reply.")
    is_endless: bool = Field(default=False, description="Repeat the reply until cancelled.")
    hangs: bool = Field(default=False, description="Never answer.")


class Script(BaseModel):
    """The rules of one scripted model, and how good or bad a server plays it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Rule, ...]
    context_tokens: int = 32_768
    cuts_silently_at: int | None = Field(
        default=None, description="Tokens of a prompt that are read; the older ones are lost."
    )
    seconds_per_token: float = Field(default=0.0, ge=0.0)
    supports_json_schema: bool = True
    supports_prefill: bool = True
    supports_tools: bool | None = True
    supports_thinking: bool | None = False
    continues_begun_answers: bool = True
    is_measurable: bool = Field(default=False, description="Whether probes are of any use.")


@dataclass
class _Uses:
    """How often one rule failed and replied."""

    faults: int = 0
    replies: int = 0


class ScriptedModels:
    """Scripts by name, and ``rubbish``, which answers nonsense to everything."""

    provider = "scripted"

    def __init__(self, scripts: Mapping[str, Script], limits: StreamLimits) -> None:
        self._scripts = {**scripts, RUBBISH: Script(rules=())}
        self._limits = limits
        self._uses: dict[tuple[str, int], _Uses] = {}
        self.generating = 0

    async def list(self) -> Sequence[ModelInfo]:
        note = "answers by a script, not a language model"
        return [
            ModelInfo(name=f"scripted/{name}", provider="scripted", note=note)
            for name in self._scripts
        ]

    async def profile(self, model: str) -> ModelProfile:
        script = self._script(model)
        return ModelProfile(
            context_tokens=script.context_tokens,
            supports_json_schema=script.supports_json_schema,
            supports_prefill=script.supports_prefill,
            supports_tools=script.supports_tools,
            supports_thinking=script.supports_thinking,
            is_local=True,
            is_measurable=script.is_measurable,
            digest=f"script:{_digest_of(script)}",
        )

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        return deliver(lambda: self._stream(model, request), request, self._limits)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """Return a bag of words as a vector: texts that share words are near each other."""
        self._script(model)
        vectors = tuple(words_vector(text) for text in texts)
        count = sum(estimate_tokens(len(text)) for text in texts)
        return Embeddings(vectors=vectors, usage=Usage(prompt_tokens=count, completion_tokens=0))

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        self._script(model)
        yield PullProgress(status="ready")

    async def close(self) -> None:
        self._uses.clear()

    def _script(self, model: str) -> Script:
        if model not in self._scripts:
            raise ModelNotFound(f"There is no script {model!r}. Have: {', '.join(self._scripts)}.")
        return self._scripts[model]

    async def _stream(self, model: str, request: ChatRequest) -> ChunkStream:
        script = self._script(model)
        sent_tokens = estimate_tokens(prompt_characters(request))
        if sent_tokens > script.context_tokens:
            raise ContextExceeded(
                f"The prompt has {sent_tokens} tokens, the script's context is "
                f"{script.context_tokens}. Shorten the request."
            )
        read_tokens = min(sent_tokens, script.cuts_silently_at or sent_tokens)
        rule, say = self._reply(model, script, request)
        self.generating += 1
        try:
            if rule.hangs:
                await asyncio.Event().wait()
            if say.thinking and request.thinking is not False:
                yield ChatChunk(thinking=say.thinking)
            async for chunk in _spoken(say, rule, script, request):
                usage = chunk.usage and chunk.usage.model_copy(
                    update={"prompt_tokens": read_tokens}
                )
                if usage:
                    refuse_cut(request, read_tokens, f"The script {model!r}")
                yield chunk.model_copy(update={"usage": usage})
        finally:
            self.generating -= 1

    def _reply(self, model: str, script: Script, request: ChatRequest) -> tuple[Rule, Say]:
        if model == RUBBISH:
            return Rule(), Say(text=_nonsense(request))
        question = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        if script.cuts_silently_at is not None:
            question = question[-round(script.cuts_silently_at * CHARACTERS_PER_TOKEN) :]
        for index, rule in enumerate(script.rules):
            if not _matches(rule, question, request):
                continue
            uses = self._uses.setdefault((model, index), _Uses())
            if rule.fault and uses.faults < rule.fault_times:
                uses.faults += 1
                raise _FAULTS[rule.fault](f"The script says so: {rule.fault}. Change the script.")
            replies = rule.reply if isinstance(rule.reply, tuple) else (rule.reply,)
            answer = replies[min(uses.replies, len(replies) - 1)] if replies else ""
            uses.replies += 1
            say = Say(text=answer) if isinstance(answer, str) else answer
            if script.continues_begun_answers:
                say = say.model_copy(update={"text": _after_prefill(say.text, request)})
            return rule, say
        raise RequestRefused(
            f"No rule of the script {model!r} matches {question[:80]!r}. Add a rule with an empty "
            "'when' at the end to answer everything."
        )


def _matches(rule: Rule, question: str, request: ChatRequest) -> bool:
    last = request.messages[-1] if request.messages else None
    result = last.content if last is not None and last.role == "tool" else None
    if rule.after_tool is not None and (
        result is None or not re.search(rule.after_tool, result, re.DOTALL | re.MULTILINE)
    ):
        return False
    return bool(re.search(rule.when, question, re.DOTALL | re.MULTILINE))


async def _spoken(say: Say, rule: Rule, script: Script, request: ChatRequest) -> ChunkStream:
    text = say.text
    for stop in request.stop:
        text = text.partition(stop)[0]
    tokens: list[str] = _TOKENS.findall(text)
    said = 0
    while said < request.max_tokens and tokens and (rule.is_endless or said < len(tokens)):
        yield ChatChunk(text=tokens[said % len(tokens)])
        said += 1
        # Even without a pause other tasks get their turn between two tokens, as with a real model.
        await asyncio.sleep(script.seconds_per_token)
    finish = FinishReason.STOP
    if said < len(tokens) or rule.is_endless:
        finish = FinishReason.LENGTH
    elif say.calls and request.tools:
        yield ChatChunk(tool_calls=_calls_of(say))
        finish = FinishReason.TOOLS
    yield ChatChunk(finish=finish, usage=Usage(prompt_tokens=0, completion_tokens=said))


def _calls_of(say: Say) -> tuple[ToolCall, ...]:
    return tuple(
        read_call(call_id_of(number), str(call.get("name", "")), call.get("arguments", {}))
        for number, call in enumerate(say.calls)
    )


def _after_prefill(text: str, request: ChatRequest) -> str:
    """A reply that repeats the begun answer goes on where that ends."""
    last = request.messages[-1] if request.messages else None
    if last is not None and last.role == "assistant":
        return text.removeprefix(last.content)
    return text


def _digest_of(script: Script) -> str:
    return hashlib.sha256(script.model_dump_json().encode()).hexdigest()


def _nonsense(request: ChatRequest) -> str:
    dice = random.Random(f"{request.seed} {request.messages}")  # noqa: S311  no secret
    words = [dice.choice(_SYLLABLES) for _ in range(dice.randint(1, _RUBBISH_TOKENS))]
    return " ".join(words)


def load_script(file: Path) -> Script:
    """Read a script from a YAML or JSON file: a list of rules, or a mapping with ``rules``."""
    try:
        text = file.read_text(encoding="utf-8")
        content = cast(
            "object", json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
        )
        return Script.model_validate({"rules": content} if isinstance(content, list) else content)
    except (OSError, ValueError, yaml.YAMLError, ValidationError) as error:
        raise RequestRefused(f"The script {file} cannot be read: {error}") from error


def build(config: LlmConfig) -> ScriptedModels:
    """Build the provider from the configuration; the script file's name is the model's name."""
    scripts = {config.script.stem: load_script(config.script)} if config.script else {}
    return ScriptedModels(scripts, StreamLimits(idle_seconds=config.idle_seconds))
