"""What a job can do where a part of the house is not there."""

from collections.abc import Sequence

from diono.agents.port import Memory, Model, Said
from diono.kernel.errors import Unavailable
from diono.llm.fit.report import ModelFit


class AssumedFits:
    """Believes what the provider says of a model."""

    async def of(self, model: Model) -> ModelFit:
        return ModelFit.assumed(model.profile, model.name)


class NoConversations:
    """Refuses: a runner that needs a conversation cannot work here."""

    async def recall(self, project_id: str) -> tuple[Sequence[Said], Memory]:
        raise Unavailable(f"This server keeps no conversation of {project_id}.")

    async def remember(
        self, project_id: str, task_id: str, key: str, said: Sequence[Said], memory: Memory
    ) -> None:
        raise Unavailable(f"This server keeps no conversation of {project_id}.")


class NoCheckpoints:
    """Refuses: a runner that needs checkpoints cannot work here."""

    async def keep(self, project_id: str, task_id: str, key: str, title: str, commit: str) -> None:
        raise Unavailable(f"This server keeps no checkpoints of {project_id}.")
