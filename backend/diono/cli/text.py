"""Text from models and programs, made safe to print."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def safe(text: object, limit: int = 300) -> str:
    """Return it without control characters (a terminal obeys them), shortened to ``limit``."""
    plain = _CONTROL.sub("", str(text))
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"


def one_line(text: object, limit: int = 160) -> str:
    return safe(" ".join(str(text).split()), limit)


def terminal_text(text: str) -> str:
    """Return text of any length for a terminal: colours and cursor moves of a program are gone."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))
