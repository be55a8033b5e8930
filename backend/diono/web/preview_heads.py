"""The heads of requests to previews and of programs' answers: what each side may say."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from diono.features.previews.service import TOKEN_PARAMETER

END = b"\r\n\r\n"
HOP_HEADERS = {"connection", "keep-alive", "proxy-connection", "te", "trailer"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# What a program may not say: that the connection goes on, or anything beyond its own answer.
WITHHELD = {b"connection", b"keep-alive", b"clear-site-data", b"strict-transport-security",
            b"alt-svc"}  # fmt: skip


class RequestHead:
    """The head of one HTTP/1 request, parsed no further than the gateway needs."""

    def __init__(self, raw: bytes) -> None:
        lines = raw.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        if not self.target.startswith("/") or not self.version.startswith("HTTP/1."):
            raise ValueError(self.target)
        pairs = [line.split(":", 1) for line in lines[1:] if line]
        self.headers = [(name.strip(), value.strip()) for name, value in pairs]

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def cookies(self) -> list[tuple[str, str]]:
        pairs = (part.strip().partition("=") for part in self.header("cookie").split(";"))
        return [(name, value) for name, _, value in pairs if name]

    def take_token(self) -> str:
        """Return the link's token and remove it from what the program will see."""
        parts = urlsplit(self.target)
        query = parse_qsl(parts.query, keep_blank_values=True)
        token = next((value for name, value in query if name == TOKEN_PARAMETER), "")
        if token:
            rest = urlencode([(n, v) for n, v in query if n != TOKEN_PARAMETER])
            self.target = urlunsplit(("", "", parts.path, rest, ""))
        return token

    @property
    def is_upgrade(self) -> bool:
        return self.header("upgrade") != ""

    @property
    def body_bytes(self) -> int | None:
        """How long the body is; None when only its end tells, as for chunks and sockets."""
        if self.is_upgrade or self.header("transfer-encoding"):
            return None
        length = self.header("content-length") or "0"
        if not length.isascii() or not length.isdecimal():
            raise ValueError(length)
        return int(length)

    def is_from_own_page(self) -> bool:
        """A cookie goes along with the requests of every page on this host, whatever its port:
        only the preview's own may open sockets or change anything."""
        if self.method in SAFE_METHODS and not self.is_upgrade:
            return True
        origin = self.header("origin")
        if not origin:
            return not self.is_upgrade
        return origin.partition("://")[2].lower() == self.header("host").lower()

    def for_program(self) -> bytes:
        lines = [f"{self.method} {self.target} {self.version}"]
        for name, value in self.headers:
            if name.lower() in HOP_HEADERS or name.lower() == "cookie":
                continue
            lines.append(f"{name}: {value}")
        kept = [f"{n}={v}" for n, v in self.cookies() if not n.startswith(TOKEN_PARAMETER)]
        if kept:
            lines.append(f"Cookie: {'; '.join(kept)}")
        lines.append(f"Connection: {'Upgrade' if self.is_upgrade else 'close'}")
        return "\r\n".join(lines).encode("latin-1") + END


def reply_for_browser(raw: bytes, is_upgrade: bool, set_cookie: bytes) -> bytes:
    """Return the head of an answer as it goes on; empty for one that only announces another.

    The connection ends with the answer: what a browser sent next on it would reach the program
    unread by us, with the cookies of other previews.
    """
    status, _, rest = raw.partition(b"\r\n")
    is_interim = status[:7] == b"HTTP/1." and status[8:10] == b" 1"
    is_switch = is_upgrade and is_interim and status[9:12] == b"101"
    if is_interim and not is_switch:
        return b""
    lines = [_confined(line) for line in rest.split(b"\r\n") if not _is_withheld(line)]
    lines.append(b"Connection: Upgrade" if is_switch else b"Connection: close")
    return status + b"\r\n" + set_cookie + b"\r\n".join(lines) + END


def _is_withheld(line: bytes) -> bool:
    name, _, value = line.partition(b":")
    if name.strip().lower() == b"set-cookie":
        return value.strip().lower().startswith(TOKEN_PARAMETER.encode())
    return name.strip().lower() in WITHHELD


def _confined(line: bytes) -> bytes:
    """A cookie is for the program's own host, never for its neighbours'."""
    name, _, value = line.partition(b":")
    if name.strip().lower() != b"set-cookie":
        return line
    pair, *attributes = value.split(b";")
    kept = [each for each in attributes if not each.strip().lower().startswith(b"domain")]
    return b"Set-Cookie:" + b";".join([pair, *kept])
