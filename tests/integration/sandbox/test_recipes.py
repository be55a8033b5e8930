"""Images built at their first use, found again, and taken away when nothing needs them."""

import dataclasses
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from diono.sandbox.errors import EngineMissing, TemplateBuilding, TemplateMissing
from diono.sandbox.images.building import ImageBuilder
from diono.sandbox.images.jobs import Readiness
from diono.sandbox.images.pruning import prune_images
from diono.sandbox.images.store import TemplateStore

from .conftest import House

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]


async def test_template_is_built_at_its_first_use_and_pruned(house: House, tmp_path: Path) -> None:
    name = f"test-{uuid.uuid4().hex[:8]}"
    images = tmp_path / "images"
    shutil.copytree(house.config.images_dir, images)
    (images / name).mkdir()
    (images / name / "template.yaml").write_text(
        f"names: [{name}]\ntitle: Test\nparent: base\nis_on_demand: true\n"
    )
    (images / name / "provision.sh").write_text("echo made > /opt/made.txt\n")
    state_dir = tmp_path / "state"
    config = dataclasses.replace(house.config, images_dir=images, state_dir=state_dir)
    store = TemplateStore(config)
    with pytest.raises(EngineMissing, match="not on this machine"):
        ImageBuilder(config).ensure(name, lambda _: None, is_offline=True)
    with pytest.raises(TemplateBuilding, match="is being built"):
        await store.find(name, "anybody")
    assert (await store.wait(name)).readiness is Readiness.READY
    first = await store.find(name, "anybody")
    assert ImageBuilder(config).ensure(name, lambda _: None, is_offline=True).how == "present"
    (images / name / "provision.sh").write_text("exit 3\n")
    changed = TemplateStore(config)
    assert (await changed.wait(name)).readiness is Readiness.FAILED
    with pytest.raises(TemplateBuilding, match="ended with 3"):
        await changed.find(name, "anybody")
    everything = tuple(str(image) for image in _tags_but(name))
    with _container_of(first.image):
        assert first.image not in prune_images(config, everything)
    assert first.image not in prune_images(config, everything, spared_seconds=3600)
    assert first.image in prune_images(config, everything)
    with pytest.raises(TemplateMissing):
        await store.find("never-heard-of", "anybody")
    await store.close()
    await changed.close()


@contextmanager
def _container_of(image: str) -> Generator[None]:
    """A container that has never run, as another checkout's stopped sandbox."""
    client = docker.DockerClient()
    container = client.containers.create(image, ["true"])
    try:
        yield
    finally:
        container.remove(force=True)
        client.close()


def _tags_but(name: str) -> list[str]:
    """Return all tags of the engine except this test's: others share it."""
    client = docker.DockerClient()
    try:
        tags = [tag for image in client.images.list() for tag in image.tags]
    finally:
        client.close()
    return [tag for tag in tags if name not in tag]
