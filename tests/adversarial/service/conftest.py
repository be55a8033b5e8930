"""One service a module, and a sandbox for hostile code a test."""

from collections.abc import AsyncIterator, Callable, Iterator

import docker
import pytest
from adversarial.service.service_rig import Service, processes_of, running
from contract.sandbox_rigs import spec

from diono.sandbox.port import Sandbox, Sandboxes


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running() as service:
        yield service


@pytest.fixture
async def sandboxes(service: Service) -> AsyncIterator[Sandboxes]:
    client = service.client()
    yield client
    await client.close()


@pytest.fixture
async def sandbox(sandboxes: Sandboxes) -> AsyncIterator[Sandbox]:
    yield await sandboxes.open(spec())
    for project in ("project", "neighbour", "other"):
        await sandboxes.kill("owner", project)
        await sandboxes.delete_workspace("owner", project)


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = docker.DockerClient()
    yield client
    client.close()


@pytest.fixture
def tenant_processes(engine: docker.DockerClient, service: Service) -> Callable[[], list[int]]:
    """Return the host's view: processes in the containers of now, but for the guests."""
    known: list[str] = []

    def count() -> list[int]:
        if not known:
            known.extend(service.containers(engine))
        return processes_of(known)

    return count
