"""Tools that look outside: a pluggable search, and a page read through the sandbox's own door.

Both say so where there is no way out. Nothing is ever made up.
"""

import json
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from diono.agents.port import JsonObject
from diono.agents.tools.port import (
    BaseTool,
    ToolContext,
    ToolFacts,
    ToolRefused,
    ToolResult,
    text_parameter,
)
from diono.agents.tools.text import one_line, plain, shortened
from diono.sandbox.port import ExecRequest

_SEARCH_SECONDS = 20.0
_HITS = 6
_BROWSE_SECONDS = 30.0
_PAGE_BYTES = 2_000_000
_LONG_QUERY = 120
_NO_JAVASCRIPT = "(The page was read as text; its JavaScript did not run.)"
_FETCH = r"""
import html.parser, json, re, sys, urllib.error, urllib.request
task = json.load(sys.stdin)
class Text(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.parts, self.hidden, self.title, self.in_title = [], 0, "", False
    def handle_starttag(self, tag, attributes):
        if tag in ("script", "style", "noscript", "template", "svg"):
            self.hidden += 1
        self.in_title = self.in_title or tag == "title"
        if tag in ("p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "pre", "section"):
            self.parts.append("\n")
    def handle_endtag(self, tag):
        if tag in ("script", "style", "noscript", "template", "svg"):
            self.hidden = max(self.hidden - 1, 0)
        if tag == "title":
            self.in_title = False
    def handle_data(self, data):
        if self.in_title:
            self.title += data
        elif not self.hidden:
            self.parts.append(data)
request = urllib.request.Request(task["url"], headers={"User-Agent": "diono", "Accept": "text/*"})
try:
    with urllib.request.urlopen(request, timeout=task["seconds"]) as reply:
        raw = reply.read(task["limit"])
        kind = reply.headers.get_content_type()
        text = raw.decode(reply.headers.get_content_charset() or "utf-8", "replace")
        where = reply.geturl()
except urllib.error.HTTPError as error:
    print(json.dumps({"problem": f"the server answered {error.code}", "is_http": True}))
except (OSError, ValueError, LookupError) as error:
    print(json.dumps({"problem": str(error)[:300]}))
else:
    title = ""
    if "html" in kind:
        parser = Text()
        parser.feed(text)
        title = " ".join(parser.title.split())
        text = re.sub(r"[ \t]+", " ", "".join(parser.parts))
        text = re.sub(r"\n\s*\n\s*", "\n\n", text).strip()
    print(json.dumps({"title": title[:200], "text": text[:60000], "url": where, "kind": kind}))
"""


class Hit(Protocol):
    """One result of a search."""

    @property
    def title(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def excerpt(self) -> str: ...


class SearchProvider(Protocol):
    """A search that the operator set up; it runs on the host, so it must bound what it reads.
    Raises any DionoError."""

    async def search(self, query: str, limit: int) -> Sequence[Hit]: ...


class SearchWeb(BaseTool):
    facts = ToolFacts(
        name="search_web",
        description="Search the web.",
        parameters={"query": text_parameter("What to search for.")},
        required=("query",),
        limit_seconds=_SEARCH_SECONDS,
    )

    def __init__(self, provider: SearchProvider | None) -> None:
        self._provider = provider

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        if self._provider is None:
            raise ToolRefused(
                "There is no web search here: the operator has set up none (DIONO_SEARCH_URL). "
                "Work with the project's files, or ask the user for what is missing."
            )
        hits = await self._provider.search(arguments["query"][:400], _HITS)
        lines = [
            f"{number}. {one_line(hit.title)}\n   {one_line(hit.url, 300)}\n"
            f"   {one_line(hit.excerpt, 300)}"
            for number, hit in enumerate(hits[:_HITS], 1)
        ]
        text = "\n".join(lines) or "Nothing was found."
        return ToolResult(text=shortened(text, context.limit_characters))


class Browse(BaseTool):
    facts = ToolFacts(
        name="browse",
        description="Read a web page as text.",
        parameters={"url": text_parameter("Address of the page, http or https.")},
        required=("url",),
        limit_seconds=_BROWSE_SECONDS + 10,
    )

    def risk_of(self, arguments: JsonObject) -> str:
        address = _address(arguments["url"])
        told = len(address.query) + len(address.fragment) + (len(address.username or "") * 100)
        is_telling = told > _LONG_QUERY or len(address.path) > 4 * _LONG_QUERY
        is_telling = is_telling or len(address.hostname or "") > _LONG_QUERY
        return "its address could carry data out" if is_telling else ""

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        url = _address(arguments["url"]).geturl()
        task = {"url": url, "seconds": _BROWSE_SECONDS / 2, "limit": _PAGE_BYTES}
        done = await (await context.sandbox()).execute(
            ExecRequest(
                argv=("python3", "-c", _FETCH),
                stdin=json.dumps(task).encode(),
                timeout_seconds=_BROWSE_SECONDS,
                output_limit_bytes=400_000,
            )
        )
        try:
            page: JsonObject = json.loads(done.stdout)
        except ValueError:
            page = {"problem": f"the page could not be read ({done.reason.value})"}
        if "problem" in page:
            return ToolResult(text=_unread(url, page), is_error=True)
        head = f"{page['title']}\n{page['url']}\n{_NO_JAVASCRIPT}"
        body = shortened(plain(page["text"]), context.limit_characters)
        return ToolResult(text=f"{plain(head)}\n\n{body}".strip())


def _unread(url: str, page: JsonObject) -> str:
    problem = f"{url[:200]} was not read: {one_line(str(page['problem']), 300)}."
    if page.get("is_http"):
        return problem
    return (
        f"{problem} The project's sandbox reaches only the hosts that its network settings allow, "
        "none by default; the user can allow a host there."
    )


def _address(url: str) -> SplitResult:
    try:
        address = urlsplit(url.strip())
    except ValueError as error:
        raise ToolRefused(f"{url[:80]!r} is no web address.") from error
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ToolRefused(f"{url[:80]!r} is no web address; it begins with http:// or https://.")
    return address
