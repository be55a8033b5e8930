"""Takes away images that nothing needs any more: old versions of recipes, removed templates."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import docker
from docker.errors import APIError
from docker.models.images import Image

from diono.sandbox.config import SandboxConfig
from diono.sandbox.engine_api import api_of
from diono.sandbox.images.building import engine_client, root_files_tag
from diono.sandbox.images.recipes import REPOSITORY_PREFIX, Recipes


def prune_images(
    config: SandboxConfig,
    kept: Iterable[str] = (),
    prefixes: tuple[str, ...] = (),
    spared_seconds: float = 0.0,
) -> list[str]:
    """Remove tags of our recipes' repositories that no recipe, container or ``kept`` needs.

    ``prefixes`` begin more tags to look at: this installation's own, for another one on the same
    engine may have such images too. Images younger than ``spared_seconds`` stay: another checkout
    may be building upon one. Returns the removed tags.
    """
    recipes = Recipes(config.images_dir)
    needed = {*kept, *(recipe.tag for recipe in recipes)}
    needed |= {root_files_tag(recipe) for recipe in recipes if recipe.parent is None}
    repositories = {f"{REPOSITORY_PREFIX}{recipe.name}" for recipe in recipes}
    repositories |= {tag.partition(":")[0] for tag in needed}
    removed: list[str] = []
    spared_from = datetime.now(UTC) - timedelta(seconds=spared_seconds)
    with engine_client(config) as client:
        used = _images_of_containers(client)
        for image in client.images.list():
            if spared_seconds and _made_at(image) > spared_from:
                continue
            for tag in image.tags:
                is_ours = tag.partition(":")[0] in repositories or tag.startswith(prefixes)
                if not is_ours or tag in needed or tag in used or image.id in used:
                    continue
                try:
                    client.images.remove(tag, noprune=False)
                except APIError:
                    continue
                removed.append(tag)
    return removed


def _made_at(image: Image) -> datetime:
    return datetime.fromisoformat(str(image.attrs["Created"]))


def _images_of_containers(client: docker.DockerClient) -> set[str]:
    """Return the tags and ids of the images of all containers, running or not."""
    used: set[str] = set()
    for container in api_of(client).containers(all=True):
        used |= {str(container.get("Image", "")), str(container.get("ImageID", ""))}
    return used
