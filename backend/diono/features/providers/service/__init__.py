"""Language-model providers of users, projects and the installation."""

from diono.features.providers.service.providers import Holder, Providers, Who

__all__ = ["Holder", "Providers", "Who"]
