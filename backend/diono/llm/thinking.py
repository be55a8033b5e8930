"""Thinking that a server leaves inside the text, between tags, is taken apart from the answer."""

_TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"))
_OPENINGS = tuple(opening for opening, _ in _TAGS)


class ThinkingSplitter:
    """Reads an answer in pieces. Only tags at its very start count: later ones are text."""

    def __init__(self) -> None:
        self._held = ""
        self._closing = ""
        self._is_answer = False
        self._is_after_thinking = False

    def feed(self, piece: str) -> tuple[str, str]:
        """Return (thinking, text) of which it is now clear what they are."""
        if self._is_answer:
            return "", self._answer(piece)
        self._held += piece
        if not self._closing and not self._open():
            if self._is_answer:
                return "", self._release()
            return "", ""
        return self._inside()

    def end(self) -> tuple[str, str]:
        """Return (thinking, text) that was held back when the answer ended."""
        rest = self._release()
        return (rest, "") if self._closing and not self._is_answer else ("", rest)

    def _open(self) -> bool:
        """Find out whether the answer begins with thinking; more text may be needed."""
        start = self._held.lstrip()
        for opening, closing in _TAGS:
            if start.startswith(opening):
                self._closing = closing
                self._held = start[len(opening) :]
                return True
        self._is_answer = not any(opening.startswith(start) for opening in _OPENINGS)
        return False

    def _inside(self) -> tuple[str, str]:
        thought, found, rest = self._held.partition(self._closing)
        if found:
            self._held = ""
            self._is_answer = self._is_after_thinking = True
            return thought, self._answer(rest)
        keep = _partial_length(self._held, self._closing)
        ready = self._held[: len(self._held) - keep]
        self._held = self._held[len(ready) :]
        return ready, ""

    def _answer(self, text: str) -> str:
        """Drop the blank lines between the thinking and the answer."""
        if self._is_after_thinking:
            text = text.lstrip()
            self._is_after_thinking = not text
        return text

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held


def _partial_length(text: str, tag: str) -> int:
    """Return how many characters at the end of ``text`` may be the beginning of ``tag``."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)
