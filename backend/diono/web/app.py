"""The web application, assembled from its parts."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from diono.features.accounts.routes import router as accounts_router
from diono.features.analytics.routes import router as analytics_router
from diono.features.chat.routes import router as chat_router
from diono.features.checkpoints.routes import router as checkpoints_router
from diono.features.documents.routes import router as documents_router
from diono.features.drives.routes import router as drives_router
from diono.features.files.routes import router as files_router
from diono.features.gateway.routes import router as gateway_router
from diono.features.hooks.routes import router as hooks_router
from diono.features.keys.routes import router as keys_router
from diono.features.library.routes import router as library_router
from diono.features.models.routes import router as models_router
from diono.features.projects.routes import membership as members_router
from diono.features.projects.routes import router as projects_router
from diono.features.providers.routes import router as providers_router
from diono.features.runs.routes import router as runs_router
from diono.features.sandboxes.routes import router as sandboxes_router
from diono.features.services.routes import router as services_router
from diono.features.tasks.routes import router as tasks_router
from diono.web.description import describe
from diono.web.errors import install_error_handlers
from diono.web.frontend import install_frontend
from diono.web.health import router as health_router
from diono.web.middleware import RequestContext, Surroundings
from diono.web.socket import router as socket_router

BODY_BYTES = 1024 * 1024
ASKED_HEADERS = [
    "Authorization",
    "Content-Type",
    "Last-Event-ID",
    "Upload-Offset",
    "X-Diono-Project",
    "X-Request-Id",
]
TOLD_HEADERS = [
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "Upload-Offset",
    "X-Request-Id",
]

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def _operation_id(route: APIRoute) -> str:
    return route.name


def create_web_app(
    lifespan: Lifespan | None = None,
    frontend: Path | None = None,
    around: Surroundings | None = None,
) -> FastAPI:
    """Assemble the application. The lifespan puts the services on ``app.state``."""
    app = FastAPI(
        title="Diono",
        summary="Turns a sentence into working, proven software on your own machine.",
        version="0.1.0",
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        max_body_size=BODY_BYTES,
        docs_url=None,
        openapi_url="/api/openapi.json",
        redoc_url=None,
        redirect_slashes=False,
    )
    around = around or Surroundings()
    if around.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin for origin in around.allowed_origins if "://" in origin],
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=ASKED_HEADERS,
            expose_headers=TOLD_HEADERS,
            max_age=600,
        )
    app.add_middleware(RequestContext, around=around)
    install_error_handlers(app)
    describe(app)
    features = (
        accounts_router,
        keys_router,
        models_router,
        providers_router,
        hooks_router,
        sandboxes_router,
        runs_router,
        projects_router,
        members_router,
        services_router,
        checkpoints_router,
        chat_router,
        files_router,
        library_router,
        documents_router,
        tasks_router,
        analytics_router,
        gateway_router,
        drives_router,
    )
    for router in (health_router, *features, socket_router):
        app.include_router(router)
    if frontend is not None:
        install_frontend(app, frontend)
    return app


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document without starting anything."""
    return create_web_app().openapi()
