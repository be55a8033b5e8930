"""Serves this folder on loopback and tells browsers to keep nothing."""

import http.server
import sys
from pathlib import Path

HIDDEN = (".git", "tests", "serve.py", "__pycache__")


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, but for those that only the project needs."""

    def end_headers(self) -> None:
        """Keep browsers from showing an older version."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def send_head(self):  # noqa: ANN201
        """Answer with a file, or that there is none."""
        first = self.path.split("?")[0].strip("/").split("/")[0]
        if first in HIDDEN:
            self.send_error(404)
            return None
        return super().send_head()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the program that starts this one reads its output."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    folder = str(Path(__file__).resolve().parent)

    def handler(*args: object) -> Handler:
        return Handler(*args, directory=folder)  # type: ignore[arg-type]

    http.server.ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()
