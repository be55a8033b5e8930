"""The sandbox base image: what the sandbox package builds, remembered by what it is built from."""

import importlib
from collections.abc import Callable

from diono.sandbox.config import SandboxConfig
from diono.settings import Settings
from diono.setup import packages
from diono.setup.engine_probe import has_image
from diono.setup.errors import CommandFailed, SetupFailed
from diono.setup.python_environment import Checkout
from diono.setup.stamps import digest_of

_STEP = "image"
_TEMPLATE = "base"


def built_image(checkout: Checkout, settings: Settings) -> str:
    """Return the tag of the image that fits this checkout and is in the engine, or nothing."""
    stamp = checkout.stamps.folder / _STEP
    if not stamp.is_file():
        return ""
    key, _, tag = stamp.read_text(encoding="utf-8").partition("\n")
    if key != _key(checkout) or not has_image(settings.docker_host, tag):
        return ""
    return tag


def ensure_base_image(
    checkout: Checkout, settings: Settings, say: Callable[[str], None], *, is_offline: bool
) -> str:
    """Return a note about the image, built if need be. Raises DionoError."""
    with checkout.stamps.locked(_STEP):
        if not is_offline:
            _prepare_packages(checkout, say)
        # Loaded here: it brings the Docker SDK, which a start with a ready image does not need.
        building = importlib.import_module("diono.sandbox.images.building")
        config = SandboxConfig(
            state_dir=settings.data_dir / "sandbox",
            docker_host=settings.docker_host,
            runtime=settings.sandbox_runtime,
            extra_ca_file=settings.extra_ca_file,
        )
        info = building.ImageBuilder(config).ensure(_TEMPLATE, say, is_offline)
        checkout.stamps.set(_STEP, f"{_key(checkout)}\n{info.tag}")
        return f"{info.tag}, {info.how}, {info.size_mb} MB"


def _prepare_packages(checkout: Checkout, say: Callable[[str], None]) -> None:
    """Have mmdebstrap and fresh package lists at hand, which building from packages needs."""
    if not packages.can_install():
        return
    try:
        packages.ensure(["mmdebstrap"], log=checkout.log, on_line=say)
    except CommandFailed as error:
        raise SetupFailed(f"mmdebstrap could not be installed: {error.detail}") from error


def _key(checkout: Checkout) -> str:
    folder = checkout.root / "workspace" / "images" / _TEMPLATE
    files = [file for file in folder.glob("*") if file.is_file()]
    return digest_of(checkout.root, files)
