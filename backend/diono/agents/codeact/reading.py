"""What a model's answer means: actions to take, or the answer itself."""

import re
from dataclasses import dataclass, field
from typing import Any

from diono.agents.tools.text import plain

ANSWER_CHARACTERS = 60_000
_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.S | re.I)


@dataclass(frozen=True)
class Action:
    """One call that the model asks for. ``problem`` says why its arguments cannot be read."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    call_id: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Reading:
    """``text`` is what the model says beside its actions; without actions it is the answer.
    ``problem`` tells the model why its answer cannot be followed."""

    text: str = ""
    actions: tuple[Action, ...] = ()
    problem: str = ""


def cleaned(answer: str) -> str:
    """Return an answer without hidden thoughts and control characters, cut to a sane length."""
    text = plain(answer[: ANSWER_CHARACTERS * 4])
    return _THINKING.sub("", text)[:ANSWER_CHARACTERS].strip()
