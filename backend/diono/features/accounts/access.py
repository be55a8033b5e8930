"""Who is asking, and what a session or an API key may.

A route is closed to keys unless its tag is in ``SCOPES_OF_TAGS`` or it says ``needs(scope)``; a
global viewer may only read, except about the own account. Projects' and tasks' own dependencies
(``projects.access.OwnedProject``, ``tasks.access.OwnedTask``) follow membership.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, cast

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from diono.features.accounts.errors import (
    AdminOnlyRefused,
    KeyBoundElsewhere,
    NotSignedIn,
    ReadOnly,
    ScopeMissing,
    SessionNeeded,
)
from diono.features.accounts.schemas import Account
from diono.features.accounts.service import Accounts
from diono.infra.bus import Bus
from diono.infra.guarding import guarded
from diono.infra.rate_limits import RateLimits

READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SCOPE_MARK = "x-diono-scope"
Scope = Literal["read", "chat", "tasks", "files"]
Needed = Scope | Literal["session", "any"]
# What changes a thing with one of these tags needs the scope; what reads it needs `read`.
SCOPES_OF_TAGS: Mapping[str, Scope] = {
    "analytics": "tasks",
    "chat": "chat",
    "checkpoints": "tasks",
    "documents": "files",
    "drives": "files",
    "files": "files",
    "library": "files",
    "models": "tasks",
    "projects": "tasks",
    "runs": "tasks",
    "sandboxes": "tasks",
    "services": "tasks",
    "tasks": "tasks",
}
OWN_TAGS = frozenset({"accounts", "sessions", "keys"})
# What a key that is bound to a project may use beside the routes of that project and its tasks.
OPEN_TO_BOUND = frozenset(
    {"/api/me", "/api/users/{user_id}/projects", "/api/tasks", "/api/models", "/api/models/fit",
     "/api/languages"}
)  # fmt: skip
# What costs more than an answer, by account.
RULES_OF_ROUTES: Mapping[tuple[str, str], str] = {
    ("POST", "/api/tasks"): "tasks",
    ("POST", "/api/tasks/{task_id}/retry"): "tasks",
    ("POST", "/api/tasks/{task_id}/rerun"): "tasks",
    ("POST", "/api/projects/{project_id}/chat"): "tasks",
    ("POST", "/api/execute"): "tasks",
    ("POST", "/api/execute/stream"): "tasks",
    ("POST", "/v1/chat/completions"): "tasks",
    ("POST", "/api/projects/{project_id}/uploads"): "uploads",
    ("PATCH", "/api/projects/{project_id}/uploads/{upload_id}"): "uploads",
    ("POST", "/api/projects/{project_id}/members"): "sharing",
}

_scheme = OAuth2PasswordBearer(tokenUrl="/api/auth/token", auto_error=False)

BearerToken = Annotated[str | None, Depends(_scheme)]


@dataclass(frozen=True)
class Identity:
    """Who asks: a session may everything its account may; a key what it was made for, and its
    account never is an admin's."""

    account: Account
    key_id: str | None = None
    scopes: frozenset[str] | None = None
    project_id: str | None = None
    session_id: str | None = None

    def need(self, scope: Scope) -> None:
        """Raises ScopeMissing."""
        if self.scopes is not None and scope not in self.scopes:
            raise ScopeMissing(
                f"This key has not the scope {scope!r}. Make one that has: `diono keys create`."
            )

    def sees_project(self, project_id: str) -> bool:
        return self.project_id in {None, project_id}

    def may_make_projects(self) -> None:
        """Raises KeyBoundElsewhere."""
        if self.project_id is not None:
            raise KeyBoundElsewhere(
                f"This key works in the project {self.project_id} only, and this makes a new one. "
                "Use another key."
            )

    def in_project(self, project_id: str | None) -> str | None:
        """Return the project to work in, if one is named or bound. Raises KeyBoundElsewhere."""
        if self.project_id and project_id and project_id != self.project_id:
            raise KeyBoundElsewhere(
                f"This key works in the project {self.project_id} only. Leave the project out, or "
                "use another key."
            )
        return self.project_id or project_id


Identify = Callable[[str], Awaitable[Identity]]
Recheck = Callable[[Identity, str], Awaitable[None]]
T = TypeVar("T")


def needs(scope: Needed) -> dict[str, Any]:
    """Return ``openapi_extra`` of a route whose need is not that of its tag and method: ``read``
    for a POST that changes nothing, ``session`` for what no key may."""
    return {SCOPE_MARK: scope}


def route_of(request: Request) -> Any:
    """Return the route as it was included: with its whole path, and the tags of all its routers.

    FastAPI keeps that beside the bare route (fastapi/routing.py, `_EffectiveRouteContext`); without
    it the bare one's missing tags close more, never less.
    """
    included = request.scope.get("fastapi", {}).get("effective_route_context")
    return included or request.scope.get("route")


def needed(request: Request) -> Needed:
    """Return what the route of a request needs of a key."""
    route = route_of(request)
    extra = cast("Mapping[str, Needed]", getattr(route, "openapi_extra", None) or {})
    if SCOPE_MARK in extra:
        return extra[SCOPE_MARK]
    tags: list[str] = list(getattr(route, "tags", None) or ())
    if "openai" in tags:
        return "any"
    known: list[Scope] = [SCOPES_OF_TAGS[tag] for tag in tags if tag in SCOPES_OF_TAGS]
    if not known:
        return "session"
    if request.method in READ_METHODS:
        return "read"
    return known[0]


def check_may(identity: Identity, request: Request) -> None:
    """Raises SessionNeeded, ScopeMissing, KeyBoundElsewhere, ReadOnly."""
    need = needed(request)
    if identity.key_id is not None:
        if need == "session":
            raise SessionNeeded(
                "No API key may do this: sign in with a user name and a password instead."
            )
        if need != "any":
            identity.need(need)
            _check_bound(identity, request)
    if identity.account.role == "viewer" and not _is_open_to_viewers(request, need):
        raise ReadOnly("Your account may only read. Ask an admin for the role `developer`.")


def _is_open_to_viewers(request: Request, need: Needed) -> bool:
    tags = set(getattr(route_of(request), "tags", None) or ())
    return request.method in READ_METHODS or need == "read" or bool(tags & OWN_TAGS)


def _check_bound(identity: Identity, request: Request) -> None:
    path = str(getattr(route_of(request), "path", ""))
    is_of_project = "project_id" in request.path_params or "task_id" in request.path_params
    if identity.project_id is not None and not (is_of_project or path in OPEN_TO_BOUND):
        raise KeyBoundElsewhere(
            f"This key works in the project {identity.project_id} only. Use another key."
        )


def access_topic(user_id: str) -> str:
    """Return the bus's topic that tells when a user's rights became less: whoever takes rights
    away publishes it, and open streams look again."""
    return f"access:{user_id}"


def client_address(request: Request) -> str:
    """Return the address of the client; a proxy's word for it counts only where the settings
    trust that proxy (the middleware has looked)."""
    address = getattr(request.state, "client_address", "")
    return address or (request.client.host if request.client else "")


def accounts_service(request: Request) -> Accounts:
    return request.app.state.accounts


AccountsService = Annotated[Accounts, Depends(accounts_service)]


async def identified(request: Request, token: BearerToken) -> Identity:
    """Return who asks. Raises NotSignedIn, TokenRefused, KeyRefused, and what ``check_may``
    raises."""
    if not token:
        raise NotSignedIn(
            "This needs a signed-in user or an API key: send `Authorization: Bearer <token>`."
        )
    identify: Identify = request.app.state.identify
    identity = await identify(token)
    check_may(identity, request)
    await _count(request, identity.account.user_id)
    return identity


async def _count(request: Request, user_id: str) -> None:
    """Raises TooManyRequests."""
    limits: RateLimits | None = getattr(request.app.state, "rate_limits", None)
    if limits is None:
        return
    request.state.allowed = await limits.hit("api", user_id)
    path = str(getattr(route_of(request), "path", ""))
    rule = RULES_OF_ROUTES.get((request.method, path))
    if rule is not None:
        request.state.allowed = await limits.hit(rule, user_id)


Identified = Annotated[Identity, Depends(identified)]


@dataclass(frozen=True)
class Guard:
    """Ends a stream within seconds after its reader's rights became less."""

    identity: Identity
    token: str
    bus: Bus
    recheck: Recheck

    def over(
        self, events: AsyncIterable[T], look: Callable[[], Awaitable[object]]
    ) -> AsyncGenerator[T]:
        """Yield the events while the session or key lives and ``look`` raises nothing."""

        async def look_at_both() -> None:
            await self.recheck(self.identity, self.token)
            await look()

        topic = access_topic(self.identity.account.user_id)
        return guarded(events, self.bus, topic, look_at_both)


async def guard(request: Request, token: BearerToken, identity: Identified) -> Guard:
    state = request.app.state
    return Guard(identity, token or "", state.bus, state.recheck)


Guarding = Annotated[Guard, Depends(guard)]


async def signed_in(identity: Identified) -> Account:
    """Return the account of the request's session or key. Raises what ``identified`` raises."""
    return identity.account


SignedIn = Annotated[Account, Depends(signed_in)]


async def admin_only(identity: Identified) -> Account:
    """Return the account of an admin's session. Raises AdminOnlyRefused."""
    if identity.key_id is not None or not identity.account.is_admin:
        raise AdminOnlyRefused("Only a signed-in admin may do this.")
    return identity.account


AdminOnly = Annotated[Account, Depends(admin_only)]
