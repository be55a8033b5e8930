"""The container engine, reached through its official client in worker threads."""

import asyncio
import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from diono.sandbox.engine_api import api_of
from diono.sandbox.errors import EngineMissing

INSTANCE_LABEL = "diono.instance"
_CLIENT_TIMEOUT_SECONDS = 60
_WAY_OUT = "start it (for example: systemctl start docker) and run: ./diono doctor"

Result = TypeVar("Result")


@dataclass(frozen=True)
class ContainerState:
    is_running: bool
    is_out_of_memory: bool


@dataclass(frozen=True)
class EngineFacts:
    engine: str
    runtime: str
    runtimes: tuple[str, ...]


@contextlib.contextmanager
def _as_our_errors() -> Generator[None]:
    try:
        yield
    except ImageNotFound as error:
        raise EngineMissing(
            f"the sandbox image is missing ({error.explanation}); run: ./diono doctor"
        ) from error
    except APIError as error:
        raise EngineMissing(f"the container engine refused: {error.explanation}") from error
    except (DockerException, requests.RequestException) as error:
        raise EngineMissing(f"no container engine answers ({error}); {_WAY_OUT}") from error


class Engine:
    """Every call raises EngineMissing when the engine is away or refuses."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._client: docker.DockerClient | None = None

    def _connected(self) -> docker.DockerClient:
        if self._client is None:
            options: dict[str, Any] = {"timeout": _CLIENT_TIMEOUT_SECONDS}
            if self._base_url:
                options["base_url"] = self._base_url
            client = docker.DockerClient(**options)
            client.ping()
            self._client = client
        return self._client

    async def _call(self, work: Callable[[docker.DockerClient], Result]) -> Result:
        def run() -> Result:
            with _as_our_errors():
                return work(self._connected())

        return await asyncio.to_thread(run)

    async def start(self, image: str, command: tuple[str, ...], options: dict[str, Any]) -> None:
        """Create and start a container; one that fails to start is removed again."""

        def work(client: docker.DockerClient) -> None:
            container = client.containers.create(image, list(command), **options)
            try:
                container.start()
            except APIError:
                container.remove(force=True)
                raise

        await self._call(work)

    async def remove(self, name: str) -> None:
        """Kill and remove; nothing to do if it is gone."""

        def work(client: docker.DockerClient) -> None:
            with contextlib.suppress(NotFound):
                api_of(client).remove_container(name, force=True)

        await self._call(work)

    async def state(self, name: str) -> ContainerState:
        def work(client: docker.DockerClient) -> ContainerState:
            try:
                state = api_of(client).inspect_container(name)["State"]
            except NotFound:
                return ContainerState(is_running=False, is_out_of_memory=False)
            return ContainerState(bool(state["Running"]), bool(state["OOMKilled"]))

        return await self._call(work)

    async def names_of(self, instance: str) -> list[str]:
        """Return the containers, in any state, that carry the label of ``instance``."""

        def work(client: docker.DockerClient) -> list[str]:
            label = f"{INSTANCE_LABEL}={instance}"
            found = api_of(client).containers(all=True, filters={"label": label})
            return [str(row["Id"]) for row in found]

        return await self._call(work)

    async def has_image(self, tag: str) -> bool:
        def work(client: docker.DockerClient) -> bool:
            try:
                api_of(client).inspect_image(tag)
            except ImageNotFound:
                return False
            return True

        return await self._call(work)

    async def drop_volume(self, name: str) -> None:
        def work(client: docker.DockerClient) -> None:
            with contextlib.suppress(NotFound):
                api_of(client).remove_volume(name, force=True)

        await self._call(work)

    async def facts(self) -> EngineFacts:
        def work(client: docker.DockerClient) -> EngineFacts:
            version = api_of(client).version()
            components: list[dict[str, Any]] = version.get("Components", [])
            parts = {str(part["Name"]): str(part["Version"]) for part in components}
            runtimes = api_of(client).info().get("Runtimes", {})
            engine = f"Docker {version.get('Version', '?')} (API {version.get('ApiVersion', '?')})"
            return EngineFacts(engine, f"runc {parts.get('runc', '?')}", tuple(runtimes))

        return await self._call(work)

    async def close(self) -> None:
        if self._client is not None:
            await asyncio.to_thread(self._client.close)
            self._client = None
