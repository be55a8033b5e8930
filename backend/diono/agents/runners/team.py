"""The blueprint team: roles that plan, write, check and mend a program."""

from diono.agents.port import Receipt, Stage
from diono.agents.roles.library import RoleLibrary
from diono.agents.runner import AgentRunner, Work
from diono.agents.runners.resources import Resources
from diono.agents.running import BaseRunner
from diono.agents.team import build


class TeamRunner(BaseRunner):
    name = "team"

    def __init__(self, resources: Resources) -> None:
        super().__init__()
        self._resources = resources

    async def work(self, work: Work, stage: Stage) -> Receipt:
        resources = self._resources
        library = RoleLibrary.beside(resources.blueprints, resources.roles, resources.workflows)
        return await build(work.prompt, stage, resources.catalog, work.options, library)


def make(resources: Resources, _detail: str) -> AgentRunner:
    return TeamRunner(resources)
