"""One account at a provider: files, a log of changes, tokens, and what shall go wrong."""

import base64
import hashlib
import itertools
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Node:
    """``content`` is None for a folder. ``kind`` is a media type."""

    node_id: str
    name: str
    parent_id: str | None
    content: bytes | None
    kind: str = "application/octet-stream"
    revision: int = 1

    @property
    def is_folder(self) -> bool:
        return self.content is None

    @property
    def modified(self) -> datetime:
        return START.replace(second=self.revision % 60, minute=self.revision // 60 % 60)


@dataclass
class Fault:
    """What the next ``times`` requests of a kind get instead of an answer. ``cut``: half a body;
    ``spoilt``: a body of the right length with other bytes."""

    times: int
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = "{}"
    cut: bool = False
    spoilt: bool = False


class OAuthError(Exception):
    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


class Cloud:
    """Tests change it from their own thread; the server reads it from its own."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.root = Node("root-id", "root", None, None)
        self.nodes: dict[str, Node] = {self.root.node_id: self.root}
        self.log: list[tuple[str, str]] = []
        self.cursors_from = 0
        self.faults: dict[str, list[Fault]] = {}
        self.seen: Counter[str] = Counter()
        self.codes: dict[str, dict[str, str]] = {}
        self.devices: dict[str, bool] = {}
        self.refresh_tokens: set[str] = set()
        self.access_tokens: set[str] = set()
        self.revoked: list[str] = []
        self.passwords: dict[str, str] = {}
        self.sessions: dict[str, dict[str, object]] = {}
        self.rotates = False
        self.has_sync_tokens = True
        self.client = ("client-1", "client-secret-1")

    # Files

    def put(
        self, name: str, content: bytes | None, parent: str | None = None, kind: str = ""
    ) -> Node:
        node_id = f"n{next(self.numbers)}"
        node = Node(node_id, name, parent or self.root.node_id, content)
        node.kind = kind or node.kind
        node.revision = next(self.numbers)
        self.nodes[node_id] = node
        self._log(node)
        return node

    def write(self, node: Node, content: bytes) -> None:
        node.content, node.revision = content, next(self.numbers)
        self._log(node)

    def remove(self, node: Node) -> None:
        path = self.path(node)
        for child in [each for each in self.nodes.values() if each.parent_id == node.node_id]:
            self.remove(child)
        del self.nodes[node.node_id]
        self.log.append((node.node_id, path))

    def _log(self, node: Node) -> None:
        self.log.append((node.node_id, self.path(node)))

    def children(self, parent_id: str) -> list[Node]:
        return [node for node in self.nodes.values() if node.parent_id == parent_id]

    def named(self, name: str) -> Node:
        return next(node for node in self.nodes.values() if node.name == name)

    def path(self, node: Node) -> str:
        """Return ``/folder/file``; empty for the root."""
        parts: list[str] = []
        while node.parent_id is not None:
            parts.append(node.name)
            node = self.nodes[node.parent_id]
        return "".join(f"/{part}" for part in reversed(parts))

    def at(self, path: str) -> Node | None:
        """Find by path, in lower case as at Dropbox or as it is."""
        for node in self.nodes.values():
            if path.strip("/") in {self.path(node).strip("/"), self.path(node).strip("/").lower()}:
                return node
        return None

    def free_name(self, name: str, parent_id: str) -> str:
        taken = {node.name for node in self.children(parent_id)}
        stem, dot, ending = name.rpartition(".")
        tries = (name, *(f"{stem} ({number}){dot}{ending}" for number in range(1, 99)))
        return next(each for each in tries if each not in taken)

    # Faults

    def fail(self, kind: str, times: int = 1, **what: object) -> None:
        """``kind``: token, list, download, upload, changes or any."""
        self.faults.setdefault(kind, []).append(Fault(times, **what))  # type: ignore[arg-type]

    def fault(self, kind: str) -> Fault | None:
        self.seen[kind] += 1
        for each in (kind, "any"):
            waiting = self.faults.get(each, [])
            if waiting:
                waiting[0].times -= 1
                return waiting.pop(0) if waiting[0].times <= 0 else waiting[0]
        return None

    def expire_cursors(self) -> None:
        self.cursors_from = len(self.log) + 1
        self.log.append(("nobody", "/nobody"))

    def changed_since(self, cursor: int) -> dict[str, str]:
        """Return {id: path} of what changed, the last change of each."""
        if cursor < self.cursors_from:
            raise LookupError
        return dict(self.log[cursor:])

    # Tokens

    def allow(self, url: str) -> dict[str, str]:
        """Do what a user does who opens the address and agrees; return what comes back."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        assert query["client_id"] == self.client[0], query
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return {"code": code, "state": query.get("state", "")}

    def trade(self, form: Mapping[str, str]) -> dict[str, object]:
        if form.get("client_id") != self.client[0]:
            raise OAuthError("invalid_client", 401)
        match form.get("grant_type"):
            case "authorization_code":
                query = self.codes.pop(form["code"], None)
                digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
                challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
                if query is None or query["code_challenge"] != challenge:
                    raise OAuthError("invalid_grant")
                if query.get("redirect_uri") != form.get("redirect_uri"):
                    raise OAuthError("redirect_uri_mismatch")
                return self.tokens()
            case "urn:ietf:params:oauth:grant-type:device_code":
                if not self.devices.get(form["device_code"]):
                    raise OAuthError("authorization_pending")
                return self.tokens()
            case _:
                token = form.get("refresh_token", "")
                if token not in self.refresh_tokens:
                    raise OAuthError("invalid_grant")
                if not self.rotates:
                    return {**self.tokens(is_new=False)}
                self.refresh_tokens.discard(token)
                return self.tokens()

    def tokens(self, *, is_new: bool = True) -> dict[str, object]:
        access = f"access-{secrets.token_urlsafe(12)}"
        self.access_tokens.add(access)
        found: dict[str, object] = {
            "access_token": access,
            "expires_in": 3600,
            "token_type": "Bearer",
            "scope": "files",
        }
        if is_new:
            refresh = f"refresh-{secrets.token_urlsafe(12)}"
            self.refresh_tokens.add(refresh)
            found["refresh_token"] = refresh
        return found

    def end_access(self) -> None:
        self.access_tokens.clear()

    def end_grants(self) -> None:
        self.access_tokens.clear()
        self.refresh_tokens.clear()
        self.passwords.clear()

    def revoke(self, token: str) -> None:
        self.revoked.append(token)
        self.end_grants()
