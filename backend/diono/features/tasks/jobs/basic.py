"""What a job can do where a part of the house is not there."""

from diono.agents.port import Model
from diono.features.tasks.jobs.fitting import OnProgress
from diono.llm.fit.report import ModelFit, Role
from diono.llm.further import Asker


class AssumedFits:
    """Believes what the provider says of a model."""

    async def of(
        self, model: Model, on_progress: OnProgress | None = None, *, may_measure: bool = True
    ) -> ModelFit:
        return ModelFit.assumed(model.profile, model.name)

    def adopt(self, model: Model, fit: ModelFit) -> None:
        """Nothing was measured: there is nothing to use."""

    async def assigned(self, role: Role, asker: Asker) -> str | None:
        """Nothing was measured: no model is known to be the best."""
        return None
