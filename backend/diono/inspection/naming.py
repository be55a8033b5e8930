"""What a file's name says of it, and names that are safe to show and to unpack anywhere."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from diono.inspection.models import FileKind

LANGUAGES = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "cjs": "javascript",
    "jsx": "javascript", "ts": "typescript", "tsx": "typescript", "html": "html", "htm": "html",
    "css": "css", "md": "markdown", "rst": "restructuredtext", "txt": "text", "json": "json",
    "toml": "toml", "yaml": "yaml", "yml": "yaml", "ini": "ini", "cfg": "ini", "csv": "csv",
    "tsv": "tsv", "sql": "sql", "sh": "shell", "go": "go", "rs": "rust", "java": "java", "c": "c",
    "h": "c", "cpp": "c++", "hpp": "c++", "rb": "ruby", "php": "php", "r": "r", "svg": "svg",
    "xml": "xml",
}  # fmt: skip
_CODE = frozenset(
    {
        *("python", "javascript", "typescript", "sql", "shell", "go", "rust", "java", "c", "c++"),
        *("ruby", "php", "r"),
    }
)
_KIND_OF_LANGUAGE: dict[str, FileKind] = {
    "html": "markup", "svg": "markup", "xml": "markup", "css": "style",
    "markdown": "documentation", "restructuredtext": "documentation", "text": "documentation",
    "json": "configuration", "toml": "configuration", "yaml": "configuration",
    "ini": "configuration", "csv": "data", "tsv": "data",
}  # fmt: skip
_BINARY = frozenset(
    {
        *("png", "jpg", "jpeg", "gif", "webp", "ico", "pdf", "zip", "gz", "tar", "whl", "db", "so"),
        *("sqlite", "sqlite3", "parquet", "xlsx", "woff", "woff2", "pyc", "mp3", "mp4", "wasm"),
    }
)
_NAMES: dict[str, FileKind] = {
    "readme": "documentation", "license": "documentation", "licence": "documentation",
    "dockerfile": "configuration", "makefile": "configuration", ".gitignore": "configuration",
    "requirements.txt": "configuration",
}  # fmt: skip
_TEST = re.compile(r"(?:^|/)(?:tests?|__tests__)/|(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")
_TEST_SCRIPT = re.compile(r"\.(?:test|spec)\.[cm]?[jt]sx?$")

_RESERVED = re.compile(r"(?i)^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)")
_UNSAFE = re.compile(r'[<>:"|?*\\]')
_MOST_PART = 120
_MOST_PATH = 240
# What is cut may end or begin in a new place that is to be cleaned.
_MOST_PASSES = 10


def suffix_of(path: str) -> str:
    return PurePosixPath(path).suffix.lower().lstrip(".")


def language_of(path: str) -> str:
    """Return the language by the name's suffix; empty if it is unknown."""
    return LANGUAGES.get(suffix_of(path), "")


def kind_of(path: str) -> FileKind:
    language = language_of(path)
    name = PurePosixPath(path).name.lower()
    if language in _CODE and (_TEST.search(path) or _TEST_SCRIPT.search(path)):
        return "test"
    if language in _CODE:
        return "code"
    named = _NAMES.get(name) or _NAMES.get(name.partition(".")[0])
    if named:
        return named
    if suffix_of(path) in _BINARY:
        return "binary"
    return _KIND_OF_LANGUAGE.get(language, "other")


def sanitised(path: str) -> str:
    """Return a path that is safe to show, to unpack and to pass on: relative, without control,
    formatting or reserved characters, without names that a system keeps for itself."""
    for _ in range(_MOST_PASSES):
        before, path = path, _cleaned(path)
        if path == before:
            break
    return path


def _cleaned(path: str) -> str:
    parts = [_part(one) for one in path.replace("\\", "/").split("/")]
    kept = [one for one in parts if one not in ("", ".", "..")]
    return "/".join(kept)[-_MOST_PATH:].lstrip("/") or "unnamed"


def _part(part: str) -> str:
    plain = unicodedata.normalize("NFC", part)
    shown = "".join("_" if unicodedata.category(one)[0] in "CZ" and one != " " else one
                    for one in plain)  # fmt: skip
    shown = _UNSAFE.sub("_", shown).strip(" ")
    if shown in (".", ".."):
        return shown
    shown = shown.rstrip(". ")
    if shown.startswith("-"):
        shown = f"_{shown[1:]}"
    if _RESERVED.match(shown):
        shown = f"_{shown}"
    return shown[:_MOST_PART]


def sanitised_names(paths: Iterable[str]) -> dict[str, str]:
    """Return a safe name of its own for each path that needs one; safe paths are left out. Names
    that only differ in case count as the same, as they do on some systems."""
    ordered = sorted(paths)
    taken = {one.casefold() for one in ordered if sanitised(one) == one}
    found: dict[str, str] = {}
    seen: set[str] = set()
    for path in ordered:
        name = sanitised(path)
        if name == path and path.casefold() not in seen:
            seen.add(path.casefold())
            continue
        stem, dot, suffix = name.rpartition(".")
        plain, number = name, 1
        while name.casefold() in taken or name.casefold() in seen:
            number += 1
            is_dotted = bool(dot) and "/" not in suffix and bool(stem)
            name = f"{stem}-{number}.{suffix}" if is_dotted else f"{plain}-{number}"
        seen.add(name.casefold())
        found[path] = name
    return found


def shown(path: str) -> str:
    """Return the path as text that changes nothing where it is shown."""
    return path.encode("unicode_escape").decode("ascii") if not path.isprintable() else path
