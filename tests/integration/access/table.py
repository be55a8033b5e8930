"""The table of routes, and what each identity may expect."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("routes.txt")
ROLES = ("viewer", "editor", "owner")
READS = frozenset({"GET", "HEAD"})
# What an account does about itself it may also as a viewer who may only read.
OWN_TAGS = frozenset({"accounts", "sessions", "keys"})
OPEN_TO_BOUND = frozenset(
    {"/api/users/{user_id}/projects", "/api/tasks", "/api/models", "/api/models/fit",
     "/api/languages"}
)  # fmt: skip
# What makes a new project of another one, or of a task that has one of its own.
MAKING = frozenset(
    {"/api/projects/{project_id}/fork", "/api/tasks/{task_id}/rerun", "/api/tasks/{task_id}/retry"}
)  # fmt: skip
# Codes with which a request is turned away before its feature sees it.
GATE = frozenset(
    {"not_signed_in", "token_refused", "key_refused", "admin_only", "read_only", "session_needed",
     "scope_missing", "key_bound_to_project", "role_too_low", "project_not_found",
     "task_not_found"}
)  # fmt: skip


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    kind: str
    least: str
    need: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_of_project(self) -> bool:
        return self.kind in {"project", "task"}

    @property
    def missing(self) -> str:
        return f"{self.kind}_not_found"


@dataclass(frozen=True)
class Identity:
    """``role`` is the one in the shared project; ``scopes`` None: a session."""

    name: str
    role: str | None = None
    scopes: frozenset[str] | None = None
    is_admin: bool = False
    is_read_only: bool = False
    is_bound_here: bool = False
    is_bound_elsewhere: bool = False


ALL = frozenset({"read", "chat", "tasks", "files"})
IDENTITIES = (
    Identity("anonymous"),
    Identity("owner", "owner"),
    Identity("foreign"),
    Identity("project_viewer", "viewer"),
    Identity("project_editor", "editor"),
    Identity("global_viewer", "editor", is_read_only=True),
    Identity("key_read", "owner", frozenset({"read"})),
    Identity("key_bound", "owner", ALL, is_bound_here=True),
    Identity("key_elsewhere", None, ALL, is_bound_elsewhere=True),
    Identity("admin", "owner", is_admin=True),
)


def routes() -> list[Route]:
    lines = [line.split() for line in TABLE.read_text().splitlines()]
    return [Route(*parts) for parts in lines if parts and not parts[0].startswith("#")]


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def refusal(route: Route, who: Identity, target: str, tags: frozenset[str]) -> str | None:
    """Return the code with which a request is turned away; None: it passes the gate.

    ``target``: the shared project's (own), another's (foreign), or none (missing).
    """
    if route.kind == "open":
        return None
    if who.name == "anonymous":
        return "not_signed_in"
    return _of_identity(route, who, tags) or _of_thing(route, who, target)


def _of_identity(route: Route, who: Identity, tags: frozenset[str]) -> str | None:
    if who.scopes is not None and route.need != "any":
        if route.need == "session":
            return "session_needed"
        if route.need not in who.scopes:
            return "scope_missing"
        is_bound = who.is_bound_here or who.is_bound_elsewhere
        if is_bound and not (route.is_of_project or route.path in OPEN_TO_BOUND):
            return "key_bound_to_project"
    is_reading = route.method in READS or route.need == "read" or bool(tags & OWN_TAGS)
    if who.is_read_only and not is_reading:
        return "read_only"
    return None


def _of_thing(route: Route, who: Identity, target: str) -> str | None:
    if route.kind == "admin":
        return None if who.is_admin else "admin_only"
    if not route.is_of_project:
        return None
    role = {"own": who.role, "foreign": "owner" if who.is_admin else None}.get(target)
    if role is None:
        return route.missing
    if ROLES.index(role) < ROLES.index(route.least):
        return "role_too_low"
    return "key_bound_to_project" if who.is_bound_here and route.path in MAKING else None
