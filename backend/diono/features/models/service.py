"""Which models there are, and how each is best used."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Literal, Protocol

from loguru import logger

from diono.features.models.schemas import FitReport, ModelList
from diono.features.models.store import DatabaseFits
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.llm.catalog import BoundModel, ModelCatalog
from diono.llm.errors import ModelError
from diono.llm.fit.measure import BUDGET_SECONDS, FitProgress, OnProgress, fit_key, measure
from diono.llm.fit.report import ModelFit, Role, assign_roles
from diono.llm.fit.shared import SharedMeasurements
from diono.llm.further import SOURCE_PREFIX, Asker
from diono.llm.port import ModelProfile

FitMode = Literal["auto", "off"]


class AnyModel(Protocol):
    """A model of the catalogue, or somebody's own."""

    name: str
    profile: ModelProfile


async def list_models(catalog: ModelCatalog, asker: Asker | None = None) -> ModelList:
    """List the models of every provider that answers, and the default."""
    models = list(await catalog.list(asker))
    try:
        chosen = await catalog.choose(None, asker)
    except DionoError as error:
        return ModelList(models=models, default=None, reason="", problem=error.detail)
    return ModelList(models=models, default=chosen.name, reason=chosen.reason, problem="")


class ModelFits:
    """Measures each model at its first use, and remembers. ``off``: only when asked to."""

    def __init__(
        self,
        database: Database,
        catalog: ModelCatalog,
        clock: Clock,
        mode: FitMode = "auto",
        budget_seconds: float = BUDGET_SECONDS,
    ) -> None:
        self._store = DatabaseFits(database, clock)
        self._catalog = catalog
        self._is_automatic = mode == "auto"
        self._budget_seconds = budget_seconds
        self._shared = SharedMeasurements()

    async def list_models(self, asker: Asker | None = None) -> ModelList:
        """List the models that ``asker`` may use, with what was measured of them."""
        listed = await list_models(self._catalog, asker)
        fits = await self._newest(asker)
        roles = assign_roles(_usable(fits, listed))
        reports = [_report(fit) for fit in fits.values()]
        return listed.model_copy(update={"fits": reports, "roles": roles})

    async def of(
        self, model: AnyModel, on_progress: OnProgress | None = None, *, may_measure: bool = True
    ) -> ModelFit:
        """Return how to use a bound model; ``adopt`` then uses it so.

        Measures at the first use. What cannot be measured is assumed: this never raises for a
        model that does not answer.
        """
        if not isinstance(model, BoundModel):
            return ModelFit.assumed(model.profile, model.name)
        fit = await self._known(model)
        is_wanted = self._is_automatic and may_measure and model.claims.is_measurable
        if fit is None and is_wanted:
            try:
                fit = await self._measured(model, on_progress)
            except ModelError as error:
                logger.warning("{} was not measured: {}", model.name, error.detail)
        return fit or ModelFit.assumed(model.claims, model.name)

    def adopt(self, model: AnyModel, fit: ModelFit) -> None:
        """Use a bound model as was measured from now on: its window, its ways, its limits."""
        if isinstance(model, BoundModel):
            model.adopt(fit)

    async def assigned(self, role: Role, asker: Asker | None = None) -> str | None:
        """Return the model that is measured as the best for a role.

        Only among those beside the default one, of its provider: another may cost money or leave
        this machine. None where a user chose the default, or where it was not measured itself.
        """
        if self._catalog.has_own_default:
            return None
        fits = await self._newest(asker)
        if len(fits) < 2:
            return None
        listed = await list_models(self._catalog, asker)
        if listed.default is None:
            return None
        beside = f"{listed.default.partition('/')[0]}/"
        usable = _usable(fits, listed)
        chosen = {name: fit for name, fit in usable.items() if name.startswith(beside)}
        return assign_roles(chosen)[role] if listed.default in chosen else None

    async def fit(self, name: str | None, asker: Asker | None = None) -> FitReport:
        """Return what is known of a model, without measuring it. Raises ModelError."""
        model = await self._catalog.bind(name, asker)
        return _report(await self._known(model) or ModelFit.assumed(model.claims, model.name))

    async def measuring(
        self, name: str | None, asker: Asker | None = None, *, again: bool = False
    ) -> AsyncGenerator[FitProgress | FitReport]:
        """Yield the progress and last the report. Leaving stops it. Raises ModelError."""
        model = await self._catalog.bind(name, asker)
        known = None if again else await self._known(model)
        if not model.claims.is_measurable:
            known = ModelFit.assumed(model.claims, model.name)
        if known is not None:
            yield _report(known)
            return
        steps: asyncio.Queue[FitProgress | None] = asyncio.Queue()
        work = asyncio.ensure_future(self._measured(model, steps.put))
        work.add_done_callback(lambda _: steps.put_nowait(None))
        try:
            while (step := await steps.get()) is not None:
                yield step
            yield _report(work.result())
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _newest(self, asker: Asker | None) -> dict[str, ModelFit]:
        """Return the newest measurements by name: of the settings' providers, and of those added
        ones that ``asker`` may use."""
        names = await self._catalog.sources(asker)
        fits: dict[str, ModelFit] = {}
        for fit in await self._store.newest():
            provider, _, model = fit.name.partition("/")
            if provider in names:
                name = f"{names[provider]}/{model}"
                fits[name] = fit.model_copy(update={"name": name})
            elif not provider.startswith(SOURCE_PREFIX):
                fits[fit.name] = fit
        return fits

    async def _known(self, model: BoundModel) -> ModelFit | None:
        key = fit_key(model.claims)
        fit = await self._store.get(key) if key else None
        return fit and fit.model_copy(update={"name": model.name})

    async def _measured(self, model: BoundModel, on_progress: OnProgress | None) -> ModelFit:
        key = fit_key(model.claims)

        async def work() -> ModelFit:
            subject = model.fitted(None)
            fit = await measure(subject, model.name, self._budget_seconds, on_progress)
            if key:
                stored = fit.model_copy(update={"name": model.chosen.stored_name})
                await self._store.put(key, stored)
            return fit

        return await self._shared.run(key or model.name, work, on_progress)


def _usable(fits: Mapping[str, ModelFit], listed: ModelList) -> dict[str, ModelFit]:
    names = {info.name for info in listed.models if info.is_available}
    return {name: fit for name, fit in fits.items() if name in names}


def _report(fit: ModelFit) -> FitReport:
    return FitReport(name=fit.name, fit=fit, forecast_seconds=fit.forecasts())
