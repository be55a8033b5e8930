"""Seeing that a model goes round in circles."""

import hashlib
import json
import re

from diono.agents.codeact.reading import Action

_SAME_ACTION_LIMIT = 4
# Clocks and durations differ from run to run and say nothing new.
_TIMES = re.compile(r"\b\d+(?:\.\d+)?\s*(?:s|ms|seconds?)\b|\b\d\d:\d\d(?::\d\d)?(?:\.\d+)?\b")


class Rounds:
    """The actions so far with what came of them. After ``clear`` it counts anew."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, str]] = []

    def add(self, actions: tuple[Action, ...], observation: str) -> None:
        asked = [[one.tool, one.arguments, one.problem] for one in actions]
        told = " ".join(_TIMES.sub("#", observation).split())
        self._seen.append((_digest(json.dumps(asked, sort_keys=True)), _digest(told)))

    def problem(self) -> str:
        """Say how the model repeats itself; empty if it does not."""
        seen = self._seen
        if len(seen) >= 2 and seen[-1] == seen[-2]:
            return "the same action gave the same result twice"
        if len(seen) >= 4 and seen[-1] == seen[-3] and seen[-2] == seen[-4]:
            return "two actions take turns with the same results"
        asked = [action for action, _ in seen]
        if asked and asked.count(asked[-1]) >= _SAME_ACTION_LIMIT:
            return f"the same action was taken {_SAME_ACTION_LIMIT} times"
        return ""

    def clear(self) -> None:
        self._seen.clear()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
