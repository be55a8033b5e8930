"""Text of the tenant's world on its way to a model or a screen: plain, bounded, inert."""

import re

# Escape sequences of terminals: CSI, OSC (to its end or the text's), and the short ones.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|\Z)|[ -/]*[0-~])"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Marks that chat templates read as the border of a turn, whoever wrote them.
_TURN_MARKS = re.compile(
    r"<(?=[|\uff5c])|<(?=/?(?:start|end)_of_turn>)|<(?=/?s>)|\[(?=/?INST\])|<(?=<SYS>>)", re.I
)
_DATA_MARK = re.compile(r"<(?=\s*/?\s*(?:data|tool|think)\b)", re.I)


def plain(text: str) -> str:
    """Return text without escape sequences and control characters; each line as it would stand
    on a screen (after its last carriage return)."""
    text = _ESCAPES.sub("", text.replace("\r\n", "\n"))
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", "\n".join(lines))


def shortened(text: str, limit: int) -> str:
    """Keep the first and the last part of a text; whole lines where that is possible."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[len(text) - limit // 3 :]
    head = head[: head.rfind("\n") + 1] or head
    tail = tail[tail.find("\n") + 1 :] or tail
    left_out = len(text) - len(head) - len(tail)
    return f"{head.rstrip()}\n[... {left_out} characters left out ...]\n{tail}"


def inert(text: str) -> str:
    """Break the marks that could end a data block or pass for a turn of the chat."""
    return _TURN_MARKS.sub(_broken, _DATA_MARK.sub("&lt;", text))


def _broken(match: re.Match[str]) -> str:
    return "&lt;" if match[0] == "<" else "&#91;"


def data_block(source: str, text: str, limit: int) -> str:
    """Wrap text of the tenant's world so that a model can tell it from its orders."""
    name = re.sub(r"[^\w./-]+", "_", source)[:60]
    return f'<data from="{name}">\n{inert(shortened(plain(text), limit)).strip()}\n</data>'


def one_line(text: str, limit: int = 160) -> str:
    flat = " ".join(plain(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
