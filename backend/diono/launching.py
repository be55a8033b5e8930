"""What runs tasks: the same in the server's own process and in `diono worker`."""

import asyncio
import importlib
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from loguru import logger

import diono.features.accounts.service  # noqa: F401  # pyright: ignore[reportUnusedImport] - the queue's rows refer to its tables
from diono.features.checkpoints.service import Checkpoints
from diono.features.conversations.service import Conversations
from diono.features.documents.service import DocumentShop, Store, shelves_of
from diono.features.hooks.service import Deliverer, Tools
from diono.features.models.service import ModelFits
from diono.features.providers.service import Providers
from diono.features.tasks.ledger import Ledger
from diono.features.tasks.queue import Queue, QueueLimits
from diono.infra.blobs import Blobs, FolderBlobs
from diono.infra.bus import Bus, MemoryBus, PollingBus
from diono.infra.clock import SystemClock
from diono.infra.database import Database
from diono.infra.heartbeats import Heartbeats
from diono.infra.migrations import migrate
from diono.infra.outbound import Outbound
from diono.infra.sealed_columns import open_keyring
from diono.infra.sealing import Sealer
from diono.inspection.service import Inspector
from diono.kernel.errors import DionoError
from diono.llm.catalog import ModelCatalog
from diono.llm.providers import provider_factories
from diono.sandbox.adapters.late import LateSandboxes
from diono.sandbox.launch import SandboxDaemon
from diono.settings import REPOSITORY, Settings
from diono.wiring import (
    database_url,
    embedder_of,
    executor_id,
    hide_secrets,
    llm_config,
    mailer,
    master_key_place,
    outbound_of,
    sandbox_config,
    sandbox_server,
    web_search,
    workflow_database,
)

if TYPE_CHECKING:
    from diono.agents.runners.registry import Runners
    from diono.features.tasks.jobs import Dispatcher, TaskJob
    from diono.infra.workflows import WorkflowEngine

BLUEPRINTS = REPOSITORY / "workspace" / "blueprints"
# Of a worker, until it counts as lost.
BEATS = 6


@dataclass(frozen=True)
class Adapters:
    """The outside world of one process, by its ports."""

    database: Database
    bus: Bus
    sandboxes: LateSandboxes
    sandboxes_starting: asyncio.Task[None]
    catalog: ModelCatalog
    fits: ModelFits
    blobs: Blobs
    sealer: Sealer
    outbound: Outbound
    providers: Providers


@asynccontextmanager
async def open_adapters(settings: Settings, *, has_engine: bool) -> AsyncGenerator[Adapters]:
    """Open what the settings name. ``has_engine`` lets this process start the sandbox service.

    Raises MasterKeyWrong, MasterKeyInvalid, DatabaseFailed."""
    hide_secrets(settings)
    database, clock = Database(database_url(settings)), SystemClock()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await migrate(database)
        sealer = Sealer(await open_keyring(master_key_place(settings), database))
        outbound = outbound_of(settings)
        providers = Providers(database, sealer, outbound, clock, settings.model_idle_seconds)
        factories = provider_factories(llm_config(settings))
        catalog = ModelCatalog(factories, settings.model, providers)
        stack.push_async_callback(catalog.close)
        service = _sandbox_service(settings, has_engine=has_engine)
        sandboxes, starting = await stack.enter_async_context(service)
        bus = await _bus(settings)
        await bus.start()
        stack.push_async_callback(bus.close)
        blobs = await stack.enter_async_context(_blobs(settings))
        fits = ModelFits(database, catalog, clock, settings.model_fit)
        yield Adapters(
            database=database,
            bus=bus,
            sandboxes=sandboxes,
            sandboxes_starting=starting,
            catalog=catalog,
            fits=fits,
            blobs=blobs,
            sealer=sealer,
            outbound=outbound,
            providers=providers,
        )


@asynccontextmanager
async def _blobs(settings: Settings) -> AsyncGenerator[Blobs]:
    """Open the store of files. Raises S3Misconfigured, BlobsUnavailable."""
    if not settings.s3_url:
        yield FolderBlobs(settings.data_dir / "blobs")
        return
    module = await load_late("diono.infra.blobs.s3")
    blobs = await asyncio.to_thread(module.S3Blobs, settings.s3_url)
    try:
        await blobs.start()
        yield blobs
    finally:
        await blobs.close()


async def _bus(settings: Settings) -> Bus:
    url = settings.redis_url.get_secret_value()
    if url:
        module = await asyncio.to_thread(importlib.import_module, "diono.infra.redis_bus")
        return module.RedisBus(url)
    is_shared = settings.workers != "inside" or not database_url(settings).startswith("sqlite")
    return PollingBus() if is_shared else MemoryBus()


@asynccontextmanager
async def _sandbox_service(
    settings: Settings, *, has_engine: bool
) -> AsyncGenerator[tuple[LateSandboxes, asyncio.Task[None]]]:
    is_ours = has_engine and not settings.sandbox_url
    daemon = SandboxDaemon(sandbox_config(settings)) if is_ours else None
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


def document_shop(settings: Settings, adapters: Adapters) -> DocumentShop:
    store = Store(adapters.database, adapters.bus, adapters.blobs, SystemClock())
    embedder, bind = embedder_of(settings, adapters.catalog), adapters.catalog.bind
    return DocumentShop(store, adapters.sandboxes, bind, embedder, settings.parallel_documents)


def heartbeats(settings: Settings, database: Database) -> Heartbeats:
    lost = settings.worker_lost_seconds
    return Heartbeats(database, executor_id(settings), SystemClock(), lost / BEATS, lost)


class Workshop:
    """The workflow engine, the dispatcher and the heartbeat of one process."""

    def __init__(self, settings: Settings, adapters: Adapters) -> None:
        self._settings = settings
        self._adapters = adapters
        self._clock = SystemClock()
        self._keepers: list[asyncio.Task[None]] = []
        self._heartbeats = heartbeats(settings, adapters.database)
        self._engine: WorkflowEngine | None = None

    async def open(self) -> None:
        """Load and start everything; unfinished runs go on. Raises DionoError, OSError,
        SQLAlchemyError, ImportError."""
        settings, adapters = self._settings, self._adapters
        # These take longer to import than the rest of the server: beside the first requests.
        workflows = await load_late("diono.infra.workflows")
        jobs = await load_late("diono.features.tasks.jobs")
        in_process = settings.worker_runs or settings.parallel_runs
        engine: WorkflowEngine = workflows.WorkflowEngine(
            workflow_database(settings), executor_id(settings), in_process
        )
        job = await self._job(jobs, engine)
        dispatcher: Dispatcher = jobs.Dispatcher(job, adapters.bus)
        documents = await load_late("diono.features.documents.jobs")
        reader = documents.reader_of(document_shop(settings, adapters), executor_id(settings))
        await asyncio.wait({adapters.sandboxes_starting})
        await self._heartbeats.beat()
        self._engine = engine
        await engine.launch(job.run)
        await dispatcher.reconcile()
        self._keepers = [
            asyncio.create_task(self._heartbeats.keep(engine)),
            asyncio.create_task(dispatcher.keep()),
            asyncio.create_task(reader.keep()),
        ]

    async def _job(self, jobs: ModuleType, engine: "WorkflowEngine") -> "TaskJob":
        settings, adapters, clock = self._settings, self._adapters, self._clock
        database, bus = adapters.database, adapters.bus
        limits = QueueLimits(settings.parallel_runs, settings.parallel_user_runs)
        conversations = Conversations(database, clock, settings.summary_tokens)
        house = jobs.House(
            ledger=Ledger(database, bus, adapters.blobs, clock),
            queue=Queue(database, bus, clock, limits),
            engine=engine,
            sandboxes=adapters.sandboxes,
            conversations=conversations,
            checkpoints=Checkpoints(database, adapters.sandboxes, conversations, clock),
            clock=clock,
            shelves=shelves_of(document_shop(settings, adapters)),
            inspector=Inspector(adapters.sandboxes) if settings.inspection else None,
        )
        prices = await asyncio.to_thread(jobs.Prices.load, settings.prices_file)
        staff = jobs.Staff(
            runners=await load_runners(settings),
            models=adapters.catalog,
            fits=adapters.fits,
            prices=prices,
        )
        return jobs.TaskJob(house, staff)

    async def wait(self) -> None:
        """Wait until something breaks that should not."""
        await asyncio.gather(*self._keepers)

    async def close(self) -> None:
        """Break off what runs; it goes on at the next start, or with another worker at once."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        if self._engine is not None:
            await self._engine.close()
            await self._heartbeats.leave()


def hook_tools(settings: Settings, adapters: Adapters) -> Tools:
    """Return what webhooks and notifications need. Raises MailSettingsWrong."""
    return Tools(
        database=adapters.database,
        bus=adapters.bus,
        sealer=adapters.sealer,
        outbound=adapters.outbound,
        mailer=mailer(settings),
        clock=SystemClock(),
    )


@asynccontextmanager
async def delivering(tools: Tools) -> AsyncGenerator[Deliverer]:
    """Tell outside what happens, in this process; others do the same beside it."""
    deliverer = Deliverer(tools)
    keeper = asyncio.create_task(deliverer.keep())
    try:
        yield deliverer
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def load_late(module: str) -> ModuleType:
    """Import a heavy module beside what else goes on."""
    return await asyncio.to_thread(importlib.import_module, module)


async def load_runners(settings: Settings) -> "Runners":
    """Return the runners of this installation; the first use imports the agents."""
    registry = await load_late("diono.agents.runners.registry")
    resources = await load_late("diono.agents.runners.resources")
    return registry.Runners(
        resources.Resources(
            blueprints=BLUEPRINTS,
            roles=settings.roles_dir,
            workflows=settings.workflows_dir,
            tools=settings.tools_dir,
            graphs=settings.graphs_dir,
            custom=settings.runners_dir,
            search=await asyncio.to_thread(web_search, settings),
        )
    )
