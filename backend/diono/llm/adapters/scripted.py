"""A model that answers by a script: for demonstrations and tests, always the same way.

A script is a list of rules; the first whose ``when`` matches the last user message answers.
"""

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
    FinishReason,
    ModelInfo,
    ModelProfile,
    PullProgress,
    Usage,
)
from diono.llm.providers import LlmConfig
from diono.llm.streaming import (
    ChunkStream,
    StreamLimits,
    deliver,
    estimate_tokens,
    prompt_characters,
)

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


class Rule(BaseModel):
    """``reply`` may be several texts: one for each time the rule answers, the last one repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: str = Field(default="", description="Regular expression, searched across lines.")
    reply: str | tuple[str, ...] = ""
    fault: Literal["", "timeout", "unreachable", "rate_limited", "failed", "bad_reply"] = ""
    fault_times: int = Field(default=1_000_000, description="Fail that often, then reply.")
    is_endless: bool = Field(default=False, description="Repeat the reply until cancelled.")
    hangs: bool = Field(default=False, description="Never answer.")


class Script(BaseModel):
    """The rules of one scripted model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Rule, ...]
    context_tokens: int = 32_768
    seconds_per_token: float = Field(default=0.0, ge=0.0)


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
            supports_json_schema=True,
            supports_prefill=True,
            is_local=True,
        )

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        return deliver(lambda: self._stream(model, request), request, self._limits)

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
        prompt_tokens = estimate_tokens(prompt_characters(request))
        if prompt_tokens > script.context_tokens:
            raise ContextExceeded(
                f"The prompt has {prompt_tokens} tokens, the script's context is "
                f"{script.context_tokens}. Shorten the request."
            )
        rule, text = self._reply(model, script, request)
        self.generating += 1
        try:
            if rule.hangs:
                await asyncio.Event().wait()
            async for chunk in _spoken(text, rule, script, request, prompt_tokens):
                yield chunk
        finally:
            self.generating -= 1

    def _reply(self, model: str, script: Script, request: ChatRequest) -> tuple[Rule, str]:
        if model == RUBBISH:
            return Rule(), _nonsense(request)
        question = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        for index, rule in enumerate(script.rules):
            if not re.search(rule.when, question, re.DOTALL | re.MULTILINE):
                continue
            uses = self._uses.setdefault((model, index), _Uses())
            if rule.fault and uses.faults < rule.fault_times:
                uses.faults += 1
                raise _FAULTS[rule.fault](f"The script says so: {rule.fault}. Change the script.")
            replies = (rule.reply,) if isinstance(rule.reply, str) else rule.reply
            text = replies[min(uses.replies, len(replies) - 1)] if replies else ""
            uses.replies += 1
            return rule, _after_prefill(text, request)
        raise RequestRefused(
            f"No rule of the script {model!r} matches {question[:80]!r}. Add a rule with an empty "
            "'when' at the end to answer everything."
        )


async def _spoken(
    text: str, rule: Rule, script: Script, request: ChatRequest, prompt_tokens: int
) -> ChunkStream:
    for stop in request.stop:
        text = text.partition(stop)[0]
    tokens: list[str] = _TOKENS.findall(text)
    said = 0
    while said < request.max_tokens and tokens and (rule.is_endless or said < len(tokens)):
        yield ChatChunk(text=tokens[said % len(tokens)])
        said += 1
        # Even without a pause other tasks get their turn between two tokens, as with a real model.
        await asyncio.sleep(script.seconds_per_token)
    was_cut = said < len(tokens) or rule.is_endless
    yield ChatChunk(
        finish=FinishReason.LENGTH if was_cut else FinishReason.STOP,
        usage=Usage(prompt_tokens=prompt_tokens, completion_tokens=said),
    )


def _after_prefill(text: str, request: ChatRequest) -> str:
    """A reply that repeats the begun answer goes on where that ends."""
    last = request.messages[-1] if request.messages else None
    if last is not None and last.role == "assistant":
        return text.removeprefix(last.content)
    return text


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
