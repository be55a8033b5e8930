"""The change runner: a built app is changed and proven, or stays as it was."""

from diono.agents.changing.runner import ChangeRunner
from diono.agents.runner import AgentRunner
from diono.agents.runners.resources import Resources


def make(resources: Resources, _detail: str) -> AgentRunner:
    return ChangeRunner(resources.catalog)
