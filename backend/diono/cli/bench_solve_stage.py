"""What the solver needs of a host, without a server: nothing is recorded, nobody is asked."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from diono.agents.port import (
    Action,
    Check,
    Decision,
    JsonObject,
    Memory,
    Model,
    Question,
    Said,
    Steps,
)
from diono.cli.sandbox_bench.service import service_of
from diono.inspection.models import Inspection, not_examined
from diono.kernel.events import EventDraft
from diono.llm.catalog import ModelCatalog
from diono.llm.fit.report import ModelFit
from diono.llm.providers import provider_factories
from diono.sandbox.adapters.remote import RemoteSandboxes, RemoteServer
from diono.sandbox.port import Sandbox, Sandboxes, SandboxSpec
from diono.settings import Settings
from diono.wiring import llm_config

_OWNER = "bench"
_SANDBOXES = 4
_TASK_SECONDS = 900.0


class PlainSteps:
    """Every step runs once; a killed measurement goes on with the next task, not in one."""

    async def run(self, name: str, action: Action) -> JsonObject:
        return await action()

    async def run_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int = 2
    ) -> list[JsonObject]:
        return [await action() for _, action in branches]


@dataclass
class BenchStage:
    """Satisfies agents.port.Stage."""

    model: Model
    fit: ModelFit
    steps: Steps
    sandboxes: Sandboxes

    async def sandbox(self) -> Sandbox:
        return await self.side_sandbox("work")

    async def side_sandbox(self, name: str, template: str = "base") -> Sandbox:
        return await self.sandboxes.open(
            SandboxSpec(
                owner=_OWNER, project=f"solve-{name}", template=template,
                is_kept=True, is_disposable=True,
            )
        )  # fmt: skip

    async def end_side_sandbox(self, name: str) -> None:
        await self.sandboxes.kill(_OWNER, f"solve-{name}")

    async def decide(self, question: Question) -> Decision:
        return Decision(is_approved=False)

    async def recall(self) -> tuple[Sequence[Said], Memory]:
        return (), Memory()

    async def remember(self, said: Sequence[Said], memory: Memory) -> None:
        """A measurement keeps no conversation."""

    async def checkpoint(self, title: str, commit: str) -> None:
        """A measurement has nothing to come back to."""

    async def emit(self, draft: EventDraft) -> None:
        """Nobody watches."""

    def seconds_left(self) -> float:
        return _TASK_SECONDS

    async def save_file(self, path: str, content: bytes) -> None:
        """The source is in the solution."""

    async def inspect(self, checks: Sequence[Check] = ()) -> Inspection:
        return not_examined("a measurement solves functions, it does not judge them")


@asynccontextmanager
async def open_stage(settings: Settings, model: str | None) -> AsyncGenerator[BenchStage]:
    """Return a stage with the named model and a sandbox service of its own, for this block."""
    catalog = ModelCatalog(provider_factories(llm_config(settings)))
    try:
        bound = await catalog.bind(model)
        with service_of(settings, _SANDBOXES) as service:
            sandboxes = RemoteSandboxes(RemoteServer(service.url, service.key, is_diono=True))
            try:
                fit = ModelFit.assumed(bound.profile, bound.name)
                yield BenchStage(bound, fit, PlainSteps(), sandboxes)
            finally:
                await sandboxes.close()
    finally:
        await catalog.close()
