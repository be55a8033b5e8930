"""What the service needs from whoever runs tasks."""

from typing import Protocol


class Runs(Protocol):
    """Where runs are executed."""

    async def start(self, run_id: str) -> None:
        """Return once the accepted run is sure to be looked at. Raises Unavailable."""
        ...
