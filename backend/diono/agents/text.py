"""Plain words: slugs, stems, names. Everything here is deterministic."""

import re

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9'-]*|\d+")
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "for",
        "with",
        "and",
        "or",
        "that",
        "which",
        "this",
        "it",
        "its",
        "is",
        "are",
        "be",
        "as",
        "by",
        "from",
        "at",
        "into",
        "my",
        "me",
        "i",
        "we",
        "you",
        "your",
        "please",
        "create",
        "make",
        "build",
        "write",
        "develop",
        "implement",
        "need",
        "want",
        "program",
        "app",
        "application",
        "tool",
        "small",
        "simple",
        "basic",
        "page",
        "web",
        "website",
        "command",
        "line",
        "command-line",
        "cli",
        "api",
        "using",
        "python",
        "javascript",
        "html",
        "css",
        "back",
        "can",
        "should",
        "user",
        "users",
        "some",
        "any",
        "all",
        "each",
        "one",
        "new",
        "script",
        "file",
        "files",
        "options",
        "option",
        "terminal",
        "server",
        "backend",
        "search",
    ]
)
_SUFFIXES = ("ings", "ing", "ers", "ors", "er", "or", "ies", "ion", "ions", "es", "ed", "s", "e")


def words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def content_words(text: str) -> list[str]:
    return [word for word in words(text) if word not in STOP_WORDS]


def stem(word: str) -> str:
    """Cut a common English ending, so that "converter" and "converts" meet."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


def share_a_stem(left: str, right: str) -> bool:
    a, b = stem(left), stem(right)
    return a == b or (min(len(a), len(b)) >= 3 and (a.startswith(b) or b.startswith(a)))


def overlap(name: str, text: str) -> float:
    """Return which part (0..1) of the words in ``name`` also occur in ``text``."""
    own = [part for part in name.split("_") if part not in STOP_WORDS and not part.isdigit()]
    others = words(text)
    if not own:
        return 0.0
    return sum(any(share_a_stem(part, other) for other in others) for part in own) / len(own)


def snake(text: str, fallback: str = "item") -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    name = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:40].strip("_")
    return name if name and name[0].isalpha() else fallback


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def plural(name: str) -> str:
    if name.endswith("s") and not name.endswith("ss"):
        return name
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("s", "x", "z", "ch", "sh")) else "s")


def singular(name: str) -> str:
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    if name.endswith(("sses", "xes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def one_line(text: str, limit: int = 200) -> str:
    return " ".join(text.split())[:limit].strip()


def title_from(prompt: str) -> str:
    kept = one_line(prompt, 60)
    return (kept[:1].upper() + kept[1:]).rstrip(" .,;:") or "New program"
