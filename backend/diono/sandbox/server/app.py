"""The sandbox service as one ASGI application: the control plane and the gateway."""

import re
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from loguru import logger
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from diono.kernel.errors import DionoError, InvalidInput
from diono.sandbox.config import SandboxConfig
from diono.sandbox.extensions import TUNNEL_PATH
from diono.sandbox.fleet import Fleet, Templates
from diono.sandbox.images.store import TemplateStore
from diono.sandbox.images.template_builds import TemplateBuilds
from diono.sandbox.images.uploads import UPLOAD_BYTES_LIMIT
from diono.sandbox.installs.cache import PackageCache
from diono.sandbox.server import admin, belongings, packages, sandboxes, template_builds, templates
from diono.sandbox.server.asgi import BoundedBody, send_refusal
from diono.sandbox.server.desk import CALLER, Desk
from diono.sandbox.server.doorway import first_values
from diono.sandbox.server.gateway import Gateway
from diono.sandbox.server.keys import KeyStore
from diono.sandbox.server.volumes import VolumeBook
from diono.sandbox.transport import GuestPool
from diono.sandbox.wire_errors import Refusal, gateway_refusal, of_the_host, refusal_of

_BODY_LIMIT_BYTES = 1 << 20
# Says nothing; or says that it is not built, to SDKs that send no key along.
_OPEN = re.compile(r"/health|/volumecontent/.*")
_UPLOAD = re.compile(r"/templates/[^/]+/files/[^/]+")  # the link itself is signed
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def _answer(refusal: Refusal) -> Response:
    return Response(
        refusal.body, refusal.status, headers=refusal.headers, media_type="application/json"
    )


async def _domain_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, DionoError):
        raise error
    return _answer(refusal_of(error))


async def _invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    parts = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5]]
    return _answer(refusal_of(InvalidInput("; ".join(parts)[:1000])))


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error.__cause__, DionoError):  # ours, met while the body was read
        return _answer(refusal_of(error.__cause__))
    return _answer(Refusal(error.status_code, str(error.detail), {"Should-Retry": "false"}))


async def _host_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, OSError):
        raise error
    logger.opt(exception=error).warning("the host refused something")
    return _answer(refusal_of(of_the_host(error)))


def _control_plane(desk: Desk, cache: PackageCache) -> FastAPI:
    control = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    control.state.desk = desk
    control.state.packages = cache
    control.state.builds = (
        TemplateBuilds(desk.config, desk.templates)
        if isinstance(desk.templates, TemplateStore)
        else None
    )
    for module in (sandboxes, belongings, template_builds, templates, packages, admin):
        control.include_router(module.router)
    control.add_exception_handler(DionoError, _domain_error)
    control.add_exception_handler(RequestValidationError, _invalid_request)
    control.add_exception_handler(HTTPException, _http_error)
    control.add_exception_handler(OSError, _host_error)
    return control


class Service:
    """Sends each request to where it belongs: into a sandbox, or to the control plane."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._gateway = Gateway(desk)
        self._cache = PackageCache(desk.config, desk.templates)
        self._control = _control_plane(desk, self._cache)

    async def close(self) -> None:
        """Stop fetching packages; what is being fetched is fetched anew when it is asked for."""
        await self._cache.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            raise RuntimeError("the service has no lifespan of its own")
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._route(scope, receive, watched)
        except Exception as error:  # noqa: BLE001  the last line: the caller gets the wire's shape
            logger.opt(exception=error).error("a request failed inside")
            if not has_begun:
                refusal = Refusal(500, "something went wrong inside the sandbox service")
                await send_refusal(scope, receive, send, refusal)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = first_values(scope)
        try:
            target = self._gateway.doorway.target(headers)
        except DionoError as error:
            sandbox_id = headers.get(b"e2b-sandbox-id", b"").decode("latin-1")
            await send_refusal(scope, receive, send, gateway_refusal(error, sandbox_id[:64], 0))
            return
        if target is not None or scope["path"] == "/files":
            await self._gateway(scope, receive, send, target)
        elif scope["type"] == "websocket":
            message = f"only {TUNNEL_PATH} and sandboxes' own addresses speak WebSocket here"
            await send_refusal(scope, receive, send, Refusal(404, message))
        else:
            await self._control_plane(scope, receive, send)

    async def _control_plane(self, scope: Scope, receive: Receive, send: Send) -> None:
        """No route decides whether it needs a key: all do, before a byte of a body is read."""
        try:
            is_upload = scope["method"] == "PUT" and bool(_UPLOAD.fullmatch(scope["path"]))
            if not (is_upload or _OPEN.fullmatch(scope["path"])):
                host = scope["client"][0] if scope.get("client") else ""
                scope[CALLER] = self._desk.caller(first_values(scope), host)
            limit = UPLOAD_BYTES_LIMIT if is_upload else _BODY_LIMIT_BYTES
            await self._control(scope, BoundedBody(receive, limit), send)
        except DionoError as error:
            await send_refusal(scope, receive, send, refusal_of(error))


def create_service(
    fleet: Fleet, keys: KeyStore, templates: Templates, config: SandboxConfig
) -> Service:
    """Return the whole service; the caller serves it and closes it, the fleet and the keys."""
    volumes = VolumeBook(config.state_dir / "service" / "volumes.json")
    return Service(Desk(fleet, keys, templates, volumes, config, GuestPool(fleet)))
