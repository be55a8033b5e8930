"""The prompt of each step: orders, what was said before, the request, the steps so far. What is
oldest is shortened first, so that the whole never exceeds the model's budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from diono.agents.codeact.reading import Action
from diono.agents.port import Said
from diono.agents.tools.text import data_block, inert, shortened
from diono.llm.counting import estimated_prompt_tokens
from diono.llm.port import ChatRequest, Message, ToolCall, ToolSpec

GO_ON = (
    "If this is all that the request needs, answer it now in plain words. Otherwise take the next "
    "step."
)
_OLD_CHARACTERS = 240
_SMALL_CHARACTERS = 700
_REQUEST_SHARE = 0.4
_CHARACTERS_PER_TOKEN = 3


@dataclass(frozen=True)
class Observation:
    """What came of one action."""

    source: str
    text: str
    call_id: str = ""


@dataclass(frozen=True)
class Exchange:
    """One step: what the model said and did, and what it was told then. ``note`` is ours."""

    answer: str
    actions: tuple[Action, ...] = ()
    observations: tuple[Observation, ...] = ()
    note: str = ""
    limit: int = 1_000_000


@dataclass
class Dialogue:
    """Builds prompts. ``budget_tokens`` is what the model's prompt may take, by its own count."""

    system: str
    request: str
    files: str
    budget_tokens: int
    specs: tuple[ToolSpec, ...] = ()
    token_ratio: float = 1.0
    before: list[Message] = field(default_factory=list[Message])
    exchanges: list[Exchange] = field(default_factory=list[Exchange])

    def remember(self, said: Sequence[Said]) -> None:
        """Take up the conversation so far, its summary first."""
        for one in said:
            if one.role in ("user", "assistant") and one.content.strip():
                self.before.append(Message(role=one.role, content=inert(one.content)))
            elif one.role == "system" and one.content.strip():
                text = data_block("earlier conversation", one.content, 3000)
                self.before.append(Message(role="user", content=text))
                self.before.append(Message(role="assistant", content="I know what went before."))

        if self.before and self.before[-1].role == "user":
            self.before.append(Message(role="assistant", content="(This was not answered.)"))

    def messages(self) -> tuple[Message, ...]:
        """Return the prompt within the budget."""
        before = list(self.before)
        steps = list(self.exchanges)
        request = shortened(
            self.request, round(self.budget_tokens * _REQUEST_SHARE * _CHARACTERS_PER_TOKEN)
        )

        def build() -> tuple[Message, ...]:
            return self._built(before, request, steps)

        for shrink in (
            lambda: _shorten_next(steps[:-1], steps, _OLD_CHARACTERS),
            lambda: _drop_before(before),
            lambda: _drop_step(steps, 2),
            lambda: _shorten_next(steps, steps, _SMALL_CHARACTERS),
            lambda: _shorten_next(steps, steps, _OLD_CHARACTERS),
            lambda: _drop_step(steps, 1),
        ):
            while self._tokens(build()) > self.budget_tokens and shrink():
                pass
        return build()

    def _tokens(self, messages: tuple[Message, ...]) -> int:
        estimate = estimated_prompt_tokens(ChatRequest(messages=messages, tools=self.specs))
        return round(estimate * max(self.token_ratio, 0.5))

    def _built(
        self, before: Sequence[Message], request: str, steps: Sequence[Exchange]
    ) -> tuple[Message, ...]:
        asked = f"{request}\n\n{self.files}" if self.files else request
        left_out = len(self.exchanges) - len(steps)
        if left_out:
            asked += f"\n\n({left_out} earlier steps of this turn are left out here.)"
        messages = [
            Message(role="system", content=self.system),
            *before,
            Message(role="user", content=asked),
        ]
        for step in steps:
            messages += _told(step, is_native=bool(self.specs))
        return tuple(messages)


def _told(step: Exchange, is_native: bool) -> list[Message]:
    answer = shortened(step.answer, max(step.limit, _OLD_CHARACTERS))
    has_calls = is_native and bool(step.actions) and all(one.call_id for one in step.actions)
    if not has_calls:
        blocks = [data_block(one.source, one.text, step.limit) for one in step.observations]
        parts = [*blocks, step.note or GO_ON]
        return [
            Message(role="assistant", content=answer or "(nothing)"),
            Message(role="user", content="\n\n".join(parts)),
        ]
    calls = tuple(
        ToolCall(id=one.call_id, name=one.tool, arguments=_brief(one.arguments, step.limit))
        for one in step.actions
    )
    told = [Message(role="assistant", content=answer, tool_calls=calls)]
    by_call = {one.call_id: one for one in step.observations}
    for call in calls:
        one = by_call.get(call.id, Observation(call.name, "Not done.", call.id))
        content = data_block(one.source, one.text, step.limit)
        told.append(Message(role="tool", content=content, tool_call_id=call.id))
    if step.note:
        told.append(Message(role="user", content=step.note))
    return told


def _brief(arguments: dict[str, Any], limit: int) -> dict[str, Any]:
    return {
        key: shortened(value, max(limit, _OLD_CHARACTERS)) if isinstance(value, str) else value
        for key, value in arguments.items()
    }


Shrink = Callable[[], bool]


def _shorten_next(among: Sequence[Exchange], steps: list[Exchange], limit: int) -> bool:
    for index, step in enumerate(among):
        if step.limit > limit:
            steps[index] = replace(step, limit=limit)
            return True
    return False


def _drop_before(before: list[Message]) -> bool:
    if not before:
        return False
    del before[0]
    # A conversation does not begin with an answer.
    while before and before[0].role == "assistant":
        del before[0]
    return True


def _drop_step(steps: list[Exchange], least: int) -> bool:
    if len(steps) <= least:
        return False
    del steps[0]
    return True
