"""How a page looks and what stands on it: read from a request, written, and checked.

What was asked for stands in marked blocks of the page and of its style sheet, made anew from the
spec at each change, so that nothing else in those files is touched.
"""

import re
from collections.abc import Mapping
from html import escape

from diono.agents.changing.operations import AddText, Operation, Restyle, StyleProperty
from diono.agents.proof import Expectation, HttpRequest, Proof
from diono.agents.spec import Spec
from diono.agents.text import words

PAGE_PATHS: Mapping[str, tuple[str, str]] = {
    "fastapi-app": ("app/templates/index.html", "app/static/style.css"),
    "static-web": ("index.html", "style.css"),
}
_STYLE_ADDRESSES: Mapping[str, str] = {
    "fastapi-app": "/static/style.css",
    "static-web": "/style.css",
}
_BLOCK = re.compile(r"\n?[^\n]*\bdiono: asked for\b.*?\bdiono: end\b[^\n]*\n?", re.S)
_STYLE_BEGIN, _STYLE_END = "/* diono: asked for */", "/* diono: end */"
_TEXT_BEGIN, _TEXT_END = "<!-- diono: asked for -->", "<!-- diono: end -->"

_NAMED = frozenset(
    words(
        "aqua aquamarine azure beige black blue brown chocolate coral crimson cyan darkblue "
        "darkgray darkgreen darkgrey darkorange darkred fuchsia gold gray green grey indigo ivory "
        "khaki lavender lightblue lightcoral lightcyan lightgray lightgreen lightgrey lightpink "
        "lightsalmon lightyellow lime linen magenta maroon mintcream navy olive orange orchid pink "
        "plum purple red salmon sienna silver skyblue snow tan teal tomato turquoise violet wheat "
        "white whitesmoke yellow"
    )
)
_COLOUR = r"(#[0-9a-f]{6}|#[0-9a-f]{3}|(?:(?:light|dark|sky) ?)?[a-z]+)"
_LINK = r"(?: (?:of|on|for|to|be|is|as|in|into|a|the|its|page|app|site|website))*"
_PATTERNS: tuple[tuple[StyleProperty, re.Pattern[str]], ...] = (
    ("background", re.compile(rf"\bbackground(?: colou?r)?{_LINK} {_COLOUR}(?!\w)")),
    ("background", re.compile(rf"(?<!\w){_COLOUR} background(?: colou?r)?\b")),
    ("color", re.compile(rf"\b(?:text|font|letters)(?: colou?r)?{_LINK} {_COLOUR}(?!\w)")),
    ("color", re.compile(rf"(?<!\w){_COLOUR} (?:text|font|letters)\b")),
)
_DARK = re.compile(r"\bdark (?:mode|theme|background|design|look|style)\b|\bbackground dark\b")
_SIZE = re.compile(
    r"\b(?:text|font|letters)(?: size)?(?: be| to be)? (bigger|larger|smaller)\b"
    r"|\b(bigger|larger|smaller) (?:text|font|letters)\b"
)
_SIZES = {"bigger": "1.25rem", "larger": "1.25rem", "smaller": "0.875rem"}
_IDLE_WORDS = frozenset(
    words(
        "a an and the please make use set change give have want would like i we it its to with "
        "of on for in be should look page app site website whole entire colour color turn let get "
        "into switch apply add s"
    )
)
_QUOTED = re.compile(r'"([^"]{1,200})"|“([^”]{1,200})”|(?<!\w)\'([^\']{1,200})\'(?!\w)')
_ASKS_FOR_TEXT = re.compile(
    r"\b(?:add|show|put|display|write|include)\b.*"
    r"\b(?:text|sentence|line|note|message|notice|hint|words|paragraph|footer)\b",
    re.IGNORECASE,
)
# A text at a place of its own, or at times only, is more than a paragraph at the end.
_ELSEWHERE = re.compile(
    r"\b(?:above|top|header|heading|title|button|link|pop-?up|left|right|when|if|click|instead|"
    r"each|every|between|before|field|column)\b",
    re.IGNORECASE,
)


def read_appearance(sentence: str, spec: Spec) -> tuple[Operation, ...]:
    """Return what a request plainly asks of the page; empty if it asks for anything else too."""
    quoted = _QUOTED.search(sentence) if spec.blueprint in PAGE_PATHS else None
    if quoted is not None:
        around = sentence[: quoted.start()] + sentence[quoted.end() :]
        if _ASKS_FOR_TEXT.search(around) and not _ELSEWHERE.search(around):
            return (AddText(text=next(one for one in quoted.groups() if one)),)
        return ()
    return _restyled(sentence.lower())


def _restyled(sentence: str) -> tuple[Operation, ...]:
    found: dict[StyleProperty, str] = {}
    if _DARK.search(sentence):
        found.update({"background": "#121212", "color": "#eeeeee"})
        sentence = _DARK.sub(" ", sentence)
    for name, pattern in _PATTERNS:
        match = pattern.search(sentence)
        colour = match[1].replace(" ", "") if match else ""
        if match and (colour in _NAMED or colour.startswith("#")):
            found[name] = colour
            sentence = sentence[: match.start()] + " " + sentence[match.end() :]
    size = _SIZE.search(sentence)
    if size:
        found["font-size"] = _SIZES[size[1] or size[2]]
        sentence = _SIZE.sub(" ", sentence)
    if set(re.findall(r"[a-z]+", sentence)) - _IDLE_WORDS:
        return ()
    return tuple(Restyle(property=name, value=value) for name, value in found.items())


# --- files ---


def files_with(spec: Spec, page: str, style: str) -> dict[str, bytes]:
    """Return the page and the style sheet of a spec with what was asked for, and nothing older."""
    page_path, style_path = PAGE_PATHS[spec.blueprint]
    rules = "".join(f" {name}: {value};" for name, value in spec.style.items())
    block = f"{_STYLE_BEGIN}\nbody {{{rules} }}\n{_STYLE_END}\n" if spec.style else ""
    texts = "\n".join(f"    <p>{_html(one)}</p>" for one in spec.texts)
    shown = f"    {_TEXT_BEGIN}\n{texts}\n    {_TEXT_END}\n" if spec.texts else ""
    page = _BLOCK.sub("\n", page)
    before, end, after = page.rpartition("  </main>")
    style = _BLOCK.sub("\n", style).rstrip("\n") + "\n"
    return {
        page_path: f"{before}{shown}{end}{after}".encode(),
        style_path: f"{style}{block}".encode(),
    }


def _html(text: str) -> str:
    # The page of a records app is a template: no brace of the text may mean anything there.
    return escape(text, quote=False).replace("{", "&#123;").replace("}", "&#125;")


# --- checks ---


def evidence(spec: Spec) -> Proof:
    """Return the checks of everything that was asked of the page."""
    if spec.blueprint not in PAGE_PATHS or not (spec.texts or spec.style):
        return Proof()
    requests = (HttpRequest("GET", "/"), HttpRequest("GET", _STYLE_ADDRESSES[spec.blueprint]))
    texts = [
        Expectation(f"the page says {one[:60]!r}", 0, 200, (_html(one),)) for one in spec.texts
    ]
    rules = [
        Expectation(f"the style has {name}: {value}", 1, 200, (f"{name}: {value};",))
        for name, value in spec.style.items()
    ]
    return Proof(requests=requests, http=(*texts, *rules))
