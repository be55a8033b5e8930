"""What a job can do where a part of the house is not there."""

from diono.agents.port import Model
from diono.llm.fit.report import ModelFit


class AssumedFits:
    """Believes what the provider says of a model."""

    async def of(self, model: Model) -> ModelFit:
        return ModelFit.assumed(model.profile, model.name)
