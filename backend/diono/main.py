"""Composition root of the server: settings -> adapters -> services -> application."""

import asyncio
import importlib
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import uvicorn
from fastapi import FastAPI
from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from diono.features.accounts.service import Accounts
from diono.features.keys.service import Keys
from diono.features.previews.service import Previews, PreviewShares
from diono.features.runs.service import Programs
from diono.features.sandboxes.service import Sandboxing
from diono.features.services.service import ProjectServices
from diono.features.tasks.ledger import Ledger
from diono.features.tasks.service import Tasks
from diono.infra.blobs import FolderBlobs
from diono.infra.bus import MemoryBus
from diono.infra.clock import SystemClock
from diono.infra.database import Database
from diono.infra.heartbeats import Heartbeats
from diono.infra.logging import configure_logging
from diono.infra.migrations import current_revision, head_revision, migrate
from diono.infra.server_file import OneTimePassword, ServerFile, lock_data
from diono.infra.tokens import TokenSigner, load_secret
from diono.kernel.errors import DionoError, ErrorKind, Unavailable
from diono.llm.catalog import ModelCatalog
from diono.llm.providers import provider_factories
from diono.sandbox.adapters.late import LateKeyring, LateSandboxes
from diono.sandbox.languages import Languages
from diono.sandbox.launch import SandboxDaemon
from diono.settings import REPOSITORY, Settings
from diono.web.app import create_web_app
from diono.web.preview_gateway import PreviewGateway
from diono.web.socket import is_origin_allowed
from diono.wiring import (
    database_url,
    llm_config,
    public_sandbox_url,
    sandbox_config,
    sandbox_server,
)

FRONTEND = REPOSITORY / "frontend" / "dist"
BLUEPRINTS = REPOSITORY / "workspace" / "blueprints"
PARALLEL_BUILDS = 2


class PortTaken(DionoError):
    code = "port_taken"
    kind = ErrorKind.CONFLICT


class Engine(Protocol):
    async def start(self, run_id: str) -> None: ...

    async def close(self) -> None: ...


class DeferredRuns:
    """Hands runs to the workflow engine, which starts after the server already answers."""

    def __init__(self) -> None:
        self._engine: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
        self.problem = "starting"

    async def start(self, run_id: str) -> None:
        """Raises Unavailable if the engine could not start."""
        await (await asyncio.shield(self._engine)).start(run_id)

    def is_ready(self, engine: Engine) -> None:
        self.problem = "ok"
        self._engine.set_result(engine)

    async def close(self) -> None:
        """Stop the engine; its unfinished runs go on at the next start."""
        if self.problem == "ok":
            await self._engine.result().close()
        elif not self._engine.done():
            self.is_broken("The server is stopping.")

    def is_broken(self, detail: str) -> None:
        self.problem = detail
        self._engine.set_exception(Unavailable(detail))
        self._engine.exception()


@dataclass(frozen=True)
class Adapters:
    """The outside world of one server, by its ports."""

    database: Database
    sandboxes: LateSandboxes
    sandboxes_starting: asyncio.Task[None]
    catalog: ModelCatalog
    blobs: FolderBlobs


def _token_secret(settings: Settings) -> str:
    return load_secret(settings.data_dir / "run" / "signing.key")


def accounts_of(settings: Settings, database: Database) -> Accounts:
    """Return the account service; the command line uses it without a server."""
    return Accounts(database, TokenSigner(_token_secret(settings)), SystemClock())


@asynccontextmanager
async def _sandbox_service(
    settings: Settings,
) -> AsyncGenerator[tuple[LateSandboxes, asyncio.Task[None]]]:
    daemon = None if settings.sandbox_url else SandboxDaemon(sandbox_config(settings))
    # Beside the first replies: the service looks for what a former life left in the engine.
    starting = asyncio.create_task(_start_sandboxes(daemon))
    redis_url = settings.redis_url.get_secret_value()
    sandboxes = LateSandboxes(
        sandbox_server(settings), starting, redis_url, settings.sandbox_registries
    )
    try:
        yield sandboxes, starting
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await sandboxes.close()
        if daemon is not None:
            await daemon.stop()


async def _start_sandboxes(daemon: SandboxDaemon | None) -> None:
    try:
        if daemon is not None:
            await daemon.start()
    except DionoError as error:
        logger.error("{}", error.detail)


@asynccontextmanager
async def _open_adapters(settings: Settings) -> AsyncGenerator[Adapters]:
    database = Database(database_url(settings))
    catalog = ModelCatalog(provider_factories(llm_config(settings)), settings.model)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await migrate(database)
        stack.push_async_callback(catalog.close)
        sandboxes, starting = await stack.enter_async_context(_sandbox_service(settings))
        blobs = FolderBlobs(settings.data_dir / "blobs")
        yield Adapters(database, sandboxes, starting, catalog, blobs)


async def _launch_workflows(
    settings: Settings, adapters: Adapters, ledger: Ledger, runs: DeferredRuns
) -> None:
    # The engine and the team take longer to import than the whole rest of the server, so they are
    # loaded beside the first requests.
    try:
        workflows = await asyncio.to_thread(importlib.import_module, "diono.infra.workflows")
        jobs = await asyncio.to_thread(importlib.import_module, "diono.features.tasks.jobs")
        url = settings.workflow_database_url
        engine = workflows.WorkflowEngine(
            url or settings.data_dir / "workflows.sqlite", settings.executor_id, PARALLEL_BUILDS
        )
        heartbeats = Heartbeats(adapters.database, settings.executor_id, SystemClock())
        house = jobs.House(
            ledger=ledger,
            engine=engine,
            sandboxes=adapters.sandboxes,
            conversations=jobs.NoConversations(),
            checkpoints=jobs.NoCheckpoints(),
            clock=SystemClock(),
        )
        job = jobs.BuildJob(
            house, adapters.catalog, jobs.AssumedFits(), jobs.BlueprintCatalog(BLUEPRINTS)
        )
        await asyncio.wait({adapters.sandboxes_starting})
        await heartbeats.beat()
        await engine.launch(job.run)
        await jobs.reconcile(ledger, engine, job)
    except (DionoError, OSError, SQLAlchemyError, ImportError) as error:
        logger.opt(exception=error).error("the workflow engine did not start")
        runs.is_broken(f"The workflow engine did not start: {error}. The log has the cause.")
    else:
        runs.is_ready(engine)
        await heartbeats.keep(engine)


@asynccontextmanager
async def _lifespan(settings: Settings, app: FastAPI) -> AsyncGenerator[None]:
    clock, bus = SystemClock(), MemoryBus()
    signer = TokenSigner(_token_secret(settings))
    async with _open_adapters(settings) as adapters:
        accounts = accounts_of(settings, adapters.database)
        first = await accounts.ensure_first_admin()
        if first is not None:
            OneTimePassword(settings.data_dir).keep(*first)
        low, high = (int(part) for part in settings.preview_ports.split("-"))
        shares = PreviewShares(adapters.database, signer, clock)
        gateway = PreviewGateway(settings.host, range(low, high + 1), signer, shares.allows)
        ledger = Ledger(adapters.database, bus, adapters.blobs, clock)
        runs = DeferredRuns()

        async def check_model(name: str) -> None:
            await adapters.catalog.choose(name)

        async def probe() -> dict[str, str]:
            health = await adapters.sandboxes.health()
            sandbox = "ok" if health.is_ready else health.problem
            revision = await current_revision(adapters.database)
            database = "ok" if revision == head_revision() else "the schema is not up to date"
            return {"database": database, "workflows": runs.problem, "sandbox": sandbox}

        state = app.state
        state.accounts = accounts
        state.keys = Keys(adapters.database, accounts, clock)
        state.catalog = adapters.catalog
        state.tasks = Tasks(adapters.database, bus, adapters.blobs, clock, check_model)
        state.previews = Previews(adapters.sandboxes, gateway, signer, clock, shares)
        state.services = ProjectServices(adapters.sandboxes, state.previews, adapters.database)
        sandboxes = adapters.sandboxes
        state.programs = Programs(
            sandboxes, Languages.load(), sandboxes.template_states, may_be_warm=True
        )
        keyring = LateKeyring(sandboxes)
        state.sandboxing = Sandboxing(keyring, clock, public_sandbox_url(settings))
        state.runs = runs
        state.probe = probe
        state.is_origin_allowed = partial(is_origin_allowed, allowed=settings.allowed_origins)
        launching = asyncio.create_task(_launch_workflows(settings, adapters, ledger, runs))
        try:
            yield
        finally:
            await _stop(launching, runs, gateway)


async def _stop(launching: asyncio.Task[None], runs: DeferredRuns, gateway: PreviewGateway) -> None:
    launching.cancel()
    await asyncio.gather(launching, return_exceptions=True)
    await runs.close()
    await gateway.close()


def create_app(settings: Settings) -> FastAPI:
    """Return the application; its services start and stop with its lifespan."""
    return create_web_app(partial(_lifespan, settings), FRONTEND)


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
    """Run the server until it is told to stop. Raises PortTaken, AlreadyRunning."""
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
        timeout_graceful_shutdown=5,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        ServerFile.remove(settings.data_dir)
        lock.close()
