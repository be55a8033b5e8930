"""How an adapter reaches its server: by its SDK's own client, or by a guarded transport."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from diono.llm.faults import Place


@dataclass(frozen=True)
class Access:
    """``label`` names the provider in errors, ``transport(library)`` makes what the client of
    ``httpx`` or ``httpx2`` speaks through."""

    label: str = ""
    transport: Callable[[str], Any] | None = None

    @property
    def is_guarded(self) -> bool:
        return self.transport is not None

    def place(self, usual: str, url: str, key_variable: str = "") -> Place:
        if self.label:
            return Place(self.label, url, "its key")
        return Place(usual, url, key_variable)

    def options(self, library: str) -> dict[str, Any]:
        """Return what a client of the library is made with."""
        if self.transport is None:
            return {}
        # A redirect would carry the key to wherever the server says.
        return {
            "transport": self.transport(library), "trust_env": False, "follow_redirects": False
        }  # fmt: skip

    def client(self, module: ModuleType, timeout: Any) -> Any:
        """Return a client for an SDK; None: its own."""
        if self.transport is None:
            return None
        library: Any = module
        return library.AsyncClient(timeout=timeout, **self.options(module.__name__))


ON_ITS_OWN = Access()
