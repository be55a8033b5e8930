"""``codeact``: one turn of a chat in a project, by code and by tools."""

from diono.agents.codeact.runner import CodeActRunner
from diono.agents.runner import AgentRunner
from diono.agents.runners.resources import Resources


def make(resources: Resources, _detail: str) -> AgentRunner:
    return CodeActRunner(resources.tools, resources.catalog, resources.search)
