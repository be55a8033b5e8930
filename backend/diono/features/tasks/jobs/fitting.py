"""A run's first step: how its model is best used, measured at the model's first use."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from diono.agents.port import JsonObject, Model
from diono.features.tasks.jobs.stage import Place
from diono.features.tasks.jobs.steps import step_scope
from diono.kernel.events import EventDraft, EventType
from diono.llm.fit.measure import FitProgress
from diono.llm.fit.report import ModelFit, Role
from diono.llm.further import Asker
from diono.llm.port import ModelProfile

OnProgress = Callable[[FitProgress], Awaitable[None]]

# A measurement takes up to two minutes: a run with less than this left goes without.
_LEAST_SECONDS = 240.0


class Fits(Protocol):
    """What was measured of a model."""

    async def of(
        self, model: Model, on_progress: OnProgress | None = None, *, may_measure: bool = True
    ) -> ModelFit: ...

    def adopt(self, model: Model, fit: ModelFit) -> None:
        """Use the model as was measured from now on."""
        ...

    async def assigned(self, role: Role, asker: Asker) -> str | None:
        """Return the model that is measured as the best for a role; None: the default."""
        ...


def role_of(kind: str) -> Role:
    """Return what a task of this kind mostly asks of its model."""
    return "chat" if kind == "chat" else "code"


def may_measure(place: Place, profile: ModelProfile) -> bool:
    """Whether a run has the time for it, and no budget that it would spend unseen."""
    facts = place.facts
    is_counted = facts.budget_cost_usd is not None or facts.budget_tokens is not None
    return place.seconds_left() >= _LEAST_SECONDS and (profile.is_local or not is_counted)


async def fit_of(place: Place, fits: Fits, model: Model) -> ModelFit:
    """Return how to use the model of this run, the same at every replay."""

    async def tell(progress: FitProgress) -> None:
        scope = step_scope.get()
        text = f"Measuring {model.name} once ({progress.number} of {progress.total}): "
        draft = EventDraft(
            event_type=EventType.LOG,
            payload={
                "text": text + progress.title,
                "level": "info",
                "phase": "measuring the model",
            },
        )
        key = scope.next_key() if scope is not None else f"fit.{progress.number}"
        await place.house.ledger.append(place.facts.task_id, draft, key)

    async def action() -> JsonObject:
        is_allowed = may_measure(place, model.profile)
        fit = await fits.of(model, tell, may_measure=is_allowed)
        return {"fit": fit.model_dump(mode="json")}

    result = await place.steps().run("model fit", action)
    fit = ModelFit.model_validate(result["fit"])
    fits.adopt(model, fit)
    return fit
