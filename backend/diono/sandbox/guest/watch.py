"""stub"""

from __future__ import annotations

from .server import Handler
from .tenant import Tenant


class WatchService:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def handlers(self) -> dict[str, Handler]:
        return {}
