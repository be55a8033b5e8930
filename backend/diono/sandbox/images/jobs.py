"""Builds of recipes in the background: one at a time, each told about while it goes on."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from loguru import logger

from diono.kernel.errors import DionoError
from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import TemplateBuilding
from diono.sandbox.images.building import ImageBuilder, engine_client, find_image
from diono.sandbox.images.recipes import Recipe, Recipes
from diono.sandbox.images.threads import in_daemon_thread
from diono.sandbox.template_states import Readiness, TemplateState


@dataclass
class _Job:
    task: asyncio.Task[None]
    started: float
    detail: str = "waiting for its turn"
    problem: str = ""


class RecipeJobs:
    """Knows which images are on this machine and builds those that are asked for and are not."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._builder = ImageBuilder(config)
        self._present: set[str] = set()
        self._jobs: dict[str, _Job] = {}
        self._turn = asyncio.Semaphore(1)

    @property
    def recipes(self) -> Recipes:
        return self._builder.recipes

    async def need(self, recipe: Recipe) -> None:
        """Return if the image is here; else start its build. Raises TemplateBuilding."""
        if recipe.tag in self._present:
            return
        await self.refresh([recipe])
        if recipe.tag in self._present:
            return
        job = self._jobs.get(recipe.name)
        if job is not None and job.problem:
            problem = job.problem
            del self._jobs[recipe.name]
            raise TemplateBuilding(
                f"the template {recipe.name} could not be built: {problem}; ask again to retry"
            )
        self.start(recipe)
        raise TemplateBuilding(self._sentence(recipe))

    def _sentence(self, recipe: Recipe) -> str:
        job = self._jobs[recipe.name]
        seconds = time.monotonic() - job.started
        return (
            f"the template {recipe.name} ({recipe.data.title}) is being built for its first use: "
            f"{job.detail} ({seconds:.0f} s so far); ask again in a few seconds"
        )

    def start(self, recipe: Recipe) -> None:
        """Build it in the background; one build of a recipe at a time."""
        if recipe.name in self._jobs and not self._jobs[recipe.name].task.done():
            return
        task = asyncio.create_task(self._build(recipe))
        self._jobs[recipe.name] = _Job(task, time.monotonic())

    async def _build(self, recipe: Recipe) -> None:
        job = self._jobs[recipe.name]

        def report(sentence: str) -> None:
            job.detail = sentence

        async with self._turn:
            try:
                await in_daemon_thread(partial(self._builder.ensure, recipe.name, report))
            except DionoError as error:
                logger.error("the template {} could not be built: {}", recipe.name, error.detail)
                job.problem = error.detail
            else:
                self._present.update(part.tag for part in recipe.lineage())

    async def wait(self, recipe: Recipe) -> None:
        """Wait for a build that was started; fine if there is none."""
        job = self._jobs.get(recipe.name)
        if job is not None:
            await asyncio.wait({job.task})

    async def refresh(self, recipes: Sequence[Recipe] | None = None) -> None:
        """Ask the engine which images are there. Raises EngineMissing."""
        asked = list(self.recipes) if recipes is None else recipes
        tags = [recipe.tag for recipe in asked]
        present = await asyncio.to_thread(self._present_of, tags)
        self._present.difference_update(tags)
        self._present.update(present)

    def _present_of(self, tags: Sequence[str]) -> set[str]:
        with engine_client(self._config) as client:
            return {tag for tag in tags if find_image(client, tag) is not None}

    def is_present(self, recipe: Recipe) -> bool:
        return recipe.tag in self._present

    def state(self, recipe: Recipe) -> TemplateState:
        job = self._jobs.get(recipe.name)
        readiness, detail, seconds = Readiness.ON_DEMAND, "", 0.0
        if self.is_present(recipe):
            readiness = Readiness.READY
        elif job is not None and not job.task.done():
            readiness, detail = Readiness.BUILDING, job.detail
            seconds = round(time.monotonic() - job.started, 1)
        elif job is not None and job.problem:
            readiness, detail = Readiness.FAILED, job.problem
        return TemplateState(
            name=recipe.name,
            names=recipe.data.names,
            title=recipe.data.title,
            readiness=readiness,
            detail=detail,
            seconds=seconds,
        )

    async def close(self) -> None:
        """Leave builds to themselves: what they make is found by its tag at the next start."""
        tasks = [job.task for job in self._jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
