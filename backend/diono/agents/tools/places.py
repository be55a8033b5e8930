"""Where users' tools run: each in a sandbox of its own, few at a time for one run."""

from diono.agents.port import Stage
from diono.sandbox.port import Sandbox

KEPT = 2


class ToolPlaces:
    """The sandboxes of one run's tools. One more than ``KEPT`` ends the one that rested longest:
    a user has few places, and the project's own sandbox must keep its."""

    def __init__(self) -> None:
        self._names: list[str] = []

    async def open(self, stage: Stage, name: str) -> Sandbox:
        """Return the sandbox of a tool. Raises what the sandbox service raises."""
        if name in self._names:
            self._names.remove(name)
        self._names.append(name)
        while len(self._names) > KEPT:
            await stage.end_side_sandbox(self._names.pop(0))
        return await stage.side_sandbox(name)
