"""The part of the engine client that its published types leave unknown."""

from typing import Any, Protocol

import docker


class EngineApi(Protocol):
    """``docker.APIClient``, with the types its documentation gives."""

    def containers(
        self,
        *,
        all: bool = False,  # noqa: A002 - the client's own name for it
        size: bool = False,
        filters: dict[str, str] | None = None,
    ) -> list[dict[str, Any]]: ...

    def version(self) -> dict[str, Any]: ...

    def info(self) -> dict[str, Any]: ...

    def import_image_from_file(
        self, filename: str, repository: str | None = None, tag: str | None = None
    ) -> object: ...

    def commit(
        self,
        container: str,
        repository: str | None = None,
        tag: str | None = None,
        *,
        changes: str | None = None,
    ) -> object: ...


def api_of(client: docker.DockerClient) -> EngineApi:
    return client.api
