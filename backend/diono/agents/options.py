"""Options that say which kinds of characters a text has: what their names promise."""

import re

from diono.agents.spec import FunctionSpec

_KINDS = (
    ("digits", re.compile(r"digit|number|numeric"), re.compile(r"[0-9]")),
    ("symbols", re.compile(r"symbol|punct|special"), re.compile(r"[^0-9A-Za-z\s]")),
    ("uppercase letters", re.compile(r"upper|capital"), re.compile(r"[A-Z]")),
    ("lowercase letters", re.compile(r"lower"), re.compile(r"[a-z]")),
)
_WITHOUT = re.compile(r"^(?:no|without|exclude|avoid|skip)_")


def kind_of(name: str) -> tuple[str, re.Pattern[str], bool] | None:
    """Return the kind of characters that an option is about, and whether True is with them."""
    for kind, words, pattern in _KINDS:
        if words.search(name):
            return kind, pattern, not _WITHOUT.search(name)
    return None


def note_of(function: FunctionSpec) -> str:
    """Say what the options mean for the text; empty if their names do not tell."""
    if function.returns != "str":
        return ""
    kinds = [
        (one.name, *found)
        for one in function.parameters
        if one.type == "bool" and (found := kind_of(one.name))
    ]
    if not kinds:
        return ""
    has_cases = any("letters" in kind for _, kind, _, _ in kinds)
    parts = [f"{kind} if {name} is {is_with}" for name, kind, _, is_with in kinds]
    return f"Its characters are {', plus '.join(parts if has_cases else ['letters', *parts])}."
