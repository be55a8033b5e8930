"""The plainest templates and way out: one template, and no way out at all."""

from collections.abc import Sequence

from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import TemplateMissing
from diono.sandbox.fleet import NetworkPolicy, Template
from diono.sandbox.image import image_tag


class BaseTemplate:
    """Knows ``base``, the image that setup builds."""

    def __init__(self, config: SandboxConfig) -> None:
        self._base = Template(
            template_id="base",
            names=("base",),
            image=image_tag(config),
            pool_size=config.pool_size,
        )

    async def find(self, name_or_id: str, owner: str) -> Template:
        if name_or_id not in ("", "base"):
            raise TemplateMissing(f"template {name_or_id!r} was not found for {owner}; use base")
        return self._base

    async def ready(self) -> Sequence[Template]:
        return [self._base]


class NoEgress:
    """Nothing listens, so nothing gets out."""

    async def open(self, machine_id: str, socket_path: str) -> None:
        return None

    def set_policy(self, machine_id: str, policy: NetworkPolicy) -> None:
        return None

    async def close(self, machine_id: str) -> None:
        return None
