"""What a server says of its runs when the tasks that keep them break."""

from diono.handover import DeferredRuns, watch


class Breaking:
    async def wait(self) -> None:
        raise RuntimeError("a fault")


async def test_a_queue_that_stopped_is_told_by_the_probe() -> None:
    runs = DeferredRuns()
    runs.is_ready()
    assert await runs.probe() == "ok"
    await watch(Breaking(), runs)
    assert "RuntimeError('a fault')" in await runs.probe()
    assert "Restart the server" in await runs.probe()
