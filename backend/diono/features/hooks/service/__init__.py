"""Webhooks and notifications: who wants to know what, and telling them."""

from diono.features.hooks.service.delivering import Deliverer, Patience, Tools
from diono.features.hooks.service.hooks import Notifications, Webhooks, Who
from diono.features.hooks.service.signing import signature

__all__ = ["Deliverer", "Notifications", "Patience", "Tools", "Webhooks", "Who", "signature"]
