import threading
import sys
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

import quickjs

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


class Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get("src") or (values.get("href") if tag == "link" else None)
        if address:
            self.found.append(address)


def test_everything_the_page_loads_is_there() -> None:
    parser = Addresses()
    parser.feed((ROOT / "index.html").read_text())
    assert "style.css" in parser.found
    assert [address for address in parser.found if not (ROOT / address).is_file()] == []


def test_every_script_is_valid_javascript() -> None:
    context = quickjs.Context()
    for script in ROOT.glob("**/*.js"):
        context.eval(f"(function () {{\n{script.read_text()}\n}})")


def test_the_server_serves_the_page_uncached_and_hides_the_rest() -> None:
    import http.server

    from serve import Handler

    def handler(*args: object) -> Handler:
        return Handler(*args, directory=str(ROOT))  # type: ignore[arg-type]

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert b"<h1>" in answer.read()
        server.shutdown()
