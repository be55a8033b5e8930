# pyright: basic, reportMissingImports=false
"""Text, Markdown and source code: pieces that are named by their lines."""

import ast
import re
from collections.abc import Iterable, Sequence

from diono.parsing.guest import limits
from diono.parsing.guest.encodings import encoding_of, lines_of
from diono.parsing.guest.grids import rows_to_table
from diono.parsing.guest.languages import LANGUAGES
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source

_LINES_TOGETHER = 120
_CODE_BYTES = 2 * limits.MEGABYTE
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_TABLE_LINE = re.compile(r"^\s*\|?[^|\n]+\|.+$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)+\|?\s*$")

_WORD = r"([A-Za-z_$][\w$]*)"
_BEFORE = r"(?:(?:pub|public|private|protected|export|default|abstract|final|static|data|open) )*"
_SYMBOLS = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (rf"^\s*{_BEFORE}(?:async )?function\*?\s+{_WORD}", "function"),
        (rf"^\s*{_BEFORE}(?:const|let|var)\s+{_WORD}\s*=\s*(?:async\s*)?\(", "function"),
        (rf"^\s*{_BEFORE}(?:class|struct|enum|trait|object)\s+{_WORD}", "class"),
        (rf"^\s*{_BEFORE}(?:interface|type)\s+{_WORD}", "type"),
        (rf"^\s*{_BEFORE}(?:fn|func|fun|def|sub)\s+(?:\([^)]*\)\s*)?{_WORD}", "function"),
        (rf"(?i)^\s*create\s+(?:or\s+replace\s+)?(?:table|view|function)\s+{_WORD}", "definition"),
        (rf"^[A-Za-z_][\w<>,\[\]*&: ]{{0,80}}[ *&]{_WORD}\s*\([^;]*\)\s*\{{?\s*$", "function"),
        (rf"^{_WORD}\s*\(\)\s*\{{", "function"),
    )
)
_NO_SYMBOL = frozenset({"if", "for", "while", "switch", "return", "else", "catch"})


def read(source: Source, sink: Sink) -> None:
    """Plain text: lines together, up to the next empty line where there is one."""
    encoding = encoding_of(source)
    sink.fact("encoding", encoding)
    sink.fact("lines", write_lines(lines_of(source, encoding), sink, source))


def write_lines(lines: Iterable[str], sink: Sink, source: Source | None = None) -> int:
    kept: list[str] = []
    size, first, number = 0, 1, 0
    for line in lines:
        number += 1
        kept.append(line)
        size += len(line)
        is_pause = not line.strip() and len(kept) > _LINES_TOGETHER // 2
        if size >= limits.SECTION_CHARACTERS or len(kept) >= _LINES_TOGETHER or is_pause:
            _section(sink, kept, first, number)
            kept, size, first = [], 0, number + 1
        if source is not None and number % 5_000 == 0:
            sink.progress.tell("reading", source.consumed, source.size, number)
    _section(sink, kept, first, number)
    return number


def _section(sink: Sink, lines: Sequence[str], first: int, last: int, title: str = "") -> None:
    text = "".join(lines).replace("\r\n", "\n").replace("\r", "\n")
    sink.section(f"lines-{first}-{last}", text, title, first_line=first)


def read_markdown(source: Source, sink: Sink) -> None:
    encoding = encoding_of(source)
    kept: list[str] = []
    title, first, number, is_fenced = "", 1, 0, False
    tables: list[tuple[int, list[str]]] = []
    for line in lines_of(source, encoding):
        number += 1
        if _FENCE.match(line):
            is_fenced = not is_fenced
        heading = None if is_fenced else _HEADING.match(line.rstrip("\r\n"))
        if heading is not None:
            _section(sink, kept, first, number - 1, title)
            kept, first, title = [], number, heading.group(2)
            sink.entitle(title)
        elif not is_fenced:
            _keep_table_line(tables, number, line)
        kept.append(line)
    _section(sink, kept, first, number, title)
    sink.facts({"encoding": encoding, "lines": number})
    for begin, rows in tables:
        if len(rows) > 2 and _TABLE_RULE.match(rows[1]) and sink.is_room_for_table():
            cells = [_cells(row) for row in rows[:1] + rows[2:]]
            rows_to_table(
                sink, f"table at line {begin}", f"lines {begin}-{begin + len(rows) - 1}", cells
            )


def _keep_table_line(tables: list[tuple[int, list[str]]], number: int, line: str) -> None:
    if not _TABLE_LINE.match(line):
        return
    if tables and tables[-1][0] + len(tables[-1][1]) == number:
        tables[-1][1].append(line)
    elif len(tables) < limits.TABLES * 5:
        tables.append((number, [line]))


def _cells(line: str) -> list[str | None]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def read_code(source: Source, sink: Sink) -> None:
    encoding = encoding_of(source)
    language = language_of(source)
    lines = write_lines(lines_of(source, encoding), sink, source)
    sink.facts({"encoding": encoding, "language": language, "lines": lines})
    if source.size > _CODE_BYTES:
        return
    text = source.read().decode(encoding, "replace")
    sink.symbols = _python_symbols(text) if language == "Python" else _symbols(text)


def language_of(source: Source) -> str:
    known = LANGUAGES.get(source.suffix)
    if known:
        return known
    first = source.head(120).split(b"\n", 1)[0]
    for word, name in ((b"python", "Python"), (b"node", "JavaScript"), (b"sh", "Shell")):
        if first.startswith(b"#!") and word in first:
            return name
    return ""


def _python_symbols(text: str) -> list[dict[str, object]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _symbols(text)
    found = [
        {
            "name": node.name[:200],
            "kind": "class" if isinstance(node, ast.ClassDef) else "function",
            "line": node.lineno,
        }
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return sorted(found, key=lambda symbol: symbol["line"])[:2_000]


def _symbols(text: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > 300 or len(found) >= 2_000:
            continue
        for pattern, kind in _SYMBOLS:
            match = pattern.match(line)
            if match and match.group(1) not in _NO_SYMBOL:
                found.append({"name": match.group(1)[:200], "kind": kind, "line": number})
                break
    return found
