"""What the composition roots tell the sandbox service and the image builder."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

TENANT_ID = 64100
REPOSITORY = Path(__file__).resolve().parents[3]

REGISTRIES = ("pypi.org", "files.pythonhosted.org", "registry.npmjs.org")

QuotaChoice = Literal["auto", "loop", "volume"]


@dataclass(frozen=True)
class SandboxConfig:
    """Settings of the sandbox side of one installation; ``state_dir`` is its own folder.

    ``owner_quota`` and ``total_quota`` count running sandboxes; a caller waits ``queue_seconds``
    for a place. ``pool_size`` machines are kept warm for each template that asks for a pool.
    ``listen`` (HOST:PORT) serves the E2B wire over TCP too; empty: the unix socket only.
    ``domain`` names sandboxes' ports as PORT-ID.domain. ``registries`` are the hosts that package
    installation may reach even where their address is private.
    ``images_dir`` holds the images' recipes.
    """

    state_dir: Path
    docker_host: str = ""
    runtime: str = "runc"
    extra_ca_file: Path | None = None
    pip_index_url: str = ""
    registry_image: str = ""
    quota: QuotaChoice = "auto"
    owner_quota: int = 2
    total_quota: int = 10
    queue_seconds: float = 30.0
    pool_size: int = 1
    listen: str = ""
    domain: str = ""
    registries: tuple[str, ...] = REGISTRIES
    images_dir: Path = field(default=REPOSITORY / "workspace" / "images")

    @property
    def socket(self) -> Path:
        """The service's unix socket; its folder is closed to all but our own user."""
        return self.state_dir / "service" / "sandboxd.sock"

    @property
    def admin_key_file(self) -> Path:
        """The key of the local API process; written anew by each life of the service."""
        return self.state_dir / "service" / "admin.key"


@dataclass(frozen=True)
class RemoteServer:
    """Where a server is. ``url`` is http(s):// or the path of a unix socket; ``api_key`` the key
    or the file that holds it. ``is_diono`` None: ask it. Other servers are reached at
    ``sandbox_url`` (sandbox named in headers) or at PORT-ID.``domain``."""

    url: str
    api_key: str | Path
    is_diono: bool | None = None
    sandbox_url: str = ""
    domain: str = ""
