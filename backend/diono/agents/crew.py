"""Who of the team does what right now: agents with states, figures and a place to be seen."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from diono.agents.errors import Cancelled
from diono.agents.meter import Meter, Run, speaking
from diono.agents.scheduling.states import Agent, AgentState
from diono.kernel.errors import DionoError


class Crew:
    """Every change of a state is a STATE event that has all agents in it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.agents: dict[str, Agent] = {}
        self.meters: dict[str, Meter] = {}

    def agent(self, name: str) -> Agent:
        self.meters.setdefault(name, Meter())
        return self.agents.setdefault(name, Agent(name))

    @asynccontextmanager
    async def at_work(
        self, name: str, item: str, state: AgentState = AgentState.WORKING
    ) -> AsyncGenerator[Agent]:
        """Put an agent to work. It ends as DONE, or FAILED and CANCELLED after an error; an agent
        that somebody set to FAILED stays so."""
        agent = self.agent(name)
        if agent.has_ended:
            agent.to(AgentState.IDLE)
        agent.item = item
        with speaking(name, self.meters[name]):
            await self.to(agent, state)
            try:
                yield agent
            except Cancelled:
                await self.to(agent, AgentState.CANCELLED)
                raise
            except DionoError:
                await self.to(agent, AgentState.FAILED)
                raise
            if agent.is_active:
                await self.to(agent, AgentState.DONE)

    async def to(self, agent: Agent, state: AgentState) -> None:
        if agent.state is state:
            return
        agent.to(state)
        self._run.board["agents"] = self.facts()
        await self._run.say_state()

    def facts(self) -> dict[str, dict[str, object]]:
        """Return state, item, seconds and tokens by agent."""
        return {
            name: {
                "state": agent.state.value,
                "item": agent.item,
                "seconds": round(self.meters[name].seconds, 1),
                "tokens": self.meters[name].tokens_in + self.meters[name].tokens_out,
            }
            for name, agent in self.agents.items()
        }

    async def dismiss(self) -> None:
        """Leave no agent active behind: whoever still is has been cancelled."""
        for agent in self.agents.values():
            if agent.is_active:
                await self.to(agent, AgentState.CANCELLED)
