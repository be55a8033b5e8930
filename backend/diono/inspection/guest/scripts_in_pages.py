"""Takes the scripts out of pages, so that they are held against the rules of scripts."""

from html.parser import HTMLParser

MOST_SCRIPTS = 20


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[int, str]] = []
        self._begun: int | None = None
        self._parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        kind = (values.get("type") or "").lower()
        is_script = kind in ("", "module", "text/javascript", "application/javascript")
        if tag == "script" and "src" not in values and is_script:
            self._begun, self._parts = self.getpos()[0] - 1, []

    def handle_data(self, data: str) -> None:
        if self._begun is not None:
            self._parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._begun is not None:
            self.found.append((self._begun, "".join(self._parts)))
            self._begun = None


def scripts_of(text: str) -> list[tuple[int, str]]:
    """Return (lines before it, text) of each script that a page holds itself."""
    parser = _Scripts()
    parser.feed(text)
    parser.close()
    return [one for one in parser.found if one[1].strip()][:MOST_SCRIPTS]
