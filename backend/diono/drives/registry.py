"""Finds the providers: each module of a package of adapters that has a ``SPEC``."""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from diono.drives.errors import DriveClientMissing, DriveProviderUnknown
from diono.drives.pool import in_pool
from diono.drives.port import DriveClient, DriveProvider, ProviderSpec, Setup

NO_CLIENTS: Mapping[str, DriveClient] = MappingProxyType({})


class Providers:
    """The providers of some packages, by name; the packages are imported at the first use."""

    def __init__(
        self,
        packages: Sequence[str],
        setup: Setup,
        endpoints: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """``endpoints`` are addresses by provider, to be used in place of its own."""
        self._packages = packages
        self._setup = setup
        self._endpoints = endpoints or {}
        self._specs: dict[str, ProviderSpec] = {}

    async def all(self) -> Sequence[ProviderSpec]:
        if not self._specs:
            self._specs = await in_pool(self._find)
        return list(self._specs.values())

    async def one(self, name: str) -> ProviderSpec:
        """Raises DriveProviderUnknown."""
        await self.all()
        if name not in self._specs:
            raise DriveProviderUnknown(
                f"There is no drive provider {name[:40]!r}. There are: {', '.join(self._specs)}."
            )
        return self._specs[name]

    async def make(self, name: str, client: DriveClient | None) -> DriveProvider:
        """Return the provider with the admin's client. Raises DriveProviderUnknown,
        DriveClientMissing."""
        spec = await self.one(name)
        if spec.needs_client and client is None:
            raise DriveClientMissing(
                f"{spec.title} has no client id on this server yet. An administrator makes one "
                f"there and enters it: PUT /api/drives/{name}/client (see docs/drives.md)."
            )
        endpoints = self._endpoints.get(name, {})
        return spec.make(replace(self._setup, client=client, endpoints=endpoints))

    def _find(self) -> dict[str, ProviderSpec]:
        found: dict[str, ProviderSpec] = {}
        for package in self._packages:
            folder = importlib.import_module(package).__path__
            for module in sorted(pkgutil.iter_modules(folder), key=lambda each: each.name):
                spec = getattr(importlib.import_module(f"{package}.{module.name}"), "SPEC", None)
                if isinstance(spec, ProviderSpec):
                    found[spec.name] = spec
        return found
