"""The base image of every sandbox, from its recipe in ``workspace/images/base``.

Synchronous: setup calls it before anything else runs. The tag is a hash of the recipe and of the
guest, so an image is never older than the program that expects it.
"""

import hashlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound
from docker.models.images import Image
from docker.types import Mount

from diono.sandbox.config import TENANT_ID, SandboxConfig
from diono.sandbox.engine_api import api_of
from diono.sandbox.errors import EngineMissing
from diono.sandbox.root_files import Report, make_archive

BASE_REPOSITORY = "diono/base"
ROOT_FILES_REPOSITORY = "diono/rootfs"
GUEST_DIR = Path(__file__).parent / "legacy_guest"
_GUEST_PROGRAM = 'import sys; sys.path.insert(0, "/opt/diono"); from guest.main import main; main()'
GUEST_COMMAND = (
    *("/bin/sh", "-c"),
    f"exec /usr/bin/python3 -I -S -B -c '{_GUEST_PROGRAM}' </dev/null >/dev/null 2>&1",
)
_CA_IN_BUILD = "/run/diono-ca.pem"


@dataclass(frozen=True)
class ImageInfo:
    tag: str
    how: str
    seconds: float
    size_mb: int


def _hash_of(*paths: Path) -> str:
    digest = hashlib.sha256(str(TENANT_ID).encode())
    for path in sorted(paths, key=lambda each: each.name):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def image_tag(config: SandboxConfig) -> str:
    """Return the tag that this version of the recipe and the guest must have."""
    recipe = [path for path in config.recipe_dir.iterdir() if path.is_file()]
    return f"{BASE_REPOSITORY}:{_hash_of(*recipe, *GUEST_DIR.glob('*.py'))}"


def ensure_image(config: SandboxConfig, report: Report, offline: bool = False) -> ImageInfo:
    """Return the base image: the one present, else pulled, else built from Debian packages.

    Raises EngineMissing when there is no engine, or no way to the image.
    """
    started = time.monotonic()
    try:
        client = (
            docker.DockerClient(base_url=config.docker_host)
            if config.docker_host
            else docker.DockerClient()
        )
        client.ping()
    except DockerException as error:
        raise EngineMissing(f"no Docker engine answers ({error}); start dockerd") from error
    try:
        image, how = _obtain(client, config, report, offline)
        size_mb = int(image.attrs.get("Size", 0)) // 1_000_000
        return ImageInfo(image_tag(config), how, time.monotonic() - started, size_mb)
    except DockerException as error:
        raise EngineMissing(f"the sandbox image could not be made: {error}") from error
    finally:
        client.close()


def _find(client: docker.DockerClient, tag: str) -> Image | None:
    try:
        return client.images.get(tag)
    except ImageNotFound:
        return None


def _obtain(
    client: docker.DockerClient, config: SandboxConfig, report: Report, offline: bool
) -> tuple[Image, str]:
    tag = image_tag(config)
    present = _find(client, tag)
    if present is not None:
        return present, "present"
    if offline:
        raise EngineMissing(
            f"the sandbox image {tag} is not on this machine; run once without --offline"
        )
    if config.registry_image:
        pulled = _pull(client, config.registry_image, tag, report)
        if pulled is not None:
            return pulled, "pulled"
    root_files = _root_files(client, config, report)
    report("installing the sandbox's Python packages")
    return _provision(client, config, root_files, tag), "built"


def _pull(client: docker.DockerClient, reference: str, tag: str, report: Report) -> Image | None:
    report(f"pulling {reference}")
    try:
        image = client.images.pull(reference)
    except DockerException as error:
        report(f"the registry did not answer ({error}); building instead")
        return None
    repository, _, version = tag.partition(":")
    image.tag(repository, version)
    return image


def _root_files(client: docker.DockerClient, config: SandboxConfig, report: Report) -> str:
    """Return the tag of the bare root file system; made with mmdebstrap if absent."""
    packages = config.recipe_dir / "packages.txt"
    tag = f"{ROOT_FILES_REPOSITORY}:{_hash_of(packages)}"
    if _find(client, tag) is not None:
        return tag
    with tempfile.TemporaryDirectory(prefix="diono-image-") as folder:
        archive = Path(folder) / "root.tar"
        make_archive(archive, packages.read_text().split(), report)
        report("importing the root file system into the engine")
        repository, _, version = tag.partition(":")
        api_of(client).import_image_from_file(str(archive), repository=repository, tag=version)
    return tag


def _pip_arguments(config: SandboxConfig) -> str:
    arguments: list[str] = []
    if config.extra_ca_file is not None:
        arguments.append(f"--cert={_CA_IN_BUILD}")
    if config.pip_index_url:
        arguments.append(f"--index-url={config.pip_index_url}")
    return " ".join(arguments)


def _provision(
    client: docker.DockerClient, config: SandboxConfig, root_files: str, tag: str
) -> Image:
    """Run the recipe's script on the root file system and commit the result."""
    mounts = [
        Mount("/recipe", str(config.recipe_dir.resolve()), type="bind", read_only=True),
        Mount("/guest", str(GUEST_DIR.resolve()), type="bind", read_only=True),
    ]
    if config.extra_ca_file is not None:
        source = str(config.extra_ca_file.resolve())
        mounts.append(Mount(_CA_IN_BUILD, source, type="bind", read_only=True))
    container = client.containers.create(
        root_files,
        ["/bin/sh", "/recipe/provision.sh", str(TENANT_ID)],
        mounts=mounts,
        environment={"PIP_ARGUMENTS": _pip_arguments(config)},
        use_config_proxy=False,
        labels={"diono.build": tag},
    )
    try:
        container.start()
        code = int(container.wait()["StatusCode"])
        if code != 0:
            tail = container.logs(tail=12).decode("utf-8", "replace")
            raise EngineMissing(f"the image's recipe ended with {code}:\n{tail}")
        repository, _, version = tag.partition(":")
        api_of(client).commit(
            container.id or "",
            repository,
            version,
            changes=f'CMD ["/bin/sh"]\nUSER {TENANT_ID}:{TENANT_ID}\nENV PIP_ARGUMENTS=\n',
        )
        return client.images.get(tag)
    finally:
        container.remove(force=True)
