"""Builds the image of a recipe: its parents first, each in a throw-away container, then a commit.

Synchronous: setup calls it before anything else runs, the service calls it in a thread. Nothing is
left half done: an image has its tag only when it is complete, and a container that a builder left
behind is waited for or taken away by the next one.
"""

import contextlib
import hashlib
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.models.images import Image
from docker.types import Mount

from diono.sandbox.config import TENANT_ID, SandboxConfig
from diono.sandbox.engine_api import api_of
from diono.sandbox.errors import EngineMissing
from diono.sandbox.images.progress import Progress
from diono.sandbox.images.recipes import LAYER_SCRIPT, Recipe, Recipes
from diono.sandbox.root_files import make_archive

Report = Callable[[str], None]

BUILD_LABEL = "diono.build"
ROOT_FILES_REPOSITORY = "diono/rootfs"
CA_IN_BUILD = "/run/diono-ca.pem"
_CONFLICT = 409
_TAG_WAIT_SECONDS = 20.0
_BUILD_WAIT_SECONDS = 1800
_PATH = "/work/.packages/bin:/usr/local/bin:/usr/bin:/bin"
IMAGE_CHANGES = (
    'CMD ["/bin/bash"]\n'
    f"USER {TENANT_ID}:{TENANT_ID}\n"
    f"ENV PATH={_PATH} PYTHONPATH=/work/.packages HOME=/home/user LANG=C.UTF-8 TZ=UTC\n"
    "WORKDIR /home/user\n"
)


@dataclass(frozen=True)
class ImageInfo:
    """``how``: present, pulled or built. ``size_mb`` counts the parents too."""

    tag: str
    how: str
    seconds: float
    size_mb: int


@contextlib.contextmanager
def engine_client(config: SandboxConfig) -> Generator[docker.DockerClient]:
    """Yield a client of the engine; what goes wrong with it becomes EngineMissing."""
    try:
        client = (
            docker.DockerClient(base_url=config.docker_host, timeout=600)
            if config.docker_host
            else docker.DockerClient(timeout=600)
        )
    except DockerException as error:
        raise EngineMissing(f"no Docker engine answers ({error}); start dockerd") from error
    try:
        yield client
    except DockerException as error:
        raise EngineMissing(f"the engine refused: {error}") from error
    finally:
        client.close()


def find_image(client: docker.DockerClient, tag: str) -> Image | None:
    try:
        return client.images.get(tag)
    except ImageNotFound:
        return None


class ImageBuilder:
    def __init__(self, config: SandboxConfig, recipes: Recipes | None = None) -> None:
        self._config = config
        self.recipes = recipes or Recipes(config.images_dir)

    def ensure(self, name: str, report: Report, is_offline: bool = False) -> ImageInfo:
        """Return the image of a template of this repository, built if need be.

        Raises TemplateMissing, EngineMissing (also for a recipe that fails).
        """
        recipe = self.recipes.get(name)
        started = time.monotonic()
        with engine_client(self._config) as client:
            how = "present"
            if find_image(client, recipe.tag) is None:
                how = self._obtain(client, recipe, report, is_offline)
            size = int(client.images.get(recipe.tag).attrs.get("Size", 0))
        return ImageInfo(recipe.tag, how, time.monotonic() - started, size // 1_000_000)

    def _obtain(
        self, client: docker.DockerClient, recipe: Recipe, report: Report, is_offline: bool
    ) -> str:
        if is_offline:
            raise EngineMissing(
                f"the image {recipe.tag} is not on this machine; run once without --offline"
            )
        how = "built"
        for part in recipe.lineage():
            if find_image(client, part.tag) is None:
                how = self._obtain_part(client, part, report)
        return how

    def _obtain_part(self, client: docker.DockerClient, recipe: Recipe, report: Report) -> str:
        if recipe.parent is None and self._config.registry_image:
            report(f"pulling {self._config.registry_image}")
            try:
                image = client.images.pull(self._config.registry_image)
            except DockerException as error:
                report(f"the registry did not answer ({error}); building instead")
            else:
                repository, _, version = recipe.tag.partition(":")
                image.tag(repository, version)
                return "pulled"
        if recipe.parent is None:
            self._root_files(client, recipe, report)
        report(f"{recipe.name}: starting")
        self._run_recipe(client, recipe, report)
        return "built"

    def _root_files(self, client: docker.DockerClient, recipe: Recipe, report: Report) -> None:
        """Import the bare root file system, made with mmdebstrap, if it is not there."""
        tag = root_files_tag(recipe)
        if find_image(client, tag) is not None:
            return
        packages = (recipe.folder / "packages.txt").read_text(encoding="utf-8").split()
        with tempfile.TemporaryDirectory(prefix="diono-image-") as folder:
            archive = Path(folder) / "root.tar"
            make_archive(archive, packages, report)
            report("importing the root file system into the engine")
            repository, _, version = tag.partition(":")
            api_of(client).import_image_from_file(str(archive), repository=repository, tag=version)

    def _run_recipe(self, client: docker.DockerClient, recipe: Recipe, report: Report) -> None:
        name = f"diono-build-{recipe.tag.partition(':')[2]}"
        container = self._create(client, recipe, name)
        if container is None:
            self._await_other(client, name, recipe.tag, report)
            if find_image(client, recipe.tag) is not None:
                return
            container = self._create(client, recipe, name)
            if container is None:
                raise EngineMissing(f"another build of {recipe.tag} does not end: container {name}")
        try:
            container.start()
            _follow(container, recipe.name, report)
            report(f"{recipe.name}: saving the image")
            repository, _, version = recipe.tag.partition(":")
            api_of(client).commit(container.id or "", repository, version, changes=IMAGE_CHANGES)
        finally:
            with contextlib.suppress(NotFound):
                container.remove(force=True)

    def _create(self, client: docker.DockerClient, recipe: Recipe, name: str) -> Container | None:
        """Create the container of a build; None if there is one already."""
        mounts = [read_only("/recipe", recipe.folder)]
        if recipe.parent is None:
            image, script = root_files_tag(recipe), "/recipe/provision.sh"
        else:
            image, script = recipe.parent.tag, f"/run/{LAYER_SCRIPT}"
            mounts.append(read_only(script, self.recipes.folder / LAYER_SCRIPT))
        if self._config.extra_ca_file is not None:
            mounts.append(read_only(CA_IN_BUILD, self._config.extra_ca_file))
        # In the arguments, not in the environment, which would become a part of the image.
        program = f"PIP_ARGUMENTS='{pip_arguments(self._config)}' exec sh {script} {TENANT_ID}"
        options: dict[str, Any] = {
            "name": name,
            "mounts": mounts,
            "user": "0:0",
            "working_dir": "/",
            "use_config_proxy": False,
            "cpu_shares": 128,
            "labels": {BUILD_LABEL: recipe.tag},
        }
        try:
            return client.containers.create(image, ["/bin/sh", "-c", program], **options)
        except APIError as error:
            if error.status_code == _CONFLICT:
                return None
            raise

    def _await_other(
        self, client: docker.DockerClient, name: str, tag: str, report: Report
    ) -> None:
        """Let another process's build end; take away what a dead one left."""
        report(f"waiting for another build of {tag}")
        try:
            container = client.containers.get(name)
            if container.status == "running":
                container.wait(timeout=_BUILD_WAIT_SECONDS)
        except NotFound:
            return
        ends_at = time.monotonic() + _TAG_WAIT_SECONDS
        while find_image(client, tag) is None and time.monotonic() < ends_at:
            try:
                container.reload()
            except NotFound:
                return
            time.sleep(0.5)
        if find_image(client, tag) is None:
            with contextlib.suppress(NotFound):
                container.remove(force=True)


def root_files_tag(recipe: Recipe) -> str:
    """Return the tag of the bare root file system, a hash of its list of packages."""
    packages = (recipe.folder / "packages.txt").read_bytes()
    digest = hashlib.sha256(f"{TENANT_ID}\0".encode() + packages)
    return f"{ROOT_FILES_REPOSITORY}:{digest.hexdigest()[:12]}"


def pip_arguments(config: SandboxConfig) -> str:
    arguments: list[str] = []
    if config.extra_ca_file is not None:
        arguments.append(f"--cert={CA_IN_BUILD}")
    if config.pip_index_url:
        arguments.append(f"--index-url={config.pip_index_url}")
    return " ".join(arguments)


def read_only(target: str, source: Path) -> Mount:
    return Mount(target, str(source.resolve()), type="bind", read_only=True)


def _follow(container: Container, name: str, report: Report) -> None:
    """Report what the recipe says until it ends. Raises EngineMissing if it fails."""
    progress = Progress(name, report)
    for chunk in container.logs(stream=True, follow=True):
        progress.feed(chunk.decode("utf-8", "replace"))
    code = int(container.wait()["StatusCode"])
    if code != 0:
        raise EngineMissing(f"the recipe of {name} ended with {code}:\n{progress.tail()}")
