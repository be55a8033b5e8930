"""Composition root of the server: settings -> adapters -> services -> application."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import State

from diono.features.analytics.service import Statistics
from diono.features.chat.service import Places, chatting
from diono.features.gateway.service import Agents, Gateway
from diono.features.previews.service import Previews, PreviewShares
from diono.features.projects.service import Quotas
from diono.features.runs.service import Programs
from diono.features.sandboxes.service import Sandboxing
from diono.features.services.service import ProjectServices
from diono.features.tasks.schemas import CreateTask
from diono.features.tasks.service import Tasks
from diono.furnishing import furnish
from diono.furnishing.accounts import accounts_of
from diono.furnishing.house import House
from diono.handover import TakenRuns, taking_runs
from diono.infra.clock import SystemClock
from diono.infra.database import Database
from diono.infra.logging import configure_logging
from diono.infra.migrations import current_revision, head_revision, migrate
from diono.infra.server_file import ServerFile, lock_data
from diono.infra.tokens import TokenSigner
from diono.kernel.errors import DionoError, ErrorKind
from diono.launching import (
    Adapters,
    load_late,
    load_runners,
    open_adapters,
)
from diono.llm.catalog import Asker, ModelCatalog
from diono.sandbox.adapters.late import LateKeyring
from diono.sandbox.languages import Languages
from diono.settings import REPOSITORY, Settings
from diono.web.app import create_web_app
from diono.web.clients import networks
from diono.web.middleware import Surroundings
from diono.web.preview_gateway import PreviewGateway
from diono.web.socket import is_origin_allowed
from diono.wiring import (
    check_shared,
    check_start,
    database_url,
    llm_config,
    public_sandbox_url,
    sandbox_config,
    token_secret,
)

FRONTEND = REPOSITORY / "frontend" / "dist"


# What the command line takes from here: the roots do not import each other.
__all__ = [
    "Database",
    "accounts_of",
    "create_app",
    "current_revision",
    "database_url",
    "llm_config",
    "migrate",
    "sandbox_config",
    "serve",
]


class PortTaken(DionoError):
    code = "port_taken"
    kind = ErrorKind.CONFLICT


@asynccontextmanager
async def _lifespan(settings: Settings, app: FastAPI) -> AsyncGenerator[None]:
    signer = TokenSigner(await asyncio.to_thread(token_secret, settings))
    async with AsyncExitStack() as stack:
        adapters = await stack.enter_async_context(open_adapters(settings, has_engine=True))
        low, high = (int(part) for part in settings.preview_ports.split("-"))
        shares = PreviewShares(adapters.database, signer, SystemClock())
        gateway = PreviewGateway(settings.host, range(low, high + 1), signer, shares.allows)
        stack.push_async_callback(gateway.close)
        previews = Previews(adapters.sandboxes, gateway, signer, SystemClock(), shares)
        _fill(app.state, settings, adapters, previews)
        await furnish(House(app.state, settings, adapters, signer, stack))
        runs = await stack.enter_async_context(taking_runs(settings, adapters))
        app.state.runs = runs
        app.state.probe = partial(_probe, adapters, runs)
        yield


def _fill(state: State, settings: Settings, adapters: Adapters, previews: Previews) -> None:
    """Put the services where the routes look for them."""
    clock, database, sandboxes = SystemClock(), adapters.database, adapters.sandboxes
    rules = InstallationRules(settings, adapters.catalog)

    async def check_model(name: str, asker: Asker) -> None:
        await adapters.catalog.choose(name, asker)

    state.catalog, state.fits = adapters.catalog, adapters.fits
    state.tasks = Tasks(database, adapters.bus, adapters.blobs, clock, check_model, rules)
    state.statistics = Statistics(database, state.tasks, adapters.blobs, clock)
    agents = Agents(state.tasks, database, clock)
    state.gateway = Gateway(adapters.catalog, adapters.fits, agents)
    state.previews = previews
    state.services = ProjectServices(sandboxes, previews)
    state.programs = Programs(
        sandboxes, Languages.load(), sandboxes.template_states, may_be_warm=True
    )
    state.sandboxing = Sandboxing(LateKeyring(sandboxes), clock, public_sandbox_url(settings))
    places = Places(sandboxes, LateKeyring(sandboxes))
    parts = chatting(database, adapters.blobs, places, state.tasks, clock)
    state.projects, state.checkpoints = parts.projects, parts.checkpoints
    state.chats, state.project_files = parts.chats, parts.files
    state.is_origin_allowed = partial(is_origin_allowed, allowed=settings.allowed_origins)


class InstallationRules:
    """What tasks may ask of this installation; its runners and prices are read when needed."""

    def __init__(self, settings: Settings, catalog: ModelCatalog) -> None:
        self._settings = settings
        self._catalog = catalog
        self.quotas = Quotas(settings.user_projects, settings.user_tasks)

    async def check(self, request: CreateTask, asker: Asker) -> None:
        """Raises UnknownRunner, PriceUnknown."""
        if request.runner:
            (await load_runners(self._settings)).check(request.runner)
        if request.budget_cost_usd is not None:
            jobs = await load_late("diono.features.tasks.jobs")
            prices = await asyncio.to_thread(jobs.Prices.load, self._settings.prices_file)
            model = await self._catalog.bind(request.model, asker)
            prices.needed(model.name, is_local=model.profile.is_local)


async def _probe(adapters: Adapters, runs: TakenRuns) -> dict[str, str]:
    health = await adapters.sandboxes.health()
    sandbox = "ok" if health.is_ready else health.problem
    revision = await current_revision(adapters.database)
    database = "ok" if revision == head_revision() else "the schema is not up to date"
    return {"database": database, "workflows": await runs.probe(), "sandbox": sandbox}


def create_app(settings: Settings) -> FastAPI:
    """Return the application; its services start and stop with its lifespan."""
    around = Surroundings(
        public_url=settings.public_url,
        allowed_origins=settings.allowed_origins,
        trusted_proxies=networks(settings.trusted_proxies),
    )
    return create_web_app(partial(_lifespan, settings), FRONTEND, around)


def bind(settings: Settings) -> socket.socket:
    """Open the listening socket. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"Port {settings.port} of {settings.host} cannot be used: {error.strerror}. "
            "Stop what listens there, or choose another with `diono up --port N`."
        ) from error
    return listener


def serve(settings: Settings) -> None:
    """Run the server until it is told to stop. Raises PortTaken, AlreadyRunning,
    WorkersNeedPostgres, SecretWeak, UnsafeSettings."""
    check_start(settings)
    if settings.workers == "external":
        check_shared(settings)
    configure_logging(settings.log_level)
    lock = lock_data(settings.data_dir)
    listener = bind(settings)
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host
    ServerFile(pid=os.getpid(), url=f"http://{shown}:{port}").write(settings.data_dir)
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        server_header=False,
        # Who a proxy speaks for is told by the middleware, which asks whether it is trusted.
        proxy_headers=False,
        # Longer than proxies keep an idle connection (nginx: 60 s): who closes first may cut off
        # a request that is on its way.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        ServerFile.remove(settings.data_dir)
        lock.close()
