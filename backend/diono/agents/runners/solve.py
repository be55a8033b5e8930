"""Solves one function: what it should do in, a function that was run and checked out."""

from diono.agents.port import Receipt, Stage
from diono.agents.runner import AgentRunner, Work
from diono.agents.runners.resources import Resources
from diono.agents.running import BaseRunner
from diono.agents.solving.report import solve


class SolveRunner(BaseRunner):
    """``options``: ``tries`` (1 to 20) is how many candidates may be asked for."""

    name = "solve"

    async def work(self, work: Work, stage: Stage) -> Receipt:
        return await solve(work.prompt, stage, work.options)


def make(_resources: Resources, _detail: str) -> AgentRunner:
    return SolveRunner()
