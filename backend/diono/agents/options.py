"""Options that say which kinds of characters a text has: what their names promise."""

import re
from typing import NamedTuple

from diono.agents.spec import FunctionSpec

_KINDS = (
    ("digits", re.compile(r"digit|number|numeric"), re.compile(r"[0-9]")),
    ("symbols", re.compile(r"symbol|punct|special"), re.compile(r"[^0-9A-Za-z\s]")),
    ("uppercase letters", re.compile(r"upper|capital"), re.compile(r"[A-Z]")),
    ("lowercase letters", re.compile(r"lower"), re.compile(r"[a-z]")),
)
_WITHOUT = re.compile(r"^(?:no|without|exclude|avoid|skip)_")


class Kind(NamedTuple):
    """The kind of characters that an option is about, and whether True is with them."""

    name: str
    pattern: re.Pattern[str]
    is_with: bool


def kind_of(name: str) -> Kind | None:
    """Return what the name of an option promises, if it tells."""
    for kind, words, pattern in _KINDS:
        if words.search(name):
            return Kind(kind, pattern, not _WITHOUT.search(name))
    return None


def kinds_of(function: FunctionSpec) -> dict[str, Kind]:
    """Return the options that say which characters a text has, by their names."""
    if function.returns != "str":
        return {}
    names = [one.name for one in function.parameters if one.type == "bool"]
    return {name: kind for name in names if (kind := kind_of(name))}


def has_letter_cases(kinds: dict[str, Kind]) -> bool:
    """Say whether letters are chosen too; else they are always there."""
    return any("letters" in kind.name for kind in kinds.values())


def note_of(function: FunctionSpec) -> str:
    """Say what the options mean for the text; empty if their names do not tell."""
    kinds = kinds_of(function)
    if not kinds:
        return ""
    parts = [f"{kind.name} if {name} is {kind.is_with}" for name, kind in kinds.items()]
    always = [] if has_letter_cases(kinds) else ["letters"]
    return f"Its characters are {', plus '.join([*always, *parts])}."
