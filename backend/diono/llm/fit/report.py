"""What was measured of a model, and what follows from it for those who use it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from diono.llm.port import ModelProfile

Protocol = Literal["native", "tags", "fenced"]
EditFormat = Literal["whole", "search_replace", "unified_diff"]
JsonObedience = Literal["enforced", "obeyed", "none"]
ThinkingSwitch = Literal["none", "switch", "always"]
ForecastKind = Literal["build", "solve", "change", "chat"]
Role = Literal["plan", "code", "chat", "summary"]

ROLES: tuple[Role, ...] = ("plan", "code", "chat", "summary")
# Tokens in and out that such a task takes with a small model, from the reports of the benches.
TYPICAL_TOKENS: Mapping[ForecastKind, tuple[int, int]] = {
    "build": (6000, 1500),
    "solve": (900, 240),
    "change": (4000, 900),
    "chat": (3000, 500),
}
_ABLE_STRENGTH = 0.5
_PROMPT_SHARE = 0.75
_LEAST_ANSWER_TOKENS = 256
_MOST_PROMPT_TOKENS = 24_000
_CAUTIOUS_TOKENS_PER_SECOND = 10.0
_CAUTIOUS_PROMPT_TOKENS_PER_SECOND = 100.0


class ModelFit(BaseModel):
    """How to work with one model. Facts that were not measured are listed in ``unmeasured``.

    ``protocol`` says how the model acts: ``native`` tool calls, calls between ``tags`` (see
    ``llm/tags.py``), or code in a ``fenced`` block. ``edit_format`` says how it changes a file.
    """

    model_config = ConfigDict(frozen=True)

    name: str = ""
    digest: str = ""
    is_assumed: bool = Field(default=False, description="Nothing was measured.")
    window: int = Field(description="Tokens of prompt and answer together that the model takes.")
    window_claimed: int = Field(description="What the provider says.")
    window_tested: int = Field(default=0, description="The longest prompt that was read whole.")
    recall: int = Field(
        default=0, description="Tokens back to which a fact was found; 0: it was never lost."
    )
    protocol: Protocol = "fenced"
    edit_format: EditFormat = "whole"
    supports_prefill: bool = False
    obeys_fences: bool = True
    json_answers: JsonObedience = "none"
    tools_ok: bool = False
    thinking: ThinkingSwitch = "none"
    tokens_per_second: float = _CAUTIOUS_TOKENS_PER_SECOND
    prompt_tokens_per_second: float = _CAUTIOUS_PROMPT_TOKENS_PER_SECOND
    token_ratio: float = Field(default=1.0, description="Counted tokens for one estimated.")
    prompt_budget: int = Field(description="Tokens that a prompt should not exceed.")
    tries: int = Field(default=4, description="Candidates worth asking for, at most.")
    strength: float = Field(default=0.0, ge=0.0, le=1.0, description="Share of probes passed.")
    is_local: bool = True
    probe_seconds: float = 0.0
    probed_at: datetime | None = None
    unmeasured: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def assumed(cls, profile: ModelProfile, name: str = "") -> "ModelFit":
        """Return what the provider's own facts allow to believe, with nothing measured."""
        window = profile.context_tokens
        has_tools = profile.supports_tools is True
        return cls(
            name=name,
            digest=profile.digest,
            is_assumed=True,
            window=window,
            window_claimed=window,
            protocol="native" if has_tools else "fenced",
            supports_prefill=profile.supports_prefill is True,
            json_answers="enforced" if profile.supports_json_schema else "none",
            tools_ok=has_tools,
            thinking="switch" if profile.supports_thinking else "none",
            prompt_budget=budget_of(window),
            is_local=profile.is_local,
            unmeasured=("everything",),
        )

    def applied_to(self, profile: ModelProfile) -> ModelProfile:
        """Return a provider's facts with what was measured in their place."""
        return profile.model_copy(
            update={
                "context_tokens": self.window,
                "supports_json_schema": self.json_answers == "enforced",
                "supports_prefill": self.supports_prefill,
                "supports_tools": self.tools_ok,
                "supports_thinking": self.thinking == "switch",
            }
        )

    @property
    def is_weak(self) -> bool:
        """Whether a local model is weak at acting and at summing up."""
        return self.is_local and self.strength < _ABLE_STRENGTH

    def forecasts(self) -> dict[ForecastKind, float]:
        """Return about how long a task of each kind takes."""
        return {kind: self.forecast_seconds(kind) for kind in TYPICAL_TOKENS}

    def forecast_seconds(self, kind: ForecastKind) -> float:
        """Return about how long such a task takes, by this model's speed alone."""
        prompt_tokens, answer_tokens = TYPICAL_TOKENS[kind]
        reading = prompt_tokens / max(self.prompt_tokens_per_second, 0.1)
        writing = answer_tokens / max(self.tokens_per_second, 0.1)
        return round(reading + writing, 1)


def budget_of(window: int) -> int:
    """Return the tokens of a window that a prompt may take: the answer needs its place too."""
    return max(
        window // 2,
        min(int(window * _PROMPT_SHARE), window - _LEAST_ANSWER_TOKENS, _MOST_PROMPT_TOKENS),
    )


def assign_roles(fits: Mapping[str, ModelFit]) -> dict[Role, str]:
    """Return which of several models, by name, is the best for each role; empty for none."""
    if not fits:
        return {}
    names = sorted(fits)

    def quality(name: str) -> tuple[float, float]:
        return fits[name].strength, fits[name].tokens_per_second

    return {
        "plan": max(
            names, key=lambda name: (fits[name].json_answers == "enforced", *quality(name))
        ),
        "code": max(names, key=quality),
        "chat": max(names, key=lambda name: (fits[name].tools_ok, *quality(name))),
        "summary": max(names, key=lambda name: (fits[name].is_local, fits[name].tokens_per_second)),
    }
