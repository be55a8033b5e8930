"""Measure one model, within a budget of seconds, and say how to work with it."""

import time
from collections.abc import Awaitable, Callable
from statistics import median

from pydantic import BaseModel, ConfigDict

from diono.llm.fit.bench import Bench, Subject
from diono.llm.fit.report import ModelFit, Protocol, budget_of
from diono.llm.fit.skills import (
    Skills,
    probe_code,
    probe_edits,
    probe_json,
    probe_prefill,
    probe_reading,
    probe_thinking,
    probe_tools,
)
from diono.llm.fit.window import WindowFacts, probe_window
from diono.llm.port import ModelProfile

PROBES_VERSION = 1
BUDGET_SECONDS = 90.0
# Weights may come from a slow disk: loading them is no part of the budget.
_LOAD_SECONDS = 180.0
_WINDOW_SHARE = 0.4
_LEAST_PROBE_SECONDS = 4.0
_ANSWER_TOKENS = 240
_SECONDS_FOR_TRIES = 120.0

Probe = Callable[[Bench, Skills], Awaitable[None]]

_PROBES: tuple[tuple[str, str, Probe], ...] = (
    ("thinking", "Whether it thinks, and can be told not to", probe_thinking),
    ("code", "Whether it answers with a code block, and how fast", probe_code),
    ("prefill", "Whether it goes on with a begun answer", probe_prefill),
    ("json", "Whether it keeps to a JSON schema", probe_json),
    ("tools", "Whether it calls tools", probe_tools),
    ("edits", "How it changes a file best", probe_edits),
    ("reading", "How well it reads code", probe_reading),
)
_WINDOW_AFTER = "json"


def fit_key(profile: ModelProfile) -> str:
    """Name what a measurement is valid for; empty if the provider does not name the weights."""
    if not profile.digest:
        return ""
    return f"{profile.digest}:{profile.context_tokens}:{PROBES_VERSION}"


class FitProgress(BaseModel):
    """What is measured now: probe ``number`` of ``total``."""

    model_config = ConfigDict(frozen=True)

    probe: str
    title: str
    number: int
    total: int
    seconds: float


OnProgress = Callable[[FitProgress], Awaitable[None]]


async def measure(
    subject: Subject,
    name: str,
    budget_seconds: float = BUDGET_SECONDS,
    on_progress: OnProgress | None = None,
) -> ModelFit:
    """Return what was measured. Cancelling stops it. Raises what the model's first answer raises:
    without any answer nothing can be measured."""
    run = _Measurement(subject, name, budget_seconds, on_progress)
    return await run.run()


class _Measurement:
    def __init__(
        self, subject: Subject, name: str, budget_seconds: float, on_progress: OnProgress | None
    ) -> None:
        self._name = name
        self._budget_seconds = budget_seconds
        self._on_progress = on_progress
        self._began_at = time.monotonic()
        self._bench = Bench(subject, self._began_at + _LOAD_SECONDS)
        self._skills = Skills()
        self._window = WindowFacts()
        self._unmeasured: list[str] = []
        self._number = 0

    async def run(self) -> ModelFit:
        await self._tell("load", "Loading the model")
        first = await self._bench.say("Say OK.", 8, _LOAD_SECONDS)
        if first.problem is not None:
            raise first.problem
        started = time.monotonic()
        self._bench.ends_at = started + self._budget_seconds
        for probe, title, measure_it in _PROBES:
            await self._one(probe, title, measure_it)
            if probe == _WINDOW_AFTER:
                await self._probe_window()
        return self._fit(time.monotonic() - started)

    async def _one(self, probe: str, title: str, measure_it: Probe) -> None:
        await self._tell(probe, title)
        if self._bench.seconds_left < _LEAST_PROBE_SECONDS:
            self._unmeasured.append(probe)
            return
        scores = dict(self._skills.scores)
        await measure_it(self._bench, self._skills)
        if self._bench.seconds_left <= 0:
            # Cut answers are no proof of anything: what ended with the budget was not measured.
            self._unmeasured.append(probe)
            self._skills.scores = scores

    async def _probe_window(self) -> None:
        await self._tell("window", "How long a prompt it takes")
        if self._bench.seconds_left < _LEAST_PROBE_SECONDS:
            self._unmeasured.append("window")
            return
        seconds = min(self._bench.seconds_left, self._budget_seconds * _WINDOW_SHARE)
        self._window = await probe_window(self._bench, seconds)

    async def _tell(self, probe: str, title: str) -> None:
        self._number += 1
        if self._on_progress is None:
            return
        seconds = round(time.monotonic() - self._began_at, 1)
        total = len(_PROBES) + 2
        await self._on_progress(
            FitProgress(probe=probe, title=title, number=self._number, total=total, seconds=seconds)
        )

    def _fit(self, seconds: float) -> ModelFit:
        profile = self._bench.subject.profile
        skills, window = self._skills, self._window
        assumed = ModelFit.assumed(profile, self._name)
        is_timed = self._bench.tokens_per_second > 0
        tokens_per_second = self._bench.tokens_per_second or assumed.tokens_per_second
        speeds = self._bench.prompt_speeds
        strength = sum(skills.scores.values()) / len(skills.scores) if skills.scores else 0.0
        return assumed.model_copy(
            update={
                "is_assumed": False,
                "window": _window_of(profile, window),
                "window_tested": window.tested,
                "protocol": _protocol(skills),
                "edit_format": skills.edit_format,
                "supports_prefill": skills.supports_prefill,
                "obeys_fences": skills.obeys_fences,
                "json_answers": skills.json_answers,
                "tools_ok": skills.tools_ok,
                "thinking": skills.thinking,
                "tokens_per_second": round(tokens_per_second, 1),
                "prompt_tokens_per_second": round(
                    median(speeds) if speeds else assumed.prompt_tokens_per_second, 1
                ),
                "token_ratio": round(window.token_ratio, 3),
                "prompt_budget": budget_of(_window_of(profile, window)),
                "recall": window.recall if window.lost_at else 0,
                "tries": tries_for(strength, tokens_per_second, is_local=profile.is_local),
                "strength": round(strength, 2),
                "probe_seconds": round(seconds, 1),
                "unmeasured": (*self._unmeasured, *(() if is_timed else ("writing speed",))),
                "notes": tuple(dict.fromkeys([*self._bench.notes, *_window_notes(window)])),
            }
        )


def _protocol(skills: Skills) -> Protocol:
    if skills.tools_ok:
        return "native"
    return "tags" if skills.tags_ok else "fenced"


def _window_of(profile: ModelProfile, window: WindowFacts) -> int:
    return min(profile.context_tokens, window.limit or profile.context_tokens)


def _window_notes(window: WindowFacts) -> list[str]:
    notes: list[str] = []
    if window.limit:
        notes.append(f"The server takes no more than {window.limit} tokens, whatever it says.")
    elif window.tested and not window.is_deepest:
        notes.append(
            f"Prompts of more than {window.tested} tokens were not tried: there its provider is "
            "believed, and a prompt that it cuts is told by its count."
        )
    if window.lost_at:
        notes.append(f"It lost a fact at the start of a prompt of {window.lost_at} tokens.")
    return notes


def tries_for(strength: float, tokens_per_second: float, *, is_local: bool) -> int:
    """Return how many candidates are worth asking for: many of a weak model, if they are cheap."""
    wanted = 6 if strength < 0.6 else 4 if strength < 0.85 else 3
    if not is_local:
        return min(wanted, 3)
    affordable = int(_SECONDS_FOR_TRIES * tokens_per_second / _ANSWER_TOKENS)
    return max(2, min(wanted, affordable))
