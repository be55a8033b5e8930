"""What the composition roots tell the sandbox service and the image builder."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

TENANT_ID = 64100
REPOSITORY = Path(__file__).resolve().parents[3]

QuotaChoice = Literal["auto", "loop", "volume"]


@dataclass(frozen=True)
class SandboxConfig:
    """Settings of the sandbox side of one installation; ``state_dir`` is its own folder."""

    state_dir: Path
    docker_host: str = ""
    runtime: str = "runc"
    extra_ca_file: Path | None = None
    pip_index_url: str = ""
    registry_image: str = ""
    quota: QuotaChoice = "auto"
    recipe_dir: Path = field(default=REPOSITORY / "workspace" / "images" / "base")

    @property
    def socket(self) -> Path:
        """The service's unix socket; its folder is closed to all but our own user."""
        return self.state_dir / "service" / "sandboxd.sock"
