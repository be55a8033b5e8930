"""Cloud drives: links of users, what is seen over them, and what is moved."""

from diono.features.drives.service.clients import DriveClients
from diono.features.drives.service.connecting import Connecting
from diono.features.drives.service.links import DriveLinks, OpenLink
from diono.features.drives.service.syncs import Syncs
from diono.features.drives.service.transfers import Transfers
from diono.features.drives.service.vault import Vault

__all__ = [
    "Connecting",
    "DriveClients",
    "DriveLinks",
    "OpenLink",
    "Syncs",
    "Transfers",
    "Vault",
]
